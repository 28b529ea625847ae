"""A country that is about to meet, or meets, or has met: agenda, verdicts, kept rolls, marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.fakes.inventory import endpoint
from tests.fakes.signing import enrol
from tests.fakes.snapshots import NOW, PROVINCES, World, mixed
from vcmon.config.settings import Settings, Web
from vcmon.history.store import Store
from vcmon.model.meeting import (
    Attendance,
    Doubt,
    Meeting,
    Presence,
    Readiness,
    RollCall,
    Seat,
    Sitting,
    Verdict,
)
from vcmon.model.memory import Interval
from vcmon.model.result import Blame, Reason
from vcmon.model.status import State
from vcmon.readiness import agenda

SLUGS = tuple(slug for slug in PROVINCES if slug != "pusat")
OPTIONAL = frozenset({"papua-pegunungan", "papua-tengah"})

START = NOW - 667.0 + 3000.0 - 360.0  # 10.14 WIB: 33 minutes from NOW


def weekly(start: float = START, **more: Any) -> Meeting:
    """All provinces, every Monday for ninety minutes; two need not come."""
    seats = tuple(Seat(slug, slug not in OPTIONAL) for slug in SLUGS)
    told: dict[str, Any] = {
        "id": "mingguan",
        "title": "Rapat Pusat dan Daerah",
        "start": start,
        "seconds": 5400.0,
        "seats": seats,
        "organiser": "Direktorat Jenderal Bina Administrasi Kewilayahan",
        "room": "mcu-pusat",
        "rule": "FREQ=WEEKLY;BYDAY=MO",
    }
    return Meeting(**(told | more))


def verdicts(meeting: Meeting, doubts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Everybody ready but those; worst first."""
    order = [Readiness.NOT_READY, Readiness.UNMEASURED, Readiness.AT_RISK, Readiness.READY]
    special = {each.province: each for each in doubts}
    found = [
        special.get(seat.province) or Verdict(seat.province, seat.required, Readiness.READY)
        for seat in meeting.seats
    ]
    return tuple(sorted(found, key=lambda v: (not v.required, order.index(v.readiness))))


LOST = Verdict(
    "sulawesi-selatan", True, Readiness.NOT_READY, Doubt.DOWN, "sulsel-codec", since=NOW - 754
)
BEHIND = Verdict(
    "papua", True, Readiness.NOT_READY, Doubt.UNREACHABLE, "papua-router", since=NOW - 190
)
LOSSY = Verdict("kalimantan-utara", True, Readiness.AT_RISK, Doubt.LOSS, value=0.034, limit=0.01)
UNSEEN = Verdict("papua-tengah", False, Readiness.UNMEASURED, Doubt.UNKNOWN)

EVERY_DOUBT = tuple(
    Verdict(
        slug,
        True,
        Readiness.NOT_READY if doubt in {Doubt.DOWN, Doubt.UNREACHABLE} else Readiness.AT_RISK,
        doubt,
        endpoint=f"{slug}-router",
        check="sip",
        since=NOW - 600,
        value=0.034,
        limit=0.01,
    )
    for slug, doubt in zip(SLUGS, list(Doubt)[1:], strict=False)
)


def roll_of(
    it: Sitting, doubts: Iterable[Verdict], at: float, checkpoint: float | None = None
) -> RollCall:
    """The roll with these doubts."""
    room = Verdict("pusat", True, Readiness.READY, endpoint="mcu-pusat")
    return RollCall(it.id, at, checkpoint, verdicts(it.meeting, doubts), room, it.start)


def first_of(meeting: Meeting) -> Sitting:
    """Its sitting that is on at NOW, or was the last within a day, or is the next."""
    return agenda.sittings([meeting], NOW - 86400, NOW + 8 * 86400)[0]


def meeting_world(folder: Path, meeting: Meeting | None = None, now: float = NOW) -> World:
    """Signed-in people, a live roll with three doubts, and the first checkpoints' kept ones."""
    it = World(mixed(), now=now, file=folder / "m.db")
    planned = meeting or weekly()
    sitting = first_of(planned)
    enrol(folder / "users")
    it.agenda, it.coming = (planned,), (sitting,)
    it.rolls = {sitting.id: roll_of(sitting, (LOST, BEHIND, LOSSY, UNSEEN), now - 2)}
    contacts = [
        replace(endpoint(f"{slug}-codec", "icmp", province=slug), contact=f"Piket {slug} 0811-0000")
        for slug in SLUGS[::2]
    ]
    it.settings = Settings(
        endpoints=(endpoint("a", "icmp"), *contacts),
        provinces=it.settings.provinces,
        web=Web(users_file=str(folder / "users")),
    )
    keep(folder / "m.db", sitting, now)
    return it


def keep(path: Path, it: Sitting, now: float, marks: Sequence[Attendance] = ()) -> None:
    """The memory as it is at ``now``: every checkpoint that has passed, who was called, and what
    dropped during the sitting.
    """
    store = Store.open(path)
    with store.transaction():
        store.keep_sitting(it)
        for index, checkpoint in enumerate(it.meeting.checkpoints):
            at = it.start - checkpoint
            if at <= now:
                doubts = (LOST, BEHIND, LOSSY, UNSEEN)[index:]
                store.keep_roll(roll_of(it, doubts, at, checkpoint))
        for mark in marks:
            store.mark(mark)
        for slug in SLUGS:
            for interval in _past(slug, it, now):
                store.put(interval)
        store.beat(now)
    store.close()


def remember(path: Path, it: Sitting, weeks: int = 52, daily: int = 0) -> int:
    """So many weeks before the sitting, of each province; to be written before anything else.
    Every tenth week, each province on another, it was down at that hour; besides, it drops so
    often a day for ten minutes. Returns how many intervals that are.
    """
    store, count = Store.open(path), 0
    with store.transaction():
        for place, slug in enumerate(SLUGS):
            for interval in _weeks(f"province:{slug}", place, (it.start, weeks, daily)):
                store.put(interval)
                count += 1
    store.close()
    return count


def _weeks(series: str, place: int, told: tuple[float, int, int]) -> Iterator[Interval]:
    start, weeks, daily = told
    yield _interval(series, start - weeks * 604_800 - 7200, State.UP)
    for day in range(7 * weeks, 1, -1):
        at = start - day * 86_400
        drops = [at + 7200 + 3600 * hour for hour in range(daily)]
        if day % 70 == 7 * (place % 10):
            drops.insert(0, at - 1200)
        for drop in drops:
            yield _interval(series, drop, State.DOWN)
            yield _interval(series, drop + (1800 if drop < at else 600), State.UP)


def _past(slug: str, it: Sitting, now: float) -> list[Interval]:
    """Up since yesterday; Aceh drops ten minutes after the start for 125 seconds."""
    series = f"province:{slug}"
    found = [_interval(series, it.start - 86400, State.UP)]
    if slug == "aceh" and now > it.start + 600:
        found.append(_interval(series, it.start + 600, State.DOWN))
        if now > it.start + 725:
            found.append(_interval(series, it.start + 725, State.UP))
    return found


def _interval(series: str, at: float, state: State) -> Interval:
    reason = Reason.OK if state is State.UP else Reason.TIMEOUT
    return Interval(series, at, None, state, reason, Blame.NONE, known_at=at)


def marked(it: Sitting, slug: str, presence: Presence, **more: Any) -> Attendance:
    """Somebody was called."""
    told: dict[str, Any] = {"at": it.start - 300, "author": "budi"} | more
    return Attendance(it.id, slug, presence=presence, **told)
