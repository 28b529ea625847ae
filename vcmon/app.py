"""The composition root: builds everything, ties it together, runs it, and takes it down again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from vcmon import logs
from vcmon.clock import Clock, SystemClock
from vcmon.config.diff import Changes, diff
from vcmon.config.loader import load
from vcmon.config.settings import Settings
from vcmon.engine.calendar import Calendar
from vcmon.engine.engine import Engine
from vcmon.engine.tracing import Bounds, Surveyor, Tracer
from vcmon.engine.vitals import Vitals, spare_the_collector
from vcmon.engine.workshop import Workshop
from vcmon.errors import ConfigError, StartError
from vcmon.history.keeper import Keeper
from vcmon.model.endpoint import Check, CheckId, Endpoint
from vcmon.model.figures import EngineFigures
from vcmon.model.path import Route
from vcmon.model.result import Result
from vcmon.model.status import Transition
from vcmon.net.deadline import SWITCH
from vcmon.readiness.questions import Answers
from vcmon.readiness.secretary import Office, Secretary
from vcmon.state.board import Board
from vcmon.state.canaries import canary_checks
from vcmon.systemd import ServiceManager
from vcmon.views.freshness import is_stale
from vcmon.views.site import Site
from vcmon.views.sources import Sources
from vcmon.views.tls import Tls
from vcmon.views.web import build

PULSE = 0.5
"""Seconds between two looks at what time alone changes."""

TEND_AT = 2
"""The hour of the night, in Jakarta, in which the memory is pruned, checked and backed up."""

LEARN = 3600
"""Seconds between two looks at what is normal for each link: it is made of days."""

RENEW = 60
"""Seconds between two looks at the certificate's files: whoever renews them need not tell us."""

WATCH_SETTINGS = 60
"""Seconds between two looks at the settings files: edits must not wait for the next reload to be
found broken."""

log = structlog.get_logger("vcmon")


def run(config: Path) -> int:
    """Run vcmon on these settings until SIGTERM or SIGINT; the process's exit code.

    Raises ConfigError for wrong settings, StartError where it can't start.
    """
    logs.configure()
    settings = load(config)
    sys.setswitchinterval(SWITCH)
    asyncio.run(_main(config, settings))
    return 0


async def probe_once(endpoint: Endpoint, check: str | None) -> list[Result]:
    """Run the endpoint's checks (or the one named) once, side by side, and nothing else."""
    workshop = Workshop.open(SystemClock())
    try:
        wanted = [c for c in endpoint.checks if check is None or c.id.name == check]
        return list(await asyncio.gather(*(workshop.runner.run(c) for c in wanted)))
    finally:
        workshop.close()


async def trace_once(endpoint: Endpoint) -> Route:
    """Trace the way to the endpoint, and nothing else. Raises ProbeError, blame LOCAL."""
    workshop = Workshop.open(SystemClock())
    try:
        surveyor = Surveyor(SystemClock(), workshop.lag, workshop.resolver)
        return await surveyor.survey(endpoint, healthy=False)
    finally:
        workshop.close()


