"""What people do to the memory: each deed with its entry in the audit trail, or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from vcmon.history.maintenance import following
from vcmon.history.remarks import RefusedError, Why, judged, named
from vcmon.history.store import Store
from vcmon.model.memory import Incident, Maintenance, Remark

JAKARTA = ZoneInfo("Asia/Jakarta")

LATE = 900.0
"""Seconds for which a window may already have begun when it is planned: somebody types slowly.
Planned later it would be an outage made into maintenance after the fact."""

WINDOWS_MAX = 500
"""Windows that are not over; the settings may hold as many. Each tick looks at all of them."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does it: an OS user or the name of a token, and what gives them the right."""

    name: str
    role: str


class NoSuchError(LookupError):
    """There is nothing of that number; the message tells what there is."""


def say(store: Store, number: int, remark: Remark, doer: Doer) -> Incident:
    """Append a remark; the incident as it then is.

    Raises NoSuchError, RefusedError, or sqlite3.Error; nothing is written then.
    """
    with store.transaction():
        incident = incident_of(store, number)
        store.remark(number, judged(incident, remark))
        store.audit(remark.at, doer.name, doer.role, remark.deed, f"incident:{number}")
        return incident_of(store, number)


def incident_of(store: Store, number: int) -> Incident:
    """The one of this number. Raises NoSuchError."""
    # A number beyond what SQLite can hold is that of no incident either.
    found = store.incident(number) if 0 < number < 2**63 else None
    if found is not None:
        return found
    last = store.last_incident()
    known = f"the latest is {last}" if last else "there is none yet"
    raise NoSuchError(f"no incident {number}; {known}")


def plan(store: Store, window: Maintenance, doer: Doer, now: float) -> Maintenance:
    """Plan a window, under the number that it then has. Raises as :func:`say` does."""
    window = replace(window, author=named(window.author))
    if window.start < now - LATE:
        raise RefusedError(
            Why.LATE,
            "start: a window begins now or later; that an outage was planned is said by the "
            "incident's cause",
        )
    if following(window, now) is None:
        raise RefusedError(Why.NEVER, "repeat: it never takes place after now")
    with store.transaction():
        coming = sum(following(each, now) is not None for each in store.maintenance())
        if coming >= WINDOWS_MAX:
            text = f"there are {coming} windows that are not over: end some first"
            raise RefusedError(Why.FULL, text)
        number = store.plan(window)
        store.audit(now, doer.name, doer.role, "plan", f"maintenance:{number}")
    return replace(window, id=number)


def end(store: Store, number: int, doer: Doer, now: float) -> Maintenance:
    """Nothing of the window happens from now on. Raises as :func:`say` does."""
    with store.transaction():
        window = _window(store, number)
        if following(window, now) is None:
            was = window.ended_at
            when = "" if was is None else f": it was ended at {_clock(was)}"
            raise RefusedError(Why.OVER, f"maintenance {number} is over{when}")
        store.end_maintenance(number, now, doer.name)
        store.audit(now, doer.name, doer.role, "end", f"maintenance:{number}")
    return replace(window, ended_at=now)


def _window(store: Store, number: int) -> Maintenance:
    windows = {each.id: each for each in store.maintenance()}
    if number in windows:
        return windows[number]
    known = f"there are 1 to {max(windows)}" if windows else "none is planned"
    hint = "; one of the settings is taken out of them" if number == 0 else ""
    raise NoSuchError(f"no maintenance {number}; {known}{hint}")


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, JAKARTA):%Y-%m-%d %H:%M %Z}"


def month_span(text: str) -> tuple[float, float]:
    """From when to when (wall seconds, Jakarta) the month ``2026-10`` lasts. Raises ValueError."""
    year, dash, month = text.partition("-")
    digits = len(year) == 4 and len(month) == 2 and (year + month).isascii()
    if not (dash and digits and year.isdigit() and month.isdigit()):
        raise ValueError("expected a month as 2026-10")
    first = int(year), int(month)
    if not (2000 <= first[0] <= 2099 and 1 <= first[1] <= 12):
        raise ValueError("expected a month from 2000-01 to 2099-12")
    after = (first[0] + first[1] // 12, first[1] % 12 + 1)
    start, stop = (datetime(*each, 1, tzinfo=JAKARTA).timestamp() for each in (first, after))
    return start, stop
