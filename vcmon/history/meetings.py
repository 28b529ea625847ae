"""The part of the store that holds meetings: as planned, as called, and who was there.

What is planned is appended, version by version; the last one counts. A sitting is kept as it was
when its roll was first called, so that it can be told of whatever becomes of its meeting; moved to
another time it is called, and kept, anew. Rolls, kept sittings and marks stay for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from vcmon.config.recurrence import ends
from vcmon.history.base import Base, ms, ms_or_none, seconds
from vcmon.history.meeting_hours import as_held
from vcmon.model.meeting import Attendance, Meeting, Origin, Presence, RollCall, Sitting

_MEETING, _SITTING, _ROLL = TypeAdapter(Meeting), TypeAdapter(Sitting), TypeAdapter(RollCall)

_LAST = """
    SELECT told FROM meeting
    WHERE version IN (SELECT max(version) FROM meeting GROUP BY name)
"""


class Meetings(Base):
    """Reads and writes meetings: nothing of what was written ever changes."""

    # ---- as planned

    def put_meeting(self, meeting: Meeting, author: str, at: float) -> None:
        """Append a version of the meeting: from now on this one counts, under its author's name."""
        told = _MEETING.dump_json(replace(meeting, author=author)).decode()
        self.db.execute(
            "INSERT INTO meeting (name, at, author, over, told) VALUES (?, ?, ?, ?, ?)",
            (meeting.id, ms(at), author, ms_or_none(over_at(meeting)), told),
        )

    def meetings(self) -> list[Meeting]:
        """All that were ever planned by people or imported, cancelled ones too, the oldest first;
        each by its last version.
        """
        rows = self.db.execute(_LAST + "ORDER BY version")
        return [_MEETING.validate_json(told) for (told,) in rows]

    def current_meetings(self, since: float) -> list[Meeting]:
        """Those of them of which something may go on at ``since`` or later."""
        rows = self.db.execute(
            _LAST + "AND (over IS NULL OR over > ?) ORDER BY version", (ms(since),)
        )
        return [_MEETING.validate_json(told) for (told,) in rows]

    def meeting(self, id: str) -> Meeting | None:  # noqa: A002  it is called so everywhere
        """The last version of the one of this id."""
        row = self.db.execute(
            "SELECT told FROM meeting WHERE name = ? ORDER BY version DESC LIMIT 1", (id,)
        ).fetchone()
        return None if row is None else _MEETING.validate_json(row[0])

    # ---- as called

    def keep_sitting(self, sitting: Sitting) -> bool:
        """Keep the sitting as it is now, with its meeting: True if none of this start was kept."""
        return self._new(
            "INSERT OR IGNORE INTO sitting (id, start, stop, told) VALUES (?, ?, ?, ?)",
            (
                *(sitting.id, ms(sitting.start), ms(sitting.stop)),
                _SITTING.dump_json(sitting).decode(),
            ),
        )

    def kept_sitting(self, id: str) -> Sitting | None:  # noqa: A002
        """The sitting as it was when its roll was first called, at its last start."""
        row = self.db.execute(
            "SELECT told FROM sitting WHERE id = ? ORDER BY version DESC LIMIT 1", (id,)
        ).fetchone()
        return None if row is None else _SITTING.validate_json(row[0])

    def kept_sittings(self, low: float, high: float, most: int = 100) -> list[Sitting]:
        """The last ones that began within ``[low, high)``, the latest first."""
        rows = self.db.execute(
            """SELECT told FROM sitting
            WHERE version IN (SELECT max(version) FROM sitting GROUP BY id)
            AND start >= ? AND start < ? ORDER BY start DESC, id LIMIT ?""",
            (ms(low), ms(high), most),
        )
        return [_SITTING.validate_json(told) for (told,) in rows]

    def held_sittings(self, low: float, high: float, most: int) -> list[Sitting]:
        """Of those the ones that took place: without what was called off after its roll was
        called, and what was moved then at its new time.
        """
        kept = self.kept_sittings(low, high, most)
        last = {name: self.meeting(name) for name in {each.meeting.id for each in kept}}
        held = (as_held(each, last[each.meeting.id]) for each in kept)
        return [each for each in held if each is not None]

    def keep_roll(self, roll: RollCall) -> bool:
        """Keep the roll of a checkpoint: True if it was new, else the one that is kept stays; one
        that was called for another start is another.

        The sitting is kept beside it by :meth:`keep_sitting`. Raises ValueError for a roll of no
        checkpoint: what is called now and then is kept nowhere.
        """
        if roll.checkpoint is None:
            raise ValueError("only a checkpoint's roll is kept")
        return self._new(
            "INSERT OR IGNORE INTO roll VALUES (?, ?, ?, ?, ?)",
            (
                *(roll.sitting, ms(roll.start), ms(roll.checkpoint), ms(roll.at)),
                _ROLL.dump_json(roll).decode(),
            ),
        )

    def rolls(self, sitting_id: str) -> list[RollCall]:
        """The rolls that are kept of a sitting, start by start, each in the order of checkpoints:
        where it was moved, those for the earlier start too.
        """
        rows = self.db.execute(
            "SELECT told FROM roll WHERE sitting = ? ORDER BY start, checkpoint DESC",
            (sitting_id,),
        )
        return [_ROLL.validate_json(told) for (told,) in rows]

    def _new(self, insert: str, values: tuple[object, ...]) -> bool:
        return self.db.execute(insert, values).rowcount == 1

    # ---- who was there

    def mark(self, attendance: Attendance) -> None:
        """Append a mark; the last one of a province counts."""
        it = attendance
        self.db.execute(
            """INSERT INTO attendance (sitting, province, at, presence, author, officer, note)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (it.sitting, it.province, ms(it.at), it.presence, it.author, it.officer, it.note),
        )

    def attendance(self, sitting_id: str) -> list[Attendance]:
        """Every mark of a sitting, oldest first."""
        rows = self.db.execute(
            """SELECT sitting, province, at, presence, author, officer, note
            FROM attendance WHERE sitting = ? ORDER BY id""",
            (sitting_id,),
        )
        return [
            Attendance(name, province, seconds(at), Presence(presence), author, officer, note)
            for name, province, at, presence, author, officer, note in rows
        ]


def over_at(meeting: Meeting) -> float | None:
    """A time after which nothing of the meeting goes on; None while it has no end."""
    last: float | None = meeting.start
    if meeting.rule:
        last = ends(meeting.rule, datetime.fromtimestamp(meeting.start, ZoneInfo(meeting.zone)))
    if meeting.cancelled_at is not None:
        last = meeting.cancelled_at if last is None else min(last, meeting.cancelled_at)
    if last is None:
        return None
    moves = (each.start + each.seconds for each in meeting.moved)
    return max(*(at + meeting.seconds for at in (last, *meeting.added)), last, *moves)


def combined(settled: Iterable[Meeting], said: Iterable[Meeting]) -> tuple[Meeting, ...]:
    """All that is planned: the settings' meetings with what people moved and called off of them,
    then people's own. One of theirs that has the name of one of the settings waits for another.
    """
    changes = {each.id: each for each in said}
    mine = [_changed(each, changes.pop(each.id, each)) for each in settled]
    own = (each for each in changes.values() if each.origin is not Origin.SETTINGS)
    return (*mine, *own)


def _changed(settled: Meeting, said: Meeting) -> Meeting:
    if said.origin is not Origin.SETTINGS:
        return settled
    return replace(
        settled, excluded=said.excluded, moved=said.moved, cancelled_at=said.cancelled_at
    )
