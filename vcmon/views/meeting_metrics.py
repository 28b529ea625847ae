"""What the metrics page tells of meetings: the next ones, and who could join them now."""

from __future__ import annotations

from collections.abc import Iterator

from vcmon.model.meeting import Readiness, RollCall, Sitting
from vcmon.views.exposition import Family, labels
from vcmon.views.sources import Sources

START = Family(
    "vcmon_meeting_start_timestamp_seconds",
    "gauge",
    "When the meeting begins; absent unless it is on, or begins within a day.",
)
READINESS = Family(
    "vcmon_meeting_readiness",
    "gauge",
    "1 for what would be said of the province if the roll were called now.",
)
REQUIRED = Family(
    "vcmon_meeting_required", "gauge", "1 if the meeting needs the province, 0 if it may stay away."
)

Called = tuple[Sitting, RollCall]


def meetings(sources: Sources) -> Iterator[str]:
    """The three families over the meetings that are coming, a roll a piece."""
    called: list[Called] = []
    for sitting in sources.coming():
        roll = sources.roll(sitting.id)
        if roll is not None:
            called.append((sitting, roll))
        yield ""
    yield START.head() + "".join(
        START.line(labels({"meeting": sitting.meeting.id}), sitting.start) for sitting, _ in called
    )
    yield READINESS.head()
    yield from map(_readiness, called)
    yield REQUIRED.head()
    yield from map(_required, called)


def _readiness(called: Called) -> str:
    return "".join(
        READINESS.line(
            f'{_inside(called[0], verdict.province)},readiness="{readiness.value}"',
            int(verdict.readiness is readiness),
        )
        for verdict in called[1].verdicts
        for readiness in Readiness
    )


def _required(called: Called) -> str:
    return "".join(
        REQUIRED.line(_inside(called[0], verdict.province), int(verdict.required))
        for verdict in called[1].verdicts
    )


def _inside(sitting: Sitting, province: str) -> str:
    return labels({"meeting": sitting.meeting.id, "province": province})
