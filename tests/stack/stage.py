"""The whole chain in network namespaces: three vantages, a country, Prometheus, two Alertmanagers.

    vantage k  10.77.(250|240|241).2 --- backbone --- provinces, the hub 10.77.246.2, and two
       |                                              canaries of each vantage
    10.78.k.2
       |        a network of its own for scrapes, so that an uplink can be cut and still be told of
    10.78.k.1
      noc       Prometheus, Alertmanagers, VictoriaMetrics, the webhook, all on its loopback

Five provinces depend on the hub, and two on the router of another province. blackbox_exporter,
where it is wanted, stands in the first vantage's namespace and so has the same uplink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Self, TypeVar

from dashboards.stack import programs, settings
from dashboards.stack.places import VANTAGES, Places, Vantage, listed, on_loopback
from dashboards.stack.processes import Process, Program, ask, start_all, stop_all
from dashboards.stack.settings import Document, Timing
from tests.lab.inside import call_inside, inside, run
from tests.lab.rig import CANARIES, Country, Province, endpoint
from tests.lab.watch import Row, write_files

T = TypeVar("T")

HUB = "pusat-hub"
HUB_ADDRESS = "10.77.246.2"
MCU_ADDRESS = "10.77.247.2"  # the Centre's, which does not depend on the hub
BEHIND_HUB = slice(3, 8)  # five provinces
CARRYING = (slice(8, 9), slice(9, 11))  # the province whose router carries others, and those
UPLINKS = ((250, "uplink"), (240, "u2"), (241, "u3"))  # number and the backbone's device
MORE_CANARIES = ((242, 243), (244, 245))  # of the second and third vantage
PORT = 9838
BLACKBOX = "10.78.1.2:9115"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is installed: rules, Alertmanager's settings, how often things are looked at."""

    rules: Sequence[Path]
    alertmanager: Document
    timing: Timing = field(default_factory=Timing)
    defaults: Mapping[str, object] = field(default_factory=dict)  # of the vantages' settings
    extra: Mapping[str, object] = field(default_factory=dict)  # more of them
    jobs: Sequence[Document] = ()
    blackbox: Path | None = None  # its settings; None: it is not there


@dataclass(slots=True)
class Site:
    """One vantage in its namespace."""

    name: str
    namespace: str
    uplink: str  # the backbone's device towards it
    management: str  # the noc's device towards it
    canaries: tuple[str, ...]
    settings: Path
    process: Process


