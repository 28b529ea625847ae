"""What is done to the chain, and what may be heard of it: no more, no less.

Every scene begins and ends with all well and nothing firing. Between, it must bring about just the
pages that it names, each told once, none resolved while it lasts, and each resolved once
afterwards. Two Alertmanagers promise no more than at least once; it is once all the same.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboards.stack.processes import Process
from tests.lab.cuts import drop_site, reject_port, sip_stopped
from tests.lab.inside import inside, run
from tests.lab.rig import Province, endpoint
from tests.lab.truth import Cut
from tests.stack import cuts
from tests.stack.cuts import cut
from tests.stack.play import Scene
from tests.stack.stage import Site, Stage

WIB = ZoneInfo("Asia/Jakarta")
WINDOW = 60.0  # seconds of planned maintenance, the shortest that there is
AWAY = 40.0  # seconds without Prometheus; it says of an alert that it holds for a minute

Deed = Callable[[Process], None]


def second(stage: Stage) -> Site:
    """The vantage that things are done to."""
    return stage.sites[1]


def done_to_second(stage: Stage, do: Deed, undo: Deed) -> Cut:
    """Something done to the second vantage's process."""
    process = second(stage).process
    return cut("vantage", lambda: do(process), lambda: undo(process))


def peer_killed(stage: Stage) -> None:
    stage.alertmanagers[0].kill()


def peer_back(stage: Stage) -> None:
    stage.alertmanagers[0].start()


def prometheus_restarted(stage: Stage) -> None:
    """As an upgrade would, and then as a power cut would."""
    stage.prometheus.stop()
    time.sleep(AWAY)
    stage.prometheus.start()
    time.sleep(5.0)
    stage.prometheus.kill()
    stage.prometheus.start()


def vantages_restarted(stage: Stage) -> None:
    """All of them at once, long enough that nobody has a word on anything."""
    for site in stage.sites:
        site.process.stop()
    for site in stage.sites:
        site.process.start()


def planned(stage: Stage, province: Province, seconds: float) -> None:
    """Maintenance of a province at every vantage, from now on."""
    start = datetime.now(WIB).strftime("%Y-%m-%d %H:%M:%S")
    for site in stage.sites:
        words = ("maintenance", "add", "--scope", f"province:{province.slug}", "--title", "kerja")
        when = ("--start", start, "--duration", f"{seconds:.0f}s", "--name", "lab")
        argv = (sys.executable, "-m", "vcmon", *words, *when, "--config", str(site.settings))
        run(*inside(site.namespace, *argv))
    time.sleep(3.0)  # noticed by the scribe, and scraped


def maintenance_over(stage: Stage) -> None:
    """End what was planned first, once the province is up again."""
    time.sleep(8.0)
    for site in stage.sites:
        words = ("maintenance", "end", "1", "--config", str(site.settings))
        run(*inside(site.namespace, sys.executable, "-m", "vcmon", *words))


def down(province: Province) -> tuple[str, ...]:
    """The one page of a province that is lost by itself."""
    return (f"VcmonProvinceDown({province.slug})",)


def province_dropped(stage: Stage, province: Province) -> Scene:
    return Scene(drop_site(stage.country, province), down(province))


def province_rejected(stage: Stage, province: Province) -> Scene:
    return Scene(reject_port(stage.country, province), down(province))


def province_stopped(stage: Stage, province: Province) -> Scene:
    return Scene(sip_stopped(stage.country, province), down(province))


def parent_of_five(stage: Stage, _: Province) -> Scene:
    return Scene(cuts.hub_dead(stage), ("VcmonParentDown(pusat-hub)",))


def parent_and_its_province(stage: Stage, _: Province) -> Scene:
    carrier = stage.carrying()[0]
    return Scene(cuts.carrier_dead(stage), (f"VcmonParentDown({endpoint(carrier, 'router')})",))


def island_lost(stage: Stage, _: Province) -> Scene:
    island = cuts.ISLANDS[0]
    return Scene(cuts.island_dead(stage, island), (f"VcmonProvincesDown(island:{island})",))


def central_uplink(stage: Stage, _: Province) -> Scene:
    return Scene(cuts.uplinks_cut(stage), ("VcmonCentreDown()",))


def one_vantage_wrong(stage: Stage, province: Province) -> Scene:
    return Scene(cuts.one_wrong(stage, second(stage), province), ())


def vantage_killed(stage: Stage, _: Province) -> Scene:
    made = done_to_second(stage, Process.kill, Process.start)
    return Scene(made, (f"VcmonProberDown({second(stage).name})",))


def vantage_frozen(stage: Stage, _: Province) -> Scene:
    made = done_to_second(
        stage,
        lambda process: process.send(signal.SIGSTOP),
        lambda process: process.send(signal.SIGCONT),
    )
    return Scene(made, (f"VcmonProberDown({second(stage).name})",))


def vantage_cut_off(stage: Stage, _: Province) -> Scene:
    site = second(stage)
    return Scene(cuts.cut_off(stage, site), (f"VcmonProberDown({site.name})",))


def vantage_blind(stage: Stage, _: Province) -> Scene:
    site = second(stage)
    return Scene(cuts.one_uplink_cut(stage, site), (f"VcmonVantageBlind({site.name})",))


def peer_killed_before(stage: Stage, province: Province) -> Scene:
    made = drop_site(stage.country, province)
    return Scene(made, down(province), before=(peer_killed,), after=(peer_back,))


def peer_killed_during(stage: Stage, province: Province) -> Scene:
    made = drop_site(stage.country, province)
    return Scene(made, down(province), during=(peer_killed,), after=(peer_back,))


def prometheus_restarts(stage: Stage, province: Province) -> Scene:
    made = drop_site(stage.country, province)
    return Scene(made, down(province), during=(prometheus_restarted,))


def vantages_restart(stage: Stage, province: Province) -> Scene:
    made = drop_site(stage.country, province)
    besides = ("VcmonProberDown", "VcmonProberAbsent", "VcmonQuorumLost")  # they are, for a moment
    return Scene(made, down(province), besides, during=(vantages_restarted,))


def maintenance(stage: Stage, province: Province) -> Scene:
    def plan(stage: Stage) -> None:
        planned(stage, province, 120.0)

    made = drop_site(stage.country, province)
    return Scene(made, (), before=(plan,), after=(maintenance_over,))


def maintenance_outlasted(stage: Stage, province: Province) -> Scene:
    def plan(stage: Stage) -> None:
        planned(stage, province, WINDOW)

    pages = (f"VcmonMaintenanceOverrun({province.slug})",)
    made = drop_site(stage.country, province)
    return Scene(made, pages, before=(plan,), page_within=WINDOW + 15)


SCENES: tuple[Callable[[Stage, Province], Scene], ...] = (
    *(province_dropped, province_rejected, province_stopped),
    *(parent_of_five, parent_and_its_province, central_uplink),
    *(one_vantage_wrong, vantage_killed, vantage_frozen, vantage_cut_off, vantage_blind),
    *(peer_killed_before, peer_killed_during, prometheus_restarts, vantages_restart),
    *(maintenance, maintenance_outlasted, island_lost),
)
"""All of them; the province is one that nothing was done to lately."""
