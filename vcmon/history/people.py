"""The part of the store that people speak of: incidents, remarks, maintenance, frozen months."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from vcmon.history.base import Base, ms, ms_or_none, seconds, seconds_or_none
from vcmon.model.meeting import Meeting
from vcmon.model.memory import (
    VCMON,
    Amendment,
    Cause,
    Counted,
    Deed,
    Entry,
    Incident,
    Maintenance,
    Member,
    Remark,
)
from vcmon.model.result import Reason

_INCIDENT = "SELECT id, owner, start, known_at, stop, reason, reopened, merged_into FROM incident "
_AMENDMENT = """
    SELECT month, series, at, author, reason, milliseconds, source, target, outages, signature
    FROM amendment
"""


REMEMBERED = 86_400.0
"""Seconds after its end in which an incident may still come back: the longest ``reopen``."""

FAR = 1e11  # a time later than all


@dataclass(frozen=True, slots=True)
class Said:
    """What people said that the daemon has to know of; made anew when somebody has written."""

    incidents: tuple[Incident, ...] = ()  # those that go on, or went on within the last day
    maintenance: tuple[Maintenance, ...] = ()
    meetings: tuple[Meeting, ...] = ()  # of which something is to come, or was within the last day


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents somebody asks for: the newest ``most`` that fit."""

    start: float = 0.0
    stop: float = FAR
    most: int = 100
    open: bool = False  # only those that go on
    subjects: tuple[str, ...] | None = None  # with one of these series among their members
    over: bool = False  # only those that have ended
    cause: Cause | None = None  # only those that people gave this one; UNKNOWN: none yet
    skip: int = 0  # so many of the newest that fit are left out


