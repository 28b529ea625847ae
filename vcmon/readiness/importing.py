"""What a calendar file changes in what is planned; pure, but for :func:`carry_out`.

By UID: an event that is known changes its meeting, a newer one (SEQUENCE) replaces it, the very
same changes nothing. What is no meeting is left out, and told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vcmon.config.meetings import LONGEST, SHORTEST, seats_of
from vcmon.history.deeds import Doer
from vcmon.history.remarks import RefusedError, Why, named
from vcmon.history.store import Store
from vcmon.model.meeting import Meeting, Moved, Origin, Seat
from vcmon.readiness import agenda
from vcmon.readiness.calling import CHANGES_MAX, MEETINGS_MAX, free_id
from vcmon.readiness.events import Event


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a calendar does not say. ``seats`` and ``room`` None: as they are, or all and none."""

    seats: tuple[Seat, ...] | None = None
    room: str | None = None
    only: str = ""  # events with these words in their title


@dataclass(frozen=True, slots=True)
class Note:
    """Why an event is left out, or how it was understood."""

    line: int
    title: str
    what: str


@dataclass(frozen=True, slots=True)
class Change:
    """One meeting's next version."""

    deed: str  # import, change, cancel
    meeting: Meeting


@dataclass(slots=True)
class Outcome:
    """What an import does: ``same`` are meetings that it leaves as they are."""

    changes: list[Change] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    same: int = 0


def decide(
    events: Sequence[Event], known: Sequence[Meeting], wishes: Wishes, now: float
) -> Outcome:
    """What these events change of the meetings that are known.

    Raises RefusedError where there would be too many.
    """
    outcome = Outcome()
    desk = _Desk({each.id for each in known}, wishes, now, outcome)
    by_uid = {each.uid: each for each in known if each.uid}
    series: dict[str, list[Event]] = {}
    for event in events:
        if wishes.only.casefold() in event.title.casefold():
            series.setdefault(event.uid, []).append(event)
    for uid, parts in series.items():
        desk.take(parts, by_uid.get(uid))
    coming = sum(agenda.following(each, now) is not None for each in known)
    new = sum(each.deed == "import" for each in outcome.changes)
    if coming + new > MEETINGS_MAX:
        raise RefusedError(
            Why.FULL,
            f"{new} new meetings beside {coming} that are not over: expected at most "
            f"{MEETINGS_MAX} in all; take in some of them by --only",
        )
    return outcome


def carry_out(store: Store, outcome: Outcome, doer: Doer, now: float) -> None:
    """Write every change with its entry in the trail, or nothing. Raises sqlite3.Error."""
    author = named(doer.name)
    with store.transaction():
        for each in outcome.changes:
            store.put_meeting(each.meeting, author, now)
            store.audit(now, doer.name, doer.role, each.deed, f"meeting:{each.meeting.id}")