@dataclass(slots=True)
class App:
    """One running vcmon."""

    config: Path
    settings: Settings
    clock: Clock
    workshop: Workshop
    board: Board
    engine: Engine
    figures: EngineFigures
    vitals: Vitals
    manager: ServiceManager
    calendar: Calendar
    keeper: Keeper
    tracer: Tracer
    secretary: Secretary = field(init=False)
    answers: Answers = field(default_factory=Answers)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    seen_on_disk: tuple[float, ...] = ()
    tls: Tls | None = None

    def __post_init__(self) -> None:
        office = self.office()
        self.secretary = Secretary(self.clock, self.calendar, office, answers=self.answers)

    def apply(self, settings: Settings) -> None:
        """Take settings into force: state first, so that no result finds it missing."""
        self.settings = settings
        self.board.load(settings)
        checks = [check for endpoint in settings.endpoints for check in endpoint.checks]
        self.engine.load([*checks, *canary_checks(settings.canaries)])
        self.workshop.runner.heartbeats.expect(_periods(checks), self.clock.monotonic())
        self.keeper.reloaded(settings, self.board)
        path = settings.path
        self.tracer.bounds = Bounds(again=settings.incidents.reopen)
        self.tracer.load(settings.endpoints, enabled=path.trace, daily=path.daily)
        self.figures.reload_ok = True
        self.figures.reload_ok_at = self.clock.wall()
        self.seen_on_disk = _stamps(settings.files)

    async def reload(self) -> str:
        """Load the settings anew, whole or not at all; "" or what is wrong, one problem a line."""
        async with self.reloading:
            return await self._reload()

    async def _reload(self) -> str:
        self.manager.reloading()
        try:
            settings, changes = await asyncio.to_thread(_compared, self.config, self.settings)
        except ConfigError as error:
            self.figures.reload_ok = False
            log.error("reload refused, the old settings stay in force", problems=str(error))  # noqa: TRY400  a wrong file needs no traceback
            return str(error)
        finally:
            self.manager.ready()
        for key in ("listen", "tls_certificate_file", "tls_key_file"):
            if (new := getattr(settings.web, key)) != getattr(self.settings.web, key):
                log.warning("takes effect at the next start", key=f"web.{key}", value=new)
        if settings.history != self.settings.history:
            log.warning("history takes effect at the next start", path=settings.history.path)
        self.apply(settings)
        if self.tls is not None:
            await asyncio.to_thread(self.tls.renew)
        log.info("settings loaded", endpoints=len(settings.endpoints), **changes.told())
        return ""

    async def watch_settings(self) -> None:
        """Say early that the files on disk are broken, before somebody restarts with them."""
        stamps = _stamps(self.settings.files)
        if stamps == self.seen_on_disk:
            return
        self.seen_on_disk = stamps
        try:
            await asyncio.to_thread(load, self.config)
        except ConfigError as error:
            log.warning("settings on disk are broken; not loaded", problems=str(error))
        else:
            log.info("settings on disk have changed; reload (SIGHUP) to take them into force")

    async def pulse(self) -> None:
        """The heartbeat: state's tick, what is remembered of it, and our vital signs."""
        while True:
            self.board.tick()
            now, blind = self.clock.monotonic(), self.board.snapshot().uplink.blind
            self.workshop.runner.heartbeats.look(now, blind=blind)
            self.keeper.tick(self.board)
            self.secretary.tick()
            self.vitals.beat()
            await asyncio.sleep(PULSE)

    async def learn(self) -> None:
        """Have the board told what is normal for each link, and the pages what was."""
        await self.keeper.look_back()
        await self.keeper.learn(self.board)

    async def feed_watchdog(self, site: Site) -> None:
        """Tell systemd that we live, but only when engine, state and web have all moved."""
        period = self.manager.watchdog_period
        while period is not None:
            if self.alive() and await site.answers(within=period):
                self.manager.alive()
            await asyncio.sleep(period)

    def alive(self) -> bool:
        return self.vitals.alive(self.engine.turned_at)

    def office(self) -> Office:
        keeper, wall = self.keeper, self.clock.wall
        return Office(
            meetings=keeper.meetings,
            snapshot=self.board.snapshot,
            fresh=lambda: not is_stale(self.sources(), self.board.snapshot()),
            ask=self.engine.ask,
            incidents=lambda: (*keeper.desk.open(), *keeper.desk.closed(wall())),
            planned=keeper.agenda.within,
            quality=lambda: self.settings.quality,
            open_store=partial(keeper.open_store, write=True),
        )

    def sources(self) -> Sources:
        return Sources(
            settings=lambda: self.settings,
            snapshot=self.board.snapshot,
            tallies=self.board.tallies,
            province_seconds=self.board.province_seconds,
            figures=lambda: self.figures,
            ready=lambda: self.figures.last_round_at > 0,
            alive=self.alive,
            reload=self.reload,
            wall=self.clock.wall,
            history=self.keeper.figures,
            memory=self.keeper.open_store,
            planned=lambda: self.keeper.agenda.planned(self.clock.wall()),
            incidents=self.keeper.desk.open,
            closed=lambda: self.keeper.desk.closed(self.clock.wall()),
            ninety=lambda: self.keeper.ninety,
            begun=lambda: self.keeper.desk.causes.counts,
            open_store=self.keeper.open_store,
            open_to_write=partial(self.keeper.open_store, write=True),
            heartbeat_period=self.workshop.runner.heartbeats.period,
            heard=lambda name: self.workshop.runner.heartbeats.hear(name, self.clock.monotonic()),
            agenda=self.secretary.agenda,
            coming=self.secretary.coming,
            roll=self.secretary.roll,
        )


