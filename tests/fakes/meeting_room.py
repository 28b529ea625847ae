"""A secretary with everything around it turned by the test: clock, network, memory on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.rolls import START
from tests.fakes.snapshots import NOW, PROVINCES, UP, make_result, make_snapshot, province_status
from vcmon.config.settings import QUALITY_CLASSES
from vcmon.engine.engine import Advice
from vcmon.errors import HistoryError
from vcmon.history.store import Store
from vcmon.model.endpoint import CheckId
from vcmon.model.meeting import Meeting, RollCall, Seat
from vcmon.model.memory import Incident
from vcmon.model.result import Outcome, Reason
from vcmon.model.status import Snapshot, Standing
from vcmon.readiness.secretary import GLANCE, Office, Secretary

SLUGS = ("aceh", "bali", "papua")
WEEKLY = Meeting("mingguan", "Rapat", START, 7200.0, tuple(Seat(slug) for slug in SLUGS))


@dataclass
class Alarm:
    """The calendar: says when, the test says now."""

    rings_at: float = float("inf")
    set: int = 0

    def at(self, wall: float, _name: str, _job: Callable[[], Awaitable[None]]) -> None:
        self.rings_at = wall

    def clock_was_set(self) -> None:
        self.set += 1


@dataclass
class MeetingRoom:
    """Three provinces that are well and answer at once, until the test says otherwise."""

    file: Path
    meetings: tuple[Meeting, ...] = (WEEKLY,)
    standings: dict[str, Standing] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)  # provinces whose checks fail
    incidents: tuple[Incident, ...] = ()
    asked: list[list[CheckId]] = field(default_factory=list)
    clock: FakeClock = field(default_factory=lambda: FakeClock(1000.0, NOW - 3600.0 - 1000.0))
    fresh: bool = True
    locked: bool = False  # the memory can't be opened
    meanwhile: Callable[[], None] = lambda: None  # happens while a roll waits for answers

    def __post_init__(self) -> None:
        Store.open(self.file).close()
        self.start()

    def start(self) -> None:
        """A new vcmon over the same memory."""
        self.alarm = Alarm()
        office = Office(
            meetings=lambda: self.meetings,
            snapshot=self.snapshot,
            fresh=lambda: self.fresh,
            ask=self._ask,
            incidents=lambda: self.incidents,
            planned=lambda names, low, high: frozenset(),
            quality=lambda: QUALITY_CLASSES,
            open_store=self._open,
        )
        self.secretary = Secretary(self.clock, self.alarm, office, pause=self._pause)
        self.secretary.tick()

    def snapshot(self) -> Snapshot:
        return make_snapshot(
            province_status(PROVINCES[slug], self.standings.get(slug, UP)) for slug in SLUGS
        )

    def _ask(self, questions: Iterable[Advice]) -> None:
        wanted = [each.check for each in questions]
        self.asked.append(wanted)
        for name, status in self.snapshot().by_check.items():
            if name in wanted:
                failed = status.check.province in self.silent
                outcome = Outcome.DOWN if failed else Outcome.UP
                result = make_result(status.check, outcome, Reason.TIMEOUT)
                started = self.clock.monotonic()
                self.secretary.answers.take(result._replace(started=started))

    async def _pause(self, seconds: float) -> None:
        assert seconds == GLANCE
        self.clock.forward(seconds)
        self.meanwhile()
        await asyncio.sleep(0)

    def _open(self) -> Store | None:
        if self.locked:
            raise HistoryError("the file is on its holidays")
        return Store.open(self.file, make=False)

    def turn(self) -> None:
        """The alarm rings."""
        asyncio.run(self.secretary.turn())

    def go_to(self, wall: float) -> None:
        """Live until then: the alarm rings whenever it is set to, to the second."""
        while (at := self.alarm.rings_at) <= wall:
            self.clock.forward(max(0.0, at - self.clock.wall()))
            self.alarm.rings_at = float("inf")
            self.turn()
        self.clock.forward(max(0.0, wall - self.clock.wall()))
        self.secretary.tick()

    def off_until(self, wall: float) -> None:
        """Off, and started again then."""
        self.clock.forward(wall - self.clock.wall())
        self.start()

    def kept(self, sitting: str = "mingguan-20261123-0951") -> list[RollCall]:
        """What the memory has of a sitting."""
        store = Store.open(self.file)
        try:
            return store.rolls(sitting)
        finally:
            store.close()
