"""The metrics page: what is believed and what was counted, family by family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from math import isfinite, isnan
from typing import NamedTuple

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest

from vcmon.config.settings import Settings
from vcmon.history.facts import Facts
from vcmon.model.endpoint import CheckId, measuring
from vcmon.model.figures import DURATION_BOUNDS, RTT_BOUNDS, Tally
from vcmon.model.province import Province
from vcmon.model.result import Direction, Outcome, Reason
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    State,
)
from vcmon.views.directions import directions
from vcmon.views.exposition import BATCH, Family, HistogramFamily, escape, labels, table
from vcmon.views.freshness import believed, is_current, is_stale, mos_of
from vcmon.views.itself import incidents, itself, memory
from vcmon.views.lost import behind, lost, maintained, suspected
from vcmon.views.meeting_metrics import meetings
from vcmon.views.sources import Sources


class CheckRow(NamedTuple):
    """One check, ready to be written."""

    inside: str  # its labels
    status: CheckStatus
    tally: Tally
    current: bool  # its last run still speaks of now


class EndpointRow(NamedTuple):
    """One endpoint, ready to be written."""

    inside: str
    measured: str  # the labels of the check that measured its quality
    status: EndpointStatus
    stale: bool


class ProvinceRow(NamedTuple):
    """One monitored province, ready to be written."""

    inside: str
    status: ProvinceStatus
    stale: bool
    seconds: Mapping[State, float]


ECHO_KINDS = frozenset({"icmp", "stamp"})
"""Kinds whose runs are bursts of packets that come back."""

# Checks -----------------------------------------------------------------------------------------

SUCCESS = Family("vcmon_probe_success", "gauge", "Last result: 1 up, 0 down; absent when unknown.")
PROBES = Family("vcmon_probes_total", "counter", "Finished runs, whatever they found.")
FAILURES = Family("vcmon_probe_failures_total", "counter", "Runs that found the remote side down.")
INCONCLUSIVE = Family(
    "vcmon_probe_inconclusive_total", "counter", "Runs that proved nothing, by a fault of our own."
)
DURATION = HistogramFamily(
    "vcmon_probe_duration_seconds", "Time a successful run took.", DURATION_BOUNDS
)
PHASE = Family("vcmon_probe_phase_duration_seconds", "gauge", "Time of each step of the last run.")
LAST_RUN = Family("vcmon_probe_last_run_timestamp_seconds", "gauge", "When the last run began.")
RTT = HistogramFamily("vcmon_rtt_seconds", "Round-trip times of echo requests.", RTT_BOUNDS)
SENT = Family("vcmon_packets_sent_total", "counter", "Echo requests sent.")
RECEIVED = Family("vcmon_packets_received_total", "counter", "Echo replies received in time.")
DUPLICATE = Family("vcmon_packets_duplicate_total", "counter", "Echo replies received twice.")
EXPIRY = Family(
    "vcmon_tls_certificate_expiry_timestamp_seconds", "gauge", "When the certificate seen expires."
)

DIRECTION_LOSS = Family(
    "vcmon_direction_loss_ratio", "gauge", "Lost share of the last stream's packets, each way."
)
DIRECTION_JITTER = Family(
    "vcmon_direction_jitter_seconds", "gauge", "Interarrival jitter (RFC 3550) of the last stream."
)
DIRECTION_DSCP = Family(
    "vcmon_direction_dscp", "gauge", "DSCP that the last stream's packets arrived with."
)

_OUTCOMES = {Outcome.UP: 1, Outcome.DOWN: 0}


def _success(row: CheckRow) -> str:
    last = row.status.last
    if last is None or not row.current or last.outcome is Outcome.UNKNOWN:
        return ""
    return SUCCESS.line(row.inside, _OUTCOMES[last.outcome])


def _reasons(
    family: Family, of: Callable[[Tally], Mapping[Reason, int]], always: Reason, row: CheckRow
) -> str:
    # rate() misses the first event of a series that is born with it. The commonest reason of each
    # kind is there from the start; twenty zeros a check for all others would not be worth it.
    counts = {always: 0, **of(row.tally)}
    return "".join(
        f'{family.name}{{{row.inside},reason="{reason.value}"}} {count}\n'
        for reason, count in counts.items()
    )


def _phases(row: CheckRow) -> str:
    last = row.status.last
    if last is None or not row.current:
        return ""
    return "".join(
        PHASE.line(f'{row.inside},phase="{escape(name)}"', seconds)
        for name, seconds in last.phases.items()
    )


def _last_run(row: CheckRow) -> str:
    last = row.status.last
    return "" if last is None else LAST_RUN.line(row.inside, last.at)


def _expiry(row: CheckRow) -> str:
    last = row.status.last
    if last is None or not row.current or last.certificate_expiry is None:
        return ""
    return EXPIRY.line(row.inside, last.certificate_expiry)


def _directions(family: Family, of: Callable[[Direction], float | None], row: CheckRow) -> str:
    last = row.status.last
    if last is None or last.streams is None or not row.current:
        return ""
    return "".join(
        family.line(f'{row.inside},direction="{name}"', value)
        for name, direction in directions(last.streams)
        if (value := of(direction)) is not None and isfinite(value)
    )


def _counter(family: Family, of: Callable[[Tally], int], row: CheckRow) -> str:
    return f"{family.name}{{{row.inside}}} {of(row.tally)}\n"


def _if_echo(lines: Callable[[CheckRow], str]) -> Callable[[CheckRow], str]:
    return lambda row: lines(row) if row.status.check.kind in ECHO_KINDS else ""


CHECK_FAMILIES: tuple[tuple[Family, Callable[[CheckRow], str]], ...] = (
    (SUCCESS, _success),
    (PROBES, partial(_counter, PROBES, lambda tally: tally.probes)),
    (FAILURES, partial(_reasons, FAILURES, lambda tally: tally.failures, Reason.TIMEOUT)),
    (
        INCONCLUSIVE,
        partial(_reasons, INCONCLUSIVE, lambda tally: tally.inconclusive, Reason.STALL),
    ),
    (DURATION.family, lambda row: DURATION.lines(row.inside, row.tally.duration)),
    (PHASE, _phases),
    (LAST_RUN, _last_run),
    (RTT.family, _if_echo(lambda row: RTT.lines(row.inside, row.tally.rtt))),
    (SENT, _if_echo(partial(_counter, SENT, lambda tally: tally.sent))),
    (RECEIVED, _if_echo(partial(_counter, RECEIVED, lambda tally: tally.received))),
    (DUPLICATE, _if_echo(partial(_counter, DUPLICATE, lambda tally: tally.duplicates))),
    (EXPIRY, _expiry),
    (DIRECTION_LOSS, partial(_directions, DIRECTION_LOSS, lambda it: it.loss)),
    (DIRECTION_JITTER, partial(_directions, DIRECTION_JITTER, lambda it: it.jitter)),
    (DIRECTION_DSCP, partial(_directions, DIRECTION_DSCP, lambda it: it.dscp)),
)

# Endpoints and provinces ------------------------------------------------------------------------

JITTER = Family("vcmon_jitter_seconds", "gauge", "Mean change of the round-trip time, lately.")
LOSS = Family("vcmon_loss_ratio", "gauge", "Lost share of the packets sent lately, 0 to 1.")
MOS = Family(
    "vcmon_mos_score",
    "gauge",
    "Estimated MOS of a G.711 call on this link, 1 to 4.5 (G.107); absent when unknown.",
)
ENDPOINT_STATE = Family("vcmon_endpoint_state", "gauge", "1 for the state the endpoint is in.")
ENDPOINT_INFO = Family("vcmon_endpoint_info", "gauge", "What the inventory tells of the endpoint.")
PROVINCE_STATE = Family("vcmon_province_state", "gauge", "1 for the state the province is in.")
PROVINCE_UP = Family(
    "vcmon_province_up",
    "gauge",
    "1 up or degraded, 0 down or unreachable; absent while unknown.",
)
STATE_SECONDS = Family(
    "vcmon_province_state_seconds_total", "counter", "Time the province has spent in each state."
)
MAINTENANCE = Family(
    "vcmon_maintenance_active", "gauge", "1 while the province is under planned maintenance."
)
PROVINCE_INFO = Family("vcmon_province_info", "gauge", "Names and place of the province.")

_UP = {State.UP: 1, State.DEGRADED: 1, State.DOWN: 0, State.UNREACHABLE: 0}


def _state_texts(family: Family) -> Mapping[State, str]:
    """The five lines for each state, with a NUL where the labels go."""
    return {
        state: "".join(
            f'{family.name}{{\0,state="{one.value}"}} {int(one is state)}\n' for one in State
        )
        for state in State
    }


ENDPOINT_STATE_TEXTS = _state_texts(ENDPOINT_STATE)
PROVINCE_STATE_TEXTS = _state_texts(PROVINCE_STATE)


def _quality(family: Family, value: float | None, row: EndpointRow) -> str:
    if row.stale or value is None or isnan(value):
        return ""
    return family.line(row.measured, value)


def _endpoint_state(row: EndpointRow) -> str:
    state = believed(row.status.standing.state, row.stale)
    return ENDPOINT_STATE_TEXTS[state].replace("\0", row.inside)


def _endpoint_info(row: EndpointRow) -> str:
    it = row.status.endpoint
    more = {"role": it.role, "site": it.site, "medium": it.medium, "provider": it.provider}
    return f"{ENDPOINT_INFO.name}{{{row.inside},{labels(more)}}} 1\n"


def _province_state(row: ProvinceRow) -> str:
    state = believed(row.status.standing.state, row.stale)
    return PROVINCE_STATE_TEXTS[state].replace("\0", row.inside)


def _province_up(row: ProvinceRow) -> str:
    up = _UP.get(believed(row.status.standing.state, row.stale))
    return "" if up is None else PROVINCE_UP.line(row.inside, up)


def _state_seconds(row: ProvinceRow) -> str:
    return "".join(
        STATE_SECONDS.line(f'{row.inside},state="{state}"', row.seconds.get(state, 0.0))
        for state in State
    )


def _province_info(province: Province) -> str:
    inside = labels(
        {
            "province": province.slug,
            "code": province.code,
            "iso": province.iso,
            "name": province.name_id,
            "timezone": province.timezone,
            "island": province.island,
            "latitude": str(province.latitude),
            "longitude": str(province.longitude),
        }
    )
    return PROVINCE_INFO.line(inside, 1)


ENDPOINT_FAMILIES: tuple[tuple[Family, Callable[[EndpointRow], str]], ...] = (
    (JITTER, lambda row: _quality(JITTER, row.status.quality.jitter, row)),
    (LOSS, lambda row: _quality(LOSS, row.status.quality.loss, row)),
    (MOS, lambda row: _quality(MOS, mos_of(row.status, row.stale), row)),
    (ENDPOINT_STATE, _endpoint_state),
    (ENDPOINT_INFO, _endpoint_info),
)

PROVINCE_FAMILIES: tuple[tuple[Family, Callable[[ProvinceRow], str]], ...] = (
    (PROVINCE_STATE, _province_state),
    (PROVINCE_UP, _province_up),
    (STATE_SECONDS, _state_seconds),
    (MAINTENANCE, lambda row: MAINTENANCE.line(row.inside, int(row.status.maintenance))),
)

NO_TALLY = Tally()
"""A check that has not run yet has counted nothing."""


class Metrics:
    """Writes the whole page, in pieces of a fraction of a millisecond."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._own = CollectorRegistry()
        ProcessCollector(registry=self._own)
        GCCollector(registry=self._own)
        self._settings: Settings | None = None
        self._inside: dict[CheckId, str] = {}  # labels of each check, made once a load
        self._behind = ""  # likewise
        self._facts = Facts()  # likewise

    def own(self) -> str:
        """What the process uses: memory, CPU, descriptors. Reads /proc: not for the loop."""
        return generate_latest(self._own).decode()

    def pieces(self, own: str) -> Iterator[str]:
        """The page. One Snapshot is told throughout; counters are those of the moment."""
        sources = self._sources
        if (settings := sources.settings()) is not self._settings:
            self._settings, self._inside = settings, {}
            self._facts = Facts.of(settings)
            self._behind = behind(self._facts)
        snapshot = sources.snapshot()
        stale = is_stale(sources, snapshot)
        going_on = sources.incidents()
        yield itself(sources.figures(), snapshot.uplink)
        yield memory(sources.history())
        yield incidents(going_on, sources.begun())
        yield from meetings(sources)
        yield own
        yield from self._provinces(snapshot, stale)
        yield lost(snapshot, going_on, stale=stale)
        yield from maintained(snapshot)
        yield self._behind
        yield suspected(snapshot, self._facts, settings.incidents.together)
        checks: list[CheckRow] = []
        endpoints: list[EndpointRow] = []
        yield from self._gather(snapshot, stale, checks, endpoints)
        for family, endpoint_lines in ENDPOINT_FAMILIES:
            yield from table(family, endpoints, endpoint_lines)
        for family, check_lines in CHECK_FAMILIES:
            yield from table(family, checks, check_lines)

    def _provinces(self, snapshot: Snapshot, stale: bool) -> Iterator[str]:
        seconds = self._sources.province_seconds()
        rows = [
            ProvinceRow(labels({"province": slug}), status, stale, seconds.get(slug, {}))
            for status in snapshot.provinces
            if status.endpoints
            for slug in (status.province.slug,)
        ]
        for family, lines in PROVINCE_FAMILIES:
            yield from table(family, rows, lines)
        yield from table(
            PROVINCE_INFO, tuple(self._sources.settings().provinces.values()), _province_info
        )

    def _gather(
        self,
        snapshot: Snapshot,
        stale: bool,
        checks: list[CheckRow],
        endpoints: list[EndpointRow],
    ) -> Iterator[str]:
        """Fill both lists; yields nothing but the chance to let others run."""
        tallies = self._sources.tallies()
        everything = (status for province in snapshot.provinces for status in province.endpoints)
        for index, status in enumerate(everything):
            endpoints.append(self._endpoint_row(status, stale))
            for check in status.checks:
                tally = tallies.get(check.check.id, NO_TALLY)
                current = is_current(check, stale)
                checks.append(CheckRow(self._check_labels(check), check, tally, current))
            if index % BATCH == 0:
                yield ""

    def _endpoint_row(self, status: EndpointStatus, stale: bool) -> EndpointRow:
        it = status.endpoint
        inside = labels({"province": it.province, "endpoint": it.id})
        # Quality is measured by echo requests; without them by the retransmissions of whatever is.
        by = measuring(it.checks)
        it_is = (check for check in status.checks if check.check is by)
        check = next(it_is, status.checks[0] if status.checks else None)
        measured = self._check_labels(check) if check else inside
        return EndpointRow(inside, measured, status, stale)

    def _check_labels(self, status: CheckStatus) -> str:
        check = status.check
        inside = self._inside.get(check.id)
        if inside is None:
            inside = labels(
                {
                    "province": check.province,
                    "endpoint": check.id.endpoint,
                    "check": check.id.name,
                }
            )
            self._inside[check.id] = inside
        return inside