class Stage:
    """Everything, up between ``with`` and its end."""

    def __init__(self, directory: Path, recipe: Recipe, provinces: int = 38) -> None:
        self.directory = directory
        self.recipe = recipe
        self.country = Country(directory, provinces)
        self._ends = ExitStack()
        loopback = on_loopback(PORT)
        self.places: Places = replace(
            loopback,
            vantages=tuple(
                Vantage(name, region, f"10.78.{number}.2:{PORT}")
                for number, (name, region) in enumerate(VANTAGES, start=1)
            ),
            discovery=tuple(
                f"http://10.78.{number}.2:{PORT}/sd/prometheus"
                for number in range(1, len(VANTAGES) + 1)
            ),
        )
        self.sites: list[Site] = []
        self.arrivals = directory / "arrivals.jsonl"

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(self.country)
            self._wire()
            processes = self._processes()
            undo.callback(stop_all, processes)
            start_all(processes)
            self._ends = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ends.close()

    def look(self, url: str) -> bool:
        """Whether a URL answers 200 to the noc."""
        return call_inside(self.noc, partial(ask, url))

    def in_noc(self, call: Callable[[], T]) -> T:
        """The value of ``call()``, made from the noc's network."""
        return call_inside(self.noc, call)

    def behind_hub(self) -> list[Province]:
        """The provinces that depend on the hub."""
        return self.country.provinces[BEHIND_HUB]

    def carrying(self) -> list[Province]:
        """The province whose router carries others, and those."""
        return [one for which in CARRYING for one in self.country.provinces[which]]

    def rows(self) -> list[Row]:
        """The inventory of all vantages: in each province a codec behind a router."""
        parents = {province.slug: HUB for province in self.behind_hub()}
        for carrier, carried in product(*map(self.country.provinces.__getitem__, CARRYING)):
            parents[carried.slug] = endpoint(carrier, "router")
        rows: list[Row] = [
            (HUB, "pusat", "router", HUB_ADDRESS, "icmp", ""),
            ("pusat-mcu", "pusat", "mcu", MCU_ADDRESS, "icmp", ""),
        ]
        for one in self.country.provinces:
            router, parent = endpoint(one, "router"), parents.get(one.slug, "")
            rows.append((router, one.slug, "router", one.router, "icmp", parent))
            codec = endpoint(one, "codec")
            rows.append((codec, one.slug, "codec", one.codec, " ".join(one.mix), router))
        return rows

    def _wire(self) -> None:
        country = self.country
        self.noc = country.add("noc")
        country.add("hub", 246)
        country.add("mcu", 247)
        canaries = [CANARIES]
        for pair in MORE_CANARIES:
            for number in pair:
                country.add(f"c{number}", number)
            canaries.append((f"10.77.{pair[0]}.2", f"10.77.{pair[1]}.2"))
        for index, (number, device) in enumerate(UPLINKS):
            namespace = country.add(device, number) if index else country.monitor
            self._manage(namespace, index + 1)
            self.sites.append(self._site(index, namespace, canaries[index]))

    def _manage(self, namespace: str, number: int) -> None:
        """The cable between the noc and a vantage that scrapes go over."""
        batch = f"""link add m{number} type veth peer name mgmt netns {namespace}
            addr add 10.78.{number}.1/30 dev m{number}
            link set m{number} up"""
        run("ip", "-n", self.noc, "-batch", "-", stdin=batch)
        batch = f"addr add 10.78.{number}.2/30 dev mgmt\nlink set mgmt up"
        run("ip", "-n", namespace, "-batch", "-", stdin=batch)

    def _site(self, index: int, namespace: str, canaries: tuple[str, ...]) -> Site:
        vantage = self.places.vantages[index]
        directory = self.directory / vantage.name
        directory.mkdir()
        ca_file = str(self.country.authority.ca_file)
        extra = {
            "vantage": vantage.name,
            "region": vantage.region,
            "vantages": listed(self.places),
            "web": {"listen": vantage.target},
            "defaults": self.recipe.defaults,
            "canaries": list(canaries),
            "checks": {"sips-lab": {"kind": "sips", "ca_file": ca_file}},
            **self.recipe.extra,
        }
        path = write_files(directory, self.rows(), extra)
        program = programs.vcmon(vantage.name, vantage.target, path)
        process = self._process(program, namespace)
        uplink = UPLINKS[index][1]
        return Site(vantage.name, namespace, uplink, f"m{index + 1}", canaries, path, process)

    def _process(self, program: Program, namespace: str) -> Process:
        within = replace(program, argv=tuple(inside(namespace, *program.argv)))
        return Process(within, self.directory, self.look)

    def _processes(self) -> list[Process]:
        places, recipe, directory = self.places, self.recipe, self.directory
        am = settings.write(
            directory / "alertmanager.yml", settings.alertmanager(recipe.alertmanager, places)
        )
        document = settings.prometheus(places, recipe.timing, recipe.rules, recipe.jobs)
        prometheus = settings.write(directory / "prometheus.yml", document)
        first, second = programs.alertmanagers(places, recipe.timing, am)
        self.alertmanagers = (self._process(first, self.noc), self._process(second, self.noc))
        program = programs.prometheus(places, recipe.timing, prometheus)
        self.prometheus = self._process(program, self.noc)
        others = [
            self._process(programs.webhook(places, directory), self.noc),
            self._process(programs.store(places, directory), self.noc),
        ]
        if recipe.blackbox is not None:
            others.append(self._process(_blackbox(recipe.blackbox), self.sites[0].namespace))
        vantages = [site.process for site in self.sites]
        return [*others, *vantages, *self.alertmanagers, self.prometheus]


def _blackbox(path: Path) -> Program:
    binary = programs.found("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    argv = (binary, f"--config.file={path}", f"--web.listen-address={BLACKBOX}")
    return Program("blackbox", argv, f"http://{BLACKBOX}/-/healthy")
