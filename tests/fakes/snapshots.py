"""Builders of Snapshots and of Sources over them, for everything that shows what is believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vcmon.config.kinds import PARAMS
from vcmon.config.provinces import provinces
from vcmon.config.settings import Settings
from vcmon.history.memory import Memory
from vcmon.history.ninety import Ninety
from vcmon.history.store import Store
from vcmon.model.endpoint import Check, CheckId, Endpoint, Role
from vcmon.model.figures import EngineFigures, HistoryFigures, Tally
from vcmon.model.meeting import Meeting, RollCall, Sitting
from vcmon.model.memory import Cause, Incident, Occasion
from vcmon.model.province import Province
from vcmon.model.result import Blame, Direction, Echo, Outcome, Reason, Result, Streams
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Quality,
    Snapshot,
    Standing,
    State,
    Uplink,
)
from vcmon.views.sources import Sources, no_memory

NOW = 1_795_401_667.0
"""Monday, 23 November 2026, 09.41.07 WIB."""

PROVINCES = provinces()
"""Read here once: the first call reads a file, which no test may do on its loop."""

UP = Standing(State.UP, Reason.OK, Blame.NONE, NOW - 86400, NOW - 86390)


def make_check(endpoint: str, province: str, kind: str, *, decides: bool = True) -> Check[Any]:
    """A check of a kind with its default parameters (a port where one is needed)."""
    params = PARAMS[kind](**({"port": 1720} if kind == "tcp" else {}))
    name = CheckId(endpoint, kind)
    return Check(name, province, kind, "192.0.2.10", params, 10.0, 2.0, decides)


def make_result(check: Check[Any], outcome: Outcome, reason: Reason) -> Result:
    """A last run as its kind would leave it."""
    up = outcome is Outcome.UP
    blame = Blame.NONE if up else Blame.LOCAL if outcome is Outcome.UNKNOWN else Blame.PATH
    echo = None
    if check.kind == "icmp":
        rtts = (0.043, 0.0441, 0.0432, 0.0437, 0.0435) if up else ()
        echo = Echo(5, len(rtts), rtts=rtts)
    streams = None
    if check.kind == "stamp" and up:
        echo = Echo(50, 48, rtts=(0.043,) * 48)
        streams = Streams(Direction(50, 49, 0.0015), Direction(49, 48, None, 46))
    return Result(
        check=check.id,
        outcome=outcome,
        reason=reason,
        blame=blame,
        at=NOW - 4,
        started=1000.0,
        duration=0.124 if up else 2.0,
        phases={"resolve": 0.0001, "request": 0.043} if up else {"resolve": 0.0001},
        echo=echo,
        certificate_expiry=NOW + 86400 * 40 if check.kind in {"tls", "https", "sips"} else None,
        streams=streams,
        detail={"server": "Polycom/6.2.2", "code": 200} if check.kind == "sip" else {},
    )


def check_status(
    check: Check[Any], outcome: Outcome = Outcome.UP, reason: Reason = Reason.OK
) -> CheckStatus:
    """A check with a last run that says the same."""
    last = make_result(check, outcome, reason)
    return CheckStatus(check, outcome, reason, NOW - 754, last=last)


def endpoint_status(
    endpoint: Endpoint, standing: Standing, quality: Quality | None = None
) -> EndpointStatus:
    """An endpoint whose checks fit its standing."""
    lost = standing.state in {State.DOWN, State.UNREACHABLE}
    outcome = Outcome.DOWN if lost else Outcome.UP
    if standing.state is State.UNKNOWN:
        outcome = Outcome.UNKNOWN
    service = standing.reason is Reason.SERVICE
    reason = Reason.OK if outcome is Outcome.UP else Reason.TIMEOUT
    checks = tuple(
        check_status(check)
        if service and check.kind == "icmp"
        else check_status(check, outcome, reason)
        for check in endpoint.checks
    )
    measured = Quality(0.0, 0.043, 0.0008, sent=150) if not lost else Quality()
    return EndpointStatus(endpoint, standing, checks, quality or measured)


def make_endpoint(province: Province, role: Role, kinds: Iterable[str], **more: Any) -> Endpoint:
    """An endpoint named after its province and role."""
    name = f"{province.slug}-{role}"
    checks = tuple(
        make_check(name, province.slug, kind, decides=kind != "icmp" or role is Role.ROUTER)
        for kind in kinds
    )
    return Endpoint(name, province.slug, role, "192.0.2.10", checks, **more)


def equipment(province: Province) -> tuple[Endpoint, Endpoint]:
    """A router and behind it a codec: what every province has here."""
    router = make_endpoint(
        province, Role.ROUTER, ["icmp"], site="Kantor Gubernur", medium="fibre", provider="Telkom"
    )
    codec = make_endpoint(
        province,
        Role.CODEC,
        ["icmp", "sip"],
        site="Kantor Gubernur",
        depends_on=(router.id,),
        medium="fibre",
        contact=f"Piket Kominfo {province.name_id} 0711-000000",
    )
    return router, codec


def province_status(
    province: Province,
    standing: Standing = UP,
    router: Standing = UP,
    *,
    maintenance: bool = False,
    quality: Quality | None = None,
) -> ProvinceStatus:
    """A province whose codec stands as the province does."""
    first, second = equipment(province)
    members = (endpoint_status(first, router), endpoint_status(second, standing, quality))
    return ProvinceStatus(province, standing, members, maintenance)


def make_snapshot(
    statuses: Iterable[ProvinceStatus], *, uplink: Uplink | None = None, version: int = 7
) -> Snapshot:
    """A Snapshot taken two seconds before NOW."""
    taken = tuple(statuses)
    by_check = {
        check.check.id: check
        for status in taken
        for endpoint in status.endpoints
        for check in endpoint.checks
    }
    return Snapshot(version, NOW - 2, uplink or Uplink(up=True), taken, by_check)


def uniform(standing: Standing = UP) -> Snapshot:
    """All 38 provinces and the Centre in the same standing."""
    return make_snapshot(province_status(one, standing) for one in PROVINCES.values())


def mixed() -> Snapshot:
    """A morning with a bit of everything; two provinces are not monitored."""
    return make_snapshot(_mixed_statuses())


def _mixed_statuses() -> Iterable[ProvinceStatus]:
    special = _special()
    for slug, province in PROVINCES.items():
        if slug in {"papua-pegunungan", "papua-tengah"}:
            continue
        yield special.get(slug) or province_status(province)


def _special() -> Mapping[str, ProvinceStatus]:
    known = PROVINCES
    down = Standing(State.DOWN, Reason.SERVICE, Blame.REMOTE, NOW - 754, NOW - 748)
    cut = Standing(State.DOWN, Reason.TIMEOUT, Blame.PATH, NOW - 26_000, NOW - 25_990)
    behind = Standing(
        State.DOWN, Reason.PARENT, Blame.PATH, NOW - 26_000, NOW - 25_990, "maluku-utara-router"
    )
    far = Standing(
        State.UNREACHABLE, Reason.PARENT, Blame.PATH, NOW - 190, NOW - 184, "papua-router"
    )
    lossy = Standing(State.DEGRADED, Reason.LOSS, Blame.PATH, NOW - 3700, NOW - 3690)
    backup = Standing(State.DEGRADED, Reason.ON_BACKUP, Blame.PATH, NOW - 400_000, NOW - 399_990)
    nothing = Standing(State.UNKNOWN, Reason.NO_DATA, Blame.LOCAL)
    out = replace(cut, since=NOW - 190)
    return {
        "sulawesi-selatan": province_status(known["sulawesi-selatan"], down),
        "maluku-utara": province_status(
            known["maluku-utara"],
            behind,
            replace(cut, reason=Reason.HOST_UNREACHABLE),
        ),
        "papua": province_status(known["papua"], replace(behind, parent="papua-router"), out),
        "papua-selatan": province_status(known["papua-selatan"], far),
        "kalimantan-utara": province_status(
            known["kalimantan-utara"], lossy, quality=Quality(0.034, 0.112, 0.012, 150, 0.062)
        ),
        "nusa-tenggara-timur": province_status(known["nusa-tenggara-timur"], backup),
        "riau": province_status(known["riau"], nothing, nothing),
        "bali": province_status(known["bali"], maintenance=True),
        "gorontalo": province_status(known["gorontalo"], down, maintenance=True),
    }


def large(endpoints: int) -> Snapshot:
    """So many endpoints with one ICMP check each, spread over all provinces."""
    known = tuple(PROVINCES.values())
    statuses = []
    for place, province in enumerate(known):
        count = endpoints // len(known) + (place < endpoints % len(known))
        members = []
        for index in range(count):
            name = f"{province.slug}-{index:05d}"
            check = make_check(name, province.slug, "icmp")
            it = Endpoint(name, province.slug, Role.CODEC, "192.0.2.10", (check,))
            members.append(endpoint_status(it, UP))
        statuses.append(ProvinceStatus(province, UP, tuple(members)))
    return make_snapshot(statuses)


def tally_of(status: CheckStatus) -> Tally:
    """A day's counting."""
    tally = Tally(probes=8640, sent=43200, received=43100, duplicates=1)
    for value in (0.041, 0.043, 0.044, 0.2):
        tally.duration.observe(value)
        tally.rtt.observe(value)
    tally.failures[Reason.REFUSED] = 2
    return tally


