"""What is asked before a roll is called, and what was answered."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from vcmon.model.endpoint import Check, CheckId
from vcmon.model.result import Outcome, Result
from vcmon.model.status import CheckStatus, EndpointStatus, Snapshot
from vcmon.readiness.rollcall import conference, is_asked

QUIET = 300.0
"""Seconds before the start from which nobody is disturbed: a room that is filling with people
must not ring."""

SELDOM = 60.0
"""Seconds between two runs above which a check is asked though it decides nothing."""

APART = 0.25
"""Seconds between two questions that disturb somebody: their calls don't all begin at once."""


class Question(NamedTuple):
    """A check to be run now, ``after`` so many seconds."""

    check: CheckId
    after: float = 0.0


class Moment(NamedTuple):
    """When is asked, by both clocks, and how long before the start."""

    wall: float
    monotonic: float
    before: float


def seats(snapshot: Snapshot, slugs: Container[str], room: str = "") -> Iterator[EndpointStatus]:
    """The endpoints that the provinces join with, and the room."""
    for province in snapshot.provinces:
        joining = conference(province) if province.province.slug in slugs else ()
        yield from joining
        for each in province.endpoints:
            if each.endpoint.id == room and each not in joining:
                yield each


def questions(statuses: Iterable[EndpointStatus], moment: Moment) -> tuple[Question, ...]:
    """What is to be asked of these: what decides, and what runs seldom; of what disturbs somebody
    only what may run now, has not run lately, and not so shortly before the start.
    """
    checks = [check for status in statuses for check in status.checks]
    plain = [c for c in checks if is_asked(c.check) and _tells(c.check)]
    disturbing = [c for c in checks if not is_asked(c.check) and _may_disturb(c, moment)]
    return (
        *(Question(each.check.id) for each in plain),
        *(Question(c.check.id, place * APART) for place, c in enumerate(disturbing)),
    )


def _tells(check: Check[Any]) -> bool:
    return check.decides or check.interval > SELDOM


def _may_disturb(status: CheckStatus, moment: Moment) -> bool:
    check, last = status.check, status.last
    if check.opening is not None and not check.opening.is_open(moment.wall):
        return False
    if check.params.gentle and moment.before < QUIET:
        return False
    return last is None or moment.monotonic - last.started >= check.params.gentle


class Answers:
    """Keeps what the checks that were asked answer; idle, it costs a result nothing."""

    def __init__(self) -> None:
        self._wanted: frozenset[CheckId] = frozenset()
        self._since = 0.0
        self._found: dict[CheckId, Result] = {}

    def listen(self, checks: Iterable[CheckId], since: float) -> None:
        """From now on keep the last answer of each of these that began at monotonic ``since`` or
        later; what was kept before is forgotten.
        """
        self._wanted, self._since, self._found = frozenset(checks), since, {}

    def take(self, result: Result) -> None:
        """One result of the engine."""
        if result.check in self._wanted and result.started >= self._since:
            self._found[result.check] = result

    @property
    def found(self) -> Mapping[CheckId, Result]:
        """What was answered so far."""
        return dict(self._found)

    def complete(self) -> bool:
        """Whether all have answered."""
        return len(self._found) == len(self._wanted)


def settled(statuses: Iterable[EndpointStatus]) -> bool:
    """Whether no check that decides has failed without that being confirmed or refuted yet."""
    return not any(
        check.failing and check.outcome is not Outcome.DOWN
        for status in statuses
        for check in status.checks
        if check.check.decides
    )