@dataclass(slots=True)
class _Desk:
    """Takes one UID's events after the other."""

    taken: set[str]
    wishes: Wishes
    now: float
    outcome: Outcome

    def take(self, events: list[Event], old: Meeting | None) -> None:
        """All events of one UID: the series, and those that stand for one of its times."""
        masters = sorted((e for e in events if e.replaces is None), key=lambda e: e.sequence)
        single = _newest(event for event in events if event.replaces is not None)
        if not masters:
            self._singles(list(single.values()), old)
            return
        for other in masters[:-1]:
            self._note(other, "another version of it stands in the file: left out")
        master = masters[-1]
        if old is not None and master.sequence < old.sequence:
            self._note(master, f"older than what is known (SEQUENCE {old.sequence}): left out")
        elif master.cancelled:
            self._cancel(master, old)
        elif self._is_a_meeting(master):
            self._plan(master, self._drawn(master, old), single, old)

    def _plan(
        self, it: Event, drawn: Meeting, single: Mapping[float, Event], old: Meeting | None
    ) -> None:
        meeting = self._with_singles(drawn, single.values())
        if len(meeting.excluded) + len(meeting.moved) + len(meeting.added) > 2 * CHANGES_MAX:
            self._note(it, f"more than {CHANGES_MAX} of its times are changed: left out")
        elif old is None and agenda.following(meeting, self.now) is None:
            self._note(it, "over already: left out")
        else:
            if it.floating:
                clock = datetime.fromtimestamp(it.start or 0.0, ZoneInfo(it.zone))
                self._note(it, f"its times have no zone: taken as {clock:%H.%M %Z}")
            self._put(meeting, old)

    def _put(self, meeting: Meeting, old: Meeting | None) -> None:
        if old is None:
            self.taken.add(meeting.id)
            self.outcome.changes.append(Change("import", meeting))
        elif replace(meeting, author=old.author) == old:
            self.outcome.same += 1
        else:
            self.outcome.changes.append(Change("change", meeting))

    def _cancel(self, it: Event, old: Meeting | None) -> None:
        if old is None:
            self._note(it, "called off, and not known here: left out")
        elif old.cancelled_at is not None:
            self.outcome.same += 1
        else:
            gone = replace(old, cancelled_at=self.now, sequence=it.sequence)
            self.outcome.changes.append(Change("cancel", gone))

    def _singles(self, events: list[Event], old: Meeting | None) -> None:
        """Without the series that they belong to: a change of it, or all that we were told."""
        if old is not None:
            self._put(self._with_singles(old, events), old)
            return
        planned = [each for each in events if not each.cancelled and self._is_a_meeting(each)]
        if not planned:
            for each in events:
                self._note(each, "changes a series that is not known here: left out")
            return
        first = planned[0]
        drawn = replace(self._drawn(first, None), start=first.replaces or 0.0)
        single = {each.replaces or 0.0: each for each in events}
        self._plan(first, drawn, single, None)

    def _is_a_meeting(self, it: Event) -> bool:
        whys = (
            (it.all_day, "it lasts the whole day, and a meeting has a time: left out"),
            (it.seconds == 0, "it does not say when it ends (DTEND): left out"),
            (it.seconds < SHORTEST, "shorter than a minute: left out"),
            (it.seconds > LONGEST, "longer than a day, and a meeting has a time: left out"),
        )
        why = next((what for wrong, what in whys if wrong), "")
        if why:
            self._note(it, why)
        return not why

    def _drawn(self, it: Event, old: Meeting | None) -> Meeting:
        """The meeting of the event; what the calendar does not say is as it was."""
        title = it.title or "Rapat"
        others = [(at, seconds or it.seconds) for at, seconds in it.added]
        base = old or Meeting(free_id(title, self.taken), title, 0.0, 0.0, seats_of(("all",), ()))
        return replace(
            base,
            title=title,
            start=it.start or 0.0,
            seconds=it.seconds,
            seats=base.seats if self.wishes.seats is None else self.wishes.seats,
            organiser=it.organiser,
            room=base.room if self.wishes.room is None else self.wishes.room,
            zone=it.zone,
            rule=it.rule,
            excluded=it.excluded,
            added=tuple(at for at, _ in others),
            moved=tuple(Moved(at, at, s) for at, s in others if s != it.seconds),
            origin=Origin.CALENDAR,
            uid=it.uid,
            sequence=it.sequence,
            cancelled_at=None,
        )

    def _with_singles(self, meeting: Meeting, events: Collection[Event]) -> Meeting:
        moved = {each.original: each for each in meeting.moved}
        gone, added = set(meeting.excluded), list(meeting.added)
        plain = replace(meeting, excluded=(), moved=(), cancelled_at=None)
        for each in events:
            original = each.replaces or 0.0
            moved.pop(original, None)
            gone.discard(original)
            if each.cancelled:
                gone.add(original)
                continue
            if each.start is None or each.all_day or each.seconds > LONGEST:
                self._note(each, "one of its times lasts days: that one stays as planned")
                continue
            seconds = each.seconds or meeting.seconds
            if not any(
                one.start == original for one in agenda.sittings([plain], original, original + 1)
            ):
                added.append(original)
            if (each.start, seconds) != (original, meeting.seconds):
                moved[original] = Moved(original, each.start, seconds)
        return replace(
            meeting,
            excluded=tuple(sorted(gone)),
            added=tuple(dict.fromkeys(added)),
            moved=tuple(sorted(moved.values(), key=lambda one: one.original)),
        )

    def _note(self, it: Event, what: str) -> None:
        self.outcome.notes.append(Note(it.line, it.title, what))


def _newest(events: Iterator[Event]) -> Mapping[float, Event]:
    """Of several that stand for the same time, the one with the highest SEQUENCE, else the last."""
    found: dict[float, Event] = {}
    for each in events:
        original = each.replaces or 0.0
        if original not in found or each.sequence >= found[original].sequence:
            found[original] = each
    return found
