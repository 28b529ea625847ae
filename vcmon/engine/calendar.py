"""The calendar: what happens by the wall clock, kept by APScheduler. Never a probe."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

ZONE = ZoneInfo("Asia/Jakarta")
"""The Centre's own time; without it APScheduler would take the machine's."""


class Calendar:
    """Jobs by the wall clock: late ones run once when their time has passed, never twice."""

    def __init__(self) -> None:
        # Two INFO lines a run say nothing that a job does not say itself.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = AsyncIOScheduler(
            timezone=ZONE,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def every(self, seconds: int, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` each so many seconds."""
        trigger = IntervalTrigger(seconds=seconds, timezone=ZONE)
        self._scheduler.add_job(job, trigger, id=name, name=name, replace_existing=True)

    def nightly(self, hour: int, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` each night, some minutes after this hour, Jakarta's time."""
        trigger = CronTrigger(hour=hour, minute=17, timezone=ZONE)
        self._scheduler.add_job(job, trigger, id=name, name=name, replace_existing=True)

    def at(self, wall: float, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Run ``job`` once at this wall second, or at once where it has passed; of one name only
        the last that was entered runs.
        """
        trigger = DateTrigger(datetime.fromtimestamp(wall, ZONE), ZONE)
        self._scheduler.add_job(job, trigger, id=name, name=name, replace_existing=True)

    def clock_was_set(self) -> None:
        """Look at the clock again: APScheduler sleeps by the one it knew before it was stepped.

        What runs each so many seconds counts from now: after a step back its turn is far away.
        """
        for job in self._scheduler.get_jobs():
            if isinstance(job.trigger, IntervalTrigger):
                job.reschedule(IntervalTrigger(seconds=job.trigger.interval_length, timezone=ZONE))
        if self._scheduler.running:
            self._scheduler.wakeup()

    def start(self) -> None:
        """Begin; must be called on the running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """End without waiting for jobs."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