def _periods(checks: Iterable[Check[Any]]) -> dict[str, float]:
    """How often each endpoint that reports in must do so: seconds by its id."""
    reporting = [check for check in checks if check.kind == "heartbeat"]
    # Where several checks wait for the same endpoint, the most patient one is no reason to wait.
    reporting.sort(key=lambda check: -check.interval)
    return {check.id.endpoint: check.interval for check in reporting}


async def _main(config: Path, settings: Settings) -> None:
    app = _compose(config, settings)
    app.apply(settings)
    spare_the_collector()
    tls = app.tls = _tls(settings)
    site = Site(build(app.sources()), settings.web.listen, tls)
    if tls is not None:
        app.calendar.every(RENEW, "renew-certificate", partial(asyncio.to_thread, tls.renew))
    _end_on_signals(app)
    try:
        await asyncio.to_thread(app.keeper.start)
        await site.start()
        log.info("vcmon is running", listen=settings.web.listen, endpoints=len(settings.endpoints))
        await _serve(app, site)
    finally:
        app.manager.stopping()
        app.calendar.stop()
        await site.stop()
        app.keeper.last_words(app.board)
        if not await asyncio.to_thread(app.keeper.stop):
            log.error("the last of the memory could not be written in time")
        app.workshop.close()
        app.manager.close()


def _tls(settings: Settings) -> Tls | None:
    """Raises StartError where the certificate can't be used."""
    web = settings.web
    return Tls(web.tls_certificate_file, web.tls_key_file) if web.tls_certificate_file else None


def _compose(config: Path, settings: Settings) -> App:
    clock = SystemClock()
    figures = EngineFigures(started_at=clock.wall())
    workshop = Workshop.open(clock)
    keeper = Keeper.of(settings.history, clock)
    surveyor = Surveyor(clock, workshop.lag, workshop.resolver)
    tracer = Tracer(clock, surveyor.survey, keeper.route, Bounds())

    def on_transition(change: Transition) -> None:
        _log_transition(change)
        keeper.recorder.transition(change)
        tracer.transition(change)

    board, answers = Board(settings, clock, on_transition), Answers()

    def sink(result: Result, attempts: int) -> Iterable[tuple[CheckId, float, int]]:
        answers.take(result)
        return board.record(result, attempts)

    return App(
        config=config,
        settings=settings,
        clock=clock,
        workshop=workshop,
        board=board,
        engine=Engine(clock, workshop.runner, sink, figures),
        figures=figures,
        vitals=Vitals(clock, workshop.lag, figures),
        manager=ServiceManager(os.environ),
        calendar=Calendar(),
        keeper=keeper,
        tracer=tracer,
        answers=answers,
    )


async def _serve(app: App, site: Site) -> None:
    """Run until stopped. If a part dies the whole process does: never half alive."""
    app.calendar.every(WATCH_SETTINGS, "watch-settings", app.watch_settings)
    app.calendar.every(LEARN, "learn-baselines", app.learn)
    app.calendar.nightly(TEND_AT, "tend-history", app.keeper.tend)
    app.calendar.start()
    async with asyncio.TaskGroup() as group:
        parts = (
            app.engine.run(),
            app.pulse(),
            app.tracer.run(),
            app.learn(),
            app.feed_watchdog(site),
        )
        tasks = [group.create_task(part) for part in parts]
        _reload_on_signal(lambda: group.create_task(_reload(app)))
        app.manager.ready()
        await app.stop.wait()
        for task in tasks:
            task.cancel()


def _compared(config: Path, old: Settings) -> tuple[Settings, Changes]:
    new = load(config)
    return new, diff(old, new)


async def _reload(app: App) -> None:
    await app.reload()


def _end_on_signals(app: App) -> None:
    """From the first answer on: the memory may take a moment to open."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, app.stop.set)


def _reload_on_signal(reload: Callable[[], Awaitable[None]]) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


def _log_transition(change: Transition) -> None:
    log.info(
        "state",
        subject=change.subject,
        old=str(change.old.state),
        new=str(change.new.state),
        reason=str(change.new.reason),
        parent=change.new.parent,
    )


def _stamps(files: tuple[Path, ...]) -> tuple[float, ...]:
    """When each file was last written; 0 for one that is gone."""
    return tuple(path.stat().st_mtime if path.exists() else 0.0 for path in files)


__all__ = ["App", "StartError", "Workshop", "probe_once", "run", "trace_once"]
