"""A past for every province, as the status page tells it."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from tests.fakes.meetings import first_of, weekly
from tests.fakes.snapshots import NOW, PROVINCES, World
from vcmon.history.ninety import NOTHING_SEEN, SHOWN, Day, Ninety
from vcmon.model.memory import Cause, Deed, Incident, Maintenance, Member, Occasion, Remark
from vcmon.model.result import Reason
from vcmon.model.status import Snapshot, State

WELL = Day(State.UP, 1.0, 0.0)


def days(random: Random, *, well: float = 0.9) -> tuple[Day, ...]:
    """Ninety days of which the first weeks were not watched; ``well`` is the share of good ones."""
    unseen = random.choice((0, 0, 7, 40))
    return (*[NOTHING_SEEN] * unseen, *(_day(random, well) for _ in range(SHOWN - unseen)))


def _day(random: Random, well: float) -> Day:
    if random.random() < well:
        return WELL
    worst = random.choice((State.DOWN, State.DOWN, State.DEGRADED, State.UNKNOWN))
    share = random.choice((0.01, 0.04, 0.1, 0.3))
    if worst is State.UNKNOWN:
        return Day(State.UP, 1.0 - share, share)
    return Day(worst, share, random.choice((0.0, 0.0, 0.2)))


def ninety(*, well: float = 0.9, seed: int = 90) -> dict[str, Ninety]:
    """Of every province and the Centre."""
    random = Random(seed)
    return {slug: _ninety(random, well) for slug in PROVINCES}


def _ninety(random: Random, well: float) -> Ninety:
    made = days(random, well=well)
    lost = sum(day.worst is State.DOWN for day in made)
    ratio = Fraction(100_000 - random.randrange(3000) * bool(lost), 100_000)
    longest = random.uniform(300, 80_000) if lost else 0.0
    return Ninety(made, ratio, lost, longest, NOW - random.uniform(0, 80) * 86400 if lost else 0.0)


def ended(number: int, *slugs: str, cause: Cause | None = None) -> Incident:
    """An incident that ended some hours ago."""
    start, stop = NOW - 3600 * (number + 2), NOW - 3600 * number
    members = tuple(Member(f"province:{slug}", start, stop) for slug in slugs)
    said = (Remark(stop, "Budi", Deed.CLOSE, cause=cause),) if cause else ()
    owner = f"endpoint:{slugs[0]}-router"
    return Incident(number, owner, start, start + 9, stop, Reason.TIMEOUT, members, remarks=said)


def going_on(number: int, slug: str, *remarks: Remark) -> Incident:
    """An incident that goes on, of one province."""
    members = (
        Member(f"endpoint:{slug}-codec", NOW - 754, None),
        Member(f"province:{slug}", NOW - 754, None),
    )
    begun = NOW - 754
    owner = f"endpoint:{slug}-codec"
    return Incident(number, owner, begun, begun + 6, None, Reason.SERVICE, members, remarks=remarks)


def window(scope: str, days: float, hours: float, title: str = "Penggantian router") -> Occasion:
    """Planned maintenance so many days from now."""
    start = NOW + days * 86400
    it = Maintenance(1, scope, title, start, hours * 3600)
    return Occasion(it, start, start + hours * 3600)


def eventful(snapshot: Snapshot) -> World:
    """A world with all that a page can tell: bars, plans, who is on it, what is over."""
    ack = Remark(NOW - 600, "Sari Wulandari", Deed.ACK, "Teknisi menuju lokasi", "INC-2291")
    slugs = [one.province.slug for one in snapshot.provinces]
    return World(
        snapshot,
        ninety=ninety(),
        incidents=tuple(
            going_on(40 + place, slug, *([ack] if place % 2 == 0 else []))
            for place, slug in enumerate(("sulawesi-selatan", "maluku-utara", *slugs))
        ),
        closed=tuple(
            ended(number, *slugs[number : 2 * number], cause=Cause.CABLE if number % 2 else None)
            for number in range(1, 12)
        ),
        planned=tuple(window(f"province:{slug}", 0.5 * n, 3) for n, slug in enumerate(slugs[:12])),
        coming=(first_of(weekly()),),
    )