@dataclass(slots=True)
class World:
    """What a test turns; :meth:`sources` looks at it at each call."""

    snapshot: Snapshot
    now: float = NOW
    settings: Settings = field(default_factory=lambda: Settings(endpoints=(), provinces=PROVINCES))
    figures: EngineFigures = field(
        default_factory=lambda: EngineFigures(started_at=NOW - 90000, last_round_at=NOW - 5)
    )
    tallies: Mapping[CheckId, Tally] = field(default_factory=dict)
    history: HistoryFigures = field(
        default_factory=lambda: HistoryFigures(wanted=True, up=True, written_at=NOW - 1)
    )
    ready: bool = True
    alive: bool = True
    problems: str = ""
    reloads: int = 0
    reload: Callable[[], Awaitable[str]] | None = None
    planned: Sequence[Occasion] = ()
    memory: Callable[[], Memory | None] = no_memory
    incidents: Sequence[Incident] = ()
    closed: Sequence[Incident] = ()
    ninety: Mapping[str, Ninety] = field(default_factory=dict)
    begun: Mapping[Cause, int] = field(default_factory=dict)
    file: Path | None = None  # the memory's, for what people do
    periods: Mapping[str, float] = field(default_factory=dict)  # of heartbeats, by endpoint
    heard: list[str] = field(default_factory=list)  # endpoints that have reported in
    agenda: Sequence[Meeting] = ()
    coming: Sequence[Sitting] = ()
    rolls: Mapping[str, RollCall] = field(default_factory=dict)  # as of now, by the sitting's id

    def counted(self) -> World:
        """The same world with something counted of every check."""
        self.tallies = {name: tally_of(status) for name, status in self.snapshot.by_check.items()}
        return self

    async def _reload(self) -> str:
        self.reloads += 1
        return await self.reload() if self.reload else self.problems

    def _open(self, *, write: bool = False) -> Store | None:
        if self.file is None:
            return None
        return Store.open(self.file, write=write, make=False)

    def _roll(self, sitting: str) -> RollCall | None:
        return self.rolls.get(sitting)

    def _seconds(self) -> Mapping[str, Mapping[State, float]]:
        return {s.province.slug: {State.UP: 86400.5} for s in self.snapshot.provinces}

    def sources(self) -> Sources:
        """The callables that the views are given."""
        return Sources(
            settings=lambda: self.settings,
            snapshot=lambda: self.snapshot,
            tallies=lambda: self.tallies,
            province_seconds=self._seconds,
            figures=lambda: self.figures,
            ready=lambda: self.ready,
            alive=lambda: self.alive,
            reload=self._reload,
            wall=lambda: self.now,
            history=lambda: self.history,
            planned=lambda: self.planned,
            memory=self.memory,
            incidents=lambda: self.incidents,
            closed=lambda: self.closed,
            ninety=lambda: self.ninety,
            begun=lambda: self.begun,
            open_store=self._open,
            open_to_write=lambda: self._open(write=True),
            heartbeat_period=self.periods.get,
            heard=self.heard.append,
            agenda=lambda: self.agenda,
            coming=lambda: self.coming,
            roll=self._roll,
        )
