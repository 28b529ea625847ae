"""What becomes of a meeting, and who is told that somebody can't join it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.dashboards.story import Edge, Firing, Story, texts

READINESS = ("siap", "berisiko", "tidak_siap", "belum_terukur")
START = 2100
"""Second of the meeting's start; half an hour before it is second 300."""

MEETING = {"meeting": "mingguan"}


def joining(
    story: Story, slug: str, edges: Iterable[Edge], *, required: int = 1, by: str = "abc"
) -> Story:
    """A province of the roster, as these vantages would call it."""
    for vantage in by:
        where = {"vantage": vantage, "meeting": "mingguan", "province": slug}
        for readiness in READINESS:
            said = [(at, None if now is None else int(now == readiness)) for at, now in edges]
            story.put("vcmon_meeting_readiness", {**where, "readiness": readiness}, said)
        story.put("vcmon_meeting_required", where, [(0, required), *_end(edges)])
    return story


def _end(edges: Iterable[Edge]) -> list[Edge]:
    return [(at, None) for at, now in edges if now is None]


def about(name: str, *fires: Firing, over: int | None = None) -> Story:
    """A meeting that three vantages know of, until it is over."""
    story = Story(name, 2400, fires)
    edges: list[Edge] = [(0, START), *([] if over is None else [(over, None)])]
    for vantage in "abc":
        story.vantage(vantage)
        labels = {"vantage": vantage, "meeting": "mingguan"}
        story.put("vcmon_meeting_start_timestamp_seconds", labels, edges)
    return story


def stories() -> Iterable[Story]:
    """VcmonMeetingAtRisk."""
    says = texts(
        "mingguan: 2 required provinces can't join", "Not ready, or not measured: aceh papua "
    )
    page = "vcmon-meeting/vcmon-meeting?var-meeting=mingguan"
    story = about(
        "missing since long: told from half an hour before the start, one for both",
        Firing("VcmonMeetingAtRisk", 330, 1230, MEETING, says, page),
    )
    joining(story, "aceh", ((0, "tidak_siap"), (1200, "siap")))
    joining(story, "papua", ((0, "belum_terukur"), (1230, "berisiko")))
    yield joining(story, "bali", ((0, "siap"),))
    story = about(
        "falls in the meeting: told until it is over",
        Firing("VcmonMeetingAtRisk", 2180, 2300, MEETING),
        over=2300,
    )
    yield joining(story, "aceh", ((0, "siap"), (2150, "tidak_siap"), (2300, None)))
    story = about("who need not come, or is only at risk, is nobody's alarm")
    joining(story, "aceh", ((0, "tidak_siap"),), required=0)
    yield joining(story, "bali", ((0, "berisiko"),))
    story = about("one vantage that is wrong tells nobody")
    joining(story, "aceh", ((0, "tidak_siap"),), by="a")
    yield joining(story, "aceh", ((0, "siap"),), by="bc")
    story = about("away for less than half a minute")
    yield joining(story, "aceh", ((0, "siap"), (600, "tidak_siap"), (625, "siap")))
