"""What people do to a sitting: mark who is there, move it, call it off; audited each time."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from vcmon.config.text import clean, shown
from vcmon.history.deeds import Doer, NoSuchError
from vcmon.history.remarks import AUTHOR_MAX, RefusedError, Why, named
from vcmon.history.store import Store
from vcmon.model.meeting import Attendance, Meeting, Moved, Sitting
from vcmon.readiness import agenda

NOTE_MAX = 300
"""Characters of a mark's note: a line of the minutes."""

MARKS_MAX = 2_000
"""On one sitting: 38 provinces called fifty times; a script in a loop calls without end."""

EARLY, LATE = 86_400.0, 86_400.0
"""Seconds before the start from which, and after the end until which, somebody may be marked:
later it would be a memory of the meeting, not a record."""

LONGEST, SHORTEST = 86_400.0, 60.0
"""Seconds of a sitting that is moved."""

FAR = 366 * 86_400.0
"""Seconds ahead to which a sitting may be moved."""

MEETINGS_MAX = 500
"""Meetings that are not over: each look at the agenda goes through all of them."""

CHANGES_MAX = 500
"""Sittings of one meeting that are moved or left out: a daily one changed for two years."""

_NO_NAME = re.compile(r"[^a-z0-9]+")


def mark(store: Store, it: Sitting, said: Attendance, doer: Doer) -> Attendance:
    """Append the mark, as it is then kept. Raises RefusedError or sqlite3.Error."""
    kept = _fit(it, said)
    with store.transaction():
        if len(store.attendance(it.id)) >= MARKS_MAX:
            raise RefusedError(Why.FULL, f"{it.id} already has {MARKS_MAX} marks")
        store.keep_sitting(it)
        store.mark(kept)
        target = f"sitting:{it.id}/{kept.province}"
        store.audit(kept.at, doer.name, doer.role, f"mark {kept.presence}", target)
    return kept


def _fit(it: Sitting, said: Attendance) -> Attendance:
    if all(seat.province != said.province for seat in it.meeting.seats):
        raise RefusedError(
            Why.NOT_SEATED, f"province: {shown(said.province)} is not on the roster of {it.id}"
        )
    if not it.start - EARLY <= said.at <= it.stop + LATE:
        raise RefusedError(
            Why.NOT_NOW, f"{it.id} is marked from a day before it begins to a day after its end"
        )
    officer, note = clean(said.officer), clean(said.note)
    for what, text, most in (("officer", officer, AUTHOR_MAX), ("note", note, NOTE_MAX)):
        if len(text) > most:
            raise RefusedError(
                Why.LONG, f"{what}: expected at most {most} characters, found {len(text)}"
            )
    return replace(said, author=named(said.author), officer=officer, note=note)


def plan(store: Store, it: Meeting, taken: Collection[str], doer: Doer, now: float) -> Meeting:
    """Plan a meeting under an id that is not ``taken``. Raises as :func:`mark` does."""
    author = named(doer.name)
    if it.id in taken:
        raise RefusedError(
            Why.TAKEN, f"id: there is a meeting {it.id} already; name this one otherwise"
        )
    if agenda.following(it, now) is None:
        raise RefusedError(Why.PAST, "start: it never takes place after now")
    with store.transaction():
        if len(store.current_meetings(now)) >= MEETINGS_MAX:
            raise RefusedError(Why.FULL, f"there are {MEETINGS_MAX} meetings that are not over")
        store.put_meeting(it, author, now)
        store.audit(now, doer.name, doer.role, "plan", f"meeting:{it.id}")
    return replace(it, author=author)


def cancel(store: Store, meeting: Meeting, doer: Doer, now: float) -> Meeting:
    """Nothing of the meeting that begins after ``now`` takes place. Raises as :func:`mark` does."""

    def change(it: Meeting) -> Meeting:
        if it.cancelled_at is not None:
            raise RefusedError(Why.CALLED_OFF, f"{it.id} was called off already")
        return replace(it, cancelled_at=now)

    return _changed(store, meeting, change, (doer, now, "cancel"))


def cancel_sitting(store: Store, it: Sitting, doer: Doer, now: float) -> Meeting:
    """The sitting does not take place; others of its meeting do. Raises as :func:`mark` does."""
    _not_begun(it, now)

    def change(meeting: Meeting) -> Meeting:
        left = (*meeting.excluded, it.original)
        return replace(meeting, excluded=left, moved=_others(meeting, it))

    return _changed(store, it.meeting, change, (doer, now, "cancel"))


def move(store: Store, it: Sitting, to: tuple[float, float], doer: Doer, now: float) -> Meeting:
    """The sitting begins at ``to[0]`` and lasts ``to[1]`` seconds. Raises as :func:`mark` does."""
    start, seconds = to
    _not_begun(it, now)
    if not now <= start <= now + FAR:
        raise RefusedError(
            Why.PAST, "start: a sitting is moved to a time from now on, within a year"
        )
    if not SHORTEST <= seconds <= LONGEST:
        raise RefusedError(Why.LENGTH, "duration: expected 1m to 1d")

    def change(meeting: Meeting) -> Meeting:
        there = Moved(it.original, start, seconds)
        return replace(meeting, moved=(*_others(meeting, it), there))

    return _changed(store, it.meeting, change, (doer, now, "move"))


def meeting_of(meetings: Iterable[Meeting], name: str) -> Meeting:
    """The one of this id. Raises NoSuchError."""
    for each in meetings:
        if each.id == name:
            return each
    raise NoSuchError(f"no meeting {shown(name)}")


def sitting_of(meetings: Iterable[Meeting], name: str) -> Sitting:
    """The one of this id, as it is planned. Raises NoSuchError."""
    found = agenda.sitting(meetings, name)
    if found is None:
        raise NoSuchError(f"no sitting {shown(name)} in the agenda")
    return found


def _changed(
    store: Store,
    planned: Meeting,
    change: Callable[[Meeting], Meeting],
    deed: tuple[Doer, float, str],
) -> Meeting:
    """The next version of the meeting: of what is kept now, as somebody may have changed it since
    the agenda was read; of ``planned`` where it stands in the settings only.
    """
    doer, now, action = deed
    author = named(doer.name)
    with store.transaction():
        kept = store.meeting(planned.id)
        # Of another origin it is another meeting, which only bears the same name.
        last = kept if kept is not None and kept.origin is planned.origin else planned
        it = replace(change(last), author=author)
        if len(it.excluded) + len(it.moved) > CHANGES_MAX:
            raise RefusedError(
                Why.FULL, f"{it.id} has {CHANGES_MAX} changed sittings: plan it anew"
            )
        store.put_meeting(it, author, now)
        store.audit(now, doer.name, doer.role, action, f"meeting:{it.id}")
    return it


def _others(meeting: Meeting, it: Sitting) -> tuple[Moved, ...]:
    return tuple(each for each in meeting.moved if abs(each.original - it.original) >= 1)


def _not_begun(it: Sitting, now: float) -> None:
    if it.start <= now:
        raise RefusedError(Why.BEGUN, f"{it.id} has begun: what took place stays")


def free_id(title: str, taken: Collection[str]) -> str:
    """An id made of the title's words, that no other meeting has."""
    stem = _NO_NAME.sub("-", title.lower())[:32].strip("-") or "rapat"
    tried = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in tried if each not in taken)
