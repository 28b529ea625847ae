"""``vcmon correct``: a signed correction of a frozen month, appended to the memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from vcmon.clock import SystemClock
from vcmon.commands.memory import DEFAULT, Memory, author, doer, opened, refuse, tell
from vcmon.commands.options import with_options
from vcmon.config.fields import Duration
from vcmon.errors import ReportError
from vcmon.history.amendments import proposed
from vcmon.history.frozen import month_report
from vcmon.history.month import Month
from vcmon.history.report import Desk
from vcmon.model.memory import Amendment, Counted


@dataclass(frozen=True)
class Correction:
    """What ``vcmon correct`` is told."""

    month: Annotated[str, typer.Option("--month", help="The frozen month, as 2026-10.")]
    province: Annotated[str, typer.Option("--province", help="Its slug, as 'aceh'.")]
    source: Annotated[Counted, typer.Option("--from", help="What the time was counted as.")]
    target: Annotated[Counted, typer.Option("--to", help="What it was in truth.")]
    duration: Annotated[str, typer.Option("--duration", help="How much time: 90s, 10m, 2h.")]
    reason: Annotated[str, typer.Option("--reason", help="Why, as the report is to tell.")]
    outages: Annotated[
        int, typer.Option("--outages", help="Outages to add; -1 takes one away.")
    ] = 0
    name: Annotated[str, typer.Option("--name", help="Who answers for it.")] = ""
    config: Annotated[Path, typer.Option("--config", "-c", help="The settings file.")] = DEFAULT


@with_options(Correction)
def correct(told: Correction) -> None:
    """Correct a frozen month: move time from one count to another.

    Nothing that was frozen changes: a correction is signed, appended, and listed in the report.
    """
    try:
        amendment = _amendment(told)
        with opened(told.config, write=True) as memory:
            signed = _appended(memory, amendment)
    except ReportError as error:
        raise refuse(error) from None
    what = f"{told.duration} from {told.source} to {told.target}"
    tell(f"{told.month} {told.province}: {what}, signed {signed.signature}")


def _amendment(told: Correction) -> Amendment:
    try:
        seconds = TypeAdapter(Duration).validate_json(f'"{told.duration}"')
    except ValidationError:
        wanted = f"--duration: expected a time like 90s, 10m or 2h, found {told.duration!r}"
        raise ReportError(wanted) from None
    return Amendment(
        month=told.month,
        series=f"province:{told.province}",
        at=SystemClock().wall(),
        author=author(told.name),
        reason=told.reason,
        milliseconds=round(seconds * 1000),
        source=told.source,
        target=told.target,
        outages=told.outages,
    )


def _appended(memory: Memory, amendment: Amendment) -> Amendment:
    """Signed upon the one before; read and appended in one transaction, so that writers queue."""
    store, who = memory.store, doer()
    month = Month.parse(amendment.month)
    with store.transaction():
        report = month_report(Desk(store, memory.settings, amendment.at), month)
        signed = proposed(report, store.frozen(amendment.month) or {}, amendment)
        store.amend(signed)
        target = f"{amendment.month} {amendment.series}"
        store.audit(amendment.at, who.name, who.role, "correct", target)
    return signed
