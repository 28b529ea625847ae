"""The roll of one sitting as a table in words: the verdicts of now, those that were kept, and who
was called. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from vcmon.config.settings import Settings
from vcmon.model.endpoint import CONFERENCE_ROLES
from vcmon.model.meeting import Attendance, Readiness, RollCall, Sitting, Verdict
from vcmon.model.province import Province
from vcmon.readiness.forecast import Forecast
from vcmon.views import meeting_words as told
from vcmon.views import words
from vcmon.views.tongue import Tongue


@dataclass(frozen=True, slots=True)
class Look:
    """What words are made with, whoever is spoken of."""

    now: float
    tongue: Tongue
    provinces: Mapping[str, Province]
    contacts: Mapping[str, str]  # by a province's slug
    chances: Mapping[str, Forecast] = field(default_factory=dict)  # likewise; before the start

    def name(self, slug: str) -> str:
        """The province's name; of one that the inventory lacks its slug."""
        known = self.provinces.get(slug)
        return self.tongue.province(known) if known else words.clean(slug)

    def zone(self, slug: str) -> ZoneInfo:
        """By whose clock a province reads its times."""
        known = self.provinces.get(slug)
        return ZoneInfo(known.timezone) if known else words.WIB


@dataclass(frozen=True, slots=True)
class Cell:
    """One verdict in a sign and a word; both "" where none was given."""

    glyph: str
    word: str


NOT_TAKEN = Cell("", "")


@dataclass(frozen=True, slots=True)
class Column:
    """A checkpoint: its name, and how many were ready; "" while it was not kept."""

    name: str
    tally: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody found when calling a province."""

    presence: str  # its value
    word: str
    at: str
    author: str
    officer: str
    note: str


@dataclass(frozen=True, slots=True)
class Line:
    """One province of the roster."""

    slug: str
    name: str
    zone: str
    required: bool
    readiness: str  # its value
    now: Cell
    reason: str
    advice: str
    contact: str
    kept: tuple[Cell, ...]  # by checkpoint
    mark: Mark | None
    usual: told.Usual | None = None  # how it mostly is at this weekday and hour


@dataclass(frozen=True, slots=True)
class Table:
    """The whole roll."""

    tally: str
    at: str  # when the verdicts were given; "" for none
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    room: Line | None
    present: int
    missing: int  # provinces that nobody has called yet
    forecast: bool  # a line at least tells how it usually is


def contacts_of(settings: Settings) -> Mapping[str, str]:
    """Whom to call in each province: the contact of its conference equipment, else of any."""
    found: dict[str, str] = {}
    # Those that go last win.
    for each in sorted(settings.endpoints, key=lambda it: it.role in CONFERENCE_ROLES):
        if each.contact:
            found[each.province] = words.clean(each.contact)
    return found


def latest(marks: Iterable[Attendance]) -> dict[str, Attendance]:
    """The mark that counts of each province: the last one."""
    return {mark.province: mark for mark in marks}


def shown_roll(sitting: Sitting, live: RollCall | None, kept: Sequence[RollCall]) -> RollCall:
    """The roll to tell: that of now, else the last that was kept, else nobody measured."""
    if live is not None and not live.missed:
        return live
    called = [each for each in kept if not each.missed]
    if called:
        return max(called, key=lambda roll: roll.at)
    return RollCall(sitting.id, 0.0, None, unmeasured(sitting))


def unmeasured(sitting: Sitting) -> tuple[Verdict, ...]:
    """The roster, nobody judged."""
    seats = sorted(sitting.meeting.seats, key=lambda seat: not seat.required)
    return tuple(Verdict(s.province, s.required, Readiness.UNMEASURED) for s in seats)


def table_of(
    sitting: Sitting,
    live: RollCall | None,
    kept: Sequence[RollCall],
    marks: Sequence[Attendance],
    look: Look,
) -> Table:
    """Everything that the page of a sitting tells of its roster."""
    roll = shown_roll(sitting, live, kept)
    # What was called for another start, before the sitting was moved, is no checkpoint of this one.
    mine = [each for each in kept if abs(each.start - sitting.start) < 1]
    by_checkpoint = {each.checkpoint: each for each in mine}
    taken = [by_checkpoint.get(each) for each in sitting.meeting.checkpoints]
    counted = latest(marks)
    lines = tuple(_line(verdict, taken, counted, look) for verdict in roll.verdicts)
    present = sum(line.mark is not None and line.mark.presence == "hadir" for line in lines)
    return Table(
        tally=told.tally_of(roll, look.tongue) if roll.at else "",
        at=look.tongue.moment(roll.at, look.now) if roll.at else "",
        columns=tuple(
            Column(told.checkpoint_of(seconds, look.tongue), _taken(each, look.tongue))
            for seconds, each in zip(sitting.meeting.checkpoints, taken, strict=True)
        ),
        lines=lines,
        room=_line(roll.room, (), {}, look) if roll.room else None,
        present=present,
        missing=sum(line.mark is None for line in lines),
        forecast=any(line.usual for line in lines),
    )


def _taken(roll: RollCall | None, tongue: Tongue) -> str:
    if roll is None:
        return ""
    return tongue.say("terlewat") if roll.missed else f"{roll.ready}/{len(roll.verdicts)}"


def _line(
    verdict: Verdict,
    taken: Sequence[RollCall | None],
    marks: Mapping[str, Attendance],
    look: Look,
) -> Line:
    slug, tongue = verdict.province, look.tongue
    zone, mark, chance = look.zone(slug), marks.get(slug), look.chances.get(slug)
    local = words.local_time(look.now, zone)
    return Line(
        slug=slug,
        name=look.name(slug),
        zone=(local and local.tzname()) or "",
        required=verdict.required,
        readiness=verdict.readiness.value,
        now=_cell(verdict, tongue),
        reason=words.sentence(told.reason_of(verdict, look.now, tongue, zone)),
        advice=words.sentence(told.advice_of(verdict, tongue)),
        contact=look.contacts.get(slug, ""),
        kept=tuple(_cell(_of(each, slug), tongue) for each in taken),
        mark=mark_of(mark, look) if mark else None,
        usual=told.usual_of(chance, tongue) if chance else None,
    )


def _of(roll: RollCall | None, slug: str) -> Verdict | None:
    verdicts = roll.verdicts if roll else ()
    return next((each for each in verdicts if each.province == slug), None)


def _cell(verdict: Verdict | None, tongue: Tongue) -> Cell:
    if verdict is None:
        return NOT_TAKEN
    glyph = told.GLYPHS[verdict.readiness].value
    return Cell(glyph, tongue.say(told.READINESS[verdict.readiness]))


def mark_of(mark: Attendance, look: Look) -> Mark:
    """One mark in words, its time by Jakarta's clock."""
    return Mark(
        presence=mark.presence.value,
        word=look.tongue.say(told.PRESENCES[mark.presence]),
        at=look.tongue.moment(mark.at, look.now),
        author=words.clean(mark.author, 80),
        officer=words.clean(mark.officer, 80),
        note=words.clean(mark.note, 300),
    )