class People(Base):
    """Reads and writes incidents and what people append: nothing of the latter ever changes."""

    # ---- incidents

    def incidents(self, start: float, stop: float) -> list[Incident]:
        """All that overlap ``[start, stop)``, newest first, with members and remarks."""
        rows = self.db.execute(
            _INCIDENT
            + "WHERE start < ? AND (stop IS NULL OR stop > ?) ORDER BY start DESC, id DESC",
            (ms(stop), ms(start)),
        )
        return self._incidents(rows)

    def find(self, wanted: Wanted) -> list[Incident]:
        """Those that are wanted, newest first, with members and remarks."""
        subjects = None if wanted.subjects is None else json.dumps(wanted.subjects)
        rows = self.db.execute(
            _INCIDENT  # noqa: S608  all of it is ours
            + """WHERE start < :stop AND (stop IS NULL OR (stop > :start AND NOT :open))
            AND (:subjects IS NULL OR id IN (SELECT incident FROM member
                WHERE subject IN (SELECT value FROM json_each(:subjects))))
            AND NOT (:over AND stop IS NULL)
            AND (:cause IS NULL OR :cause = coalesce((SELECT cause FROM remark
                WHERE incident = incident.id AND cause <> '' AND author <> :vcmon
                ORDER BY at DESC, id DESC LIMIT 1), :none))
            ORDER BY start DESC, id DESC LIMIT :most OFFSET :skip""",
            {
                "start": ms(wanted.start),
                "stop": ms(wanted.stop),
                "open": wanted.open,
                "subjects": subjects,
                "most": wanted.most,
                "over": wanted.over,
                "cause": wanted.cause,
                "vcmon": VCMON,
                "none": Cause.UNKNOWN,
                "skip": wanted.skip,
            },
        )
        return self._incidents(rows)

    def incident(self, id: int) -> Incident | None:  # noqa: A002  it is called so everywhere
        """The one of this number."""
        return next(iter(self._incidents(self.db.execute(_INCIDENT + "WHERE id = ?", (id,)))), None)

    def open_incidents(self) -> list[Incident]:
        """Those that go on, newest first."""
        rows = self.db.execute(_INCIDENT + "WHERE stop IS NULL ORDER BY start DESC, id DESC")
        return self._incidents(rows)

    def last_incident(self) -> int:
        """The largest number ever given to an incident; 0 without any."""
        return int(self.db.execute("SELECT coalesce(max(id), 0) FROM incident").fetchone()[0])

    def put_incident(self, incident: Incident) -> None:
        """The incident as it is now, with its members; remarks that are not there are added."""
        with self.transaction():
            self.db.execute(
                """INSERT OR REPLACE INTO incident
                (id, owner, start, known_at, stop, reason, reopened, merged_into)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(incident.id, incident.owner, ms(incident.start), ms(incident.known_at)),
                    *(ms_or_none(incident.stop), incident.reason),
                    *(incident.reopened, incident.merged_into),
                ),
            )
            self.db.execute("DELETE FROM member WHERE incident = ?", (incident.id,))
            self.db.executemany(
                "INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?)",
                [
                    (incident.id, m.subject, ms(m.start), ms_or_none(m.stop))
                    for m in incident.members
                ],
            )
            for remark in incident.remarks:
                self.remark(incident.id, remark)

    def remark(self, incident: int, remark: Remark) -> None:
        """Append what was said of an incident; the very same, said twice, stands there once."""
        self.db.execute(
            """INSERT OR IGNORE INTO remark (incident, at, author, deed, text, ticket, cause)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (
                *(incident, ms(remark.at), remark.author, remark.deed),
                *(remark.text, remark.ticket, remark.cause or ""),
            ),
        )

    def _incidents(self, rows: Iterable[tuple[Any, ...]]) -> list[Incident]:
        return [
            Incident(
                id=row[0],
                owner=row[1],
                start=seconds(row[2]),
                known_at=seconds(row[3]),
                stop=seconds_or_none(row[4]),
                reason=Reason(row[5]),
                members=self._members(row[0]),
                reopened=row[6],
                remarks=self._remarks(row[0]),
                merged_into=row[7],
            )
            for row in list(rows)
        ]

    def _members(self, incident: int) -> tuple[Member, ...]:
        rows = self.db.execute(
            "SELECT subject, start, stop FROM member WHERE incident = ? ORDER BY start, subject",
            (incident,),
        )
        return tuple(Member(name, seconds(a), seconds_or_none(b)) for name, a, b in rows)

    def _remarks(self, incident: int) -> tuple[Remark, ...]:
        rows = self.db.execute(
            """SELECT at, author, deed, text, ticket, cause FROM remark
            WHERE incident = ? ORDER BY at, id""",
            (incident,),
        )
        return tuple(
            Remark(seconds(at), author, Deed(deed), text, ticket, Cause(cause) if cause else None)
            for at, author, deed, text, ticket, cause in rows
        )

    # ---- maintenance

    def maintenance(self) -> list[Maintenance]:
        """All windows that were ever planned, in that order."""
        rows = self.db.execute(
            """SELECT id, scope, title, start, length, zone, rule, author,
            (SELECT min(ends) FROM maintenance_end WHERE maintenance = maintenance.id)
            FROM maintenance ORDER BY id"""
        )
        return [
            Maintenance(
                id=row[0],
                scope=row[1],
                title=row[2],
                start=seconds(row[3]),
                seconds=seconds(row[4]),
                zone=row[5],
                rule=row[6],
                author=row[7],
                ended_at=seconds_or_none(row[8]),
            )
            for row in rows
        ]

    def plan(self, maintenance: Maintenance) -> int:
        """Append a window; the number it got (its own, where it has one that is free)."""
        with self.transaction():
            made = self.db.execute(
                """INSERT INTO maintenance (id, scope, title, start, length, zone, rule, author)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    *(maintenance.id or None, maintenance.scope, maintenance.title),
                    *(ms(maintenance.start), ms(maintenance.seconds)),
                    *(maintenance.zone, maintenance.rule, maintenance.author),
                ),
            )
            number = int(made.lastrowid or 0)
            if maintenance.ended_at is not None:
                self.end_maintenance(number, maintenance.ended_at, maintenance.author)
            return number

    def end_maintenance(self, id: int, at: float, author: str) -> None:  # noqa: A002
        """Nothing of the window happens after ``at``; the earliest end that was said holds."""
        self.db.execute(
            "INSERT INTO maintenance_end (maintenance, ends, author) VALUES (?, ?, ?)",
            (id, ms(at), author),
        )

    # ---- months

    def frozen(self, month: str) -> dict[str, str] | None:
        """The pages of a frozen month (``2026-10``), by name; None while it is not frozen."""
        rows = self.db.execute("SELECT name, page FROM frozen WHERE month = ?", (month,))
        return dict(rows.fetchall()) or None

    def freeze(self, month: str, pages: Mapping[str, str], at: float) -> None:
        """Write a month down for good. Raises sqlite3.IntegrityError when it is frozen already."""
        with self.transaction():
            if self.frozen(month) is not None:
                raise sqlite3.IntegrityError(f"{month} is frozen already")
            self.db.executemany(
                "INSERT INTO frozen (month, name, page, at) VALUES (?, ?, ?, ?)",
                [(month, name, page, ms(at)) for name, page in pages.items()],
            )

    def amendments(self, month: str) -> list[Amendment]:
        """The corrections of a frozen month, oldest first."""
        rows = self.db.execute(_AMENDMENT + "WHERE month = ? ORDER BY id", (month,))
        return [
            Amendment(
                month=row[0],
                series=row[1],
                at=seconds(row[2]),
                author=row[3],
                reason=row[4],
                milliseconds=row[5],
                source=Counted(row[6]),
                target=Counted(row[7]),
                outages=row[8],
                signature=row[9],
            )
            for row in rows
        ]

    def amend(self, amendment: Amendment) -> None:
        """Append a correction."""
        month, series, at, *rest = astuple(amendment)
        self.db.execute(
            """INSERT INTO amendment (month, series, at, author, reason, milliseconds,
            source, target, outages, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
            (month, series, ms(at), *rest),
        )

    # ---- who did what

    def audit(self, at: float, who: str, role: str, action: str, target: str) -> None:
        """Append to the trail who did what to what."""
        self.db.execute(
            "INSERT INTO audit (at, who, role, action, target) VALUES (?, ?, ?, ?, ?)",
            (ms(at), who, role, action, target),
        )

    def trail(self, start: float, stop: float) -> list[Entry]:
        """What was done in ``[start, stop)``, oldest first."""
        rows = self.db.execute(
            "SELECT at, who, role, action, target FROM audit WHERE at >= ? AND at < ? ORDER BY id",
            (ms(start), ms(stop)),
        )
        return [Entry(seconds(at), *rest) for at, *rest in rows]
