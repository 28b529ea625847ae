"""Heartbeats of endpoints that can't be asked: the probe reads when one was last heard."""

from __future__ import annotations

from vcmon.config.params import HeartbeatParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Blame, Reason, Result
from vcmon.probes.base import Tools


async def probe(check: Check[HeartbeatParams], tools: Tools) -> Result:
    """UP when one came within the interval and its ``grace``; as of when it came, not of now.

    Raises ProbeError: ``timeout`` of theirs, or ``no_data`` of ours while we have not listened
    for that long.
    """
    tools.transmissions = 0  # it sends nothing, so it says nothing of loss
    book, name = tools.heartbeats, check.id.endpoint
    listening = book.listening_since(name)
    if listening is None:
        text = "only the vcmon that is running hears heartbeats; look at its page"
        raise ProbeError(Reason.NO_DATA, Blame.LOCAL, text)
    now, allowed = tools.clock.monotonic(), check.interval + check.params.grace
    heard = book.last(name)
    if heard is not None:
        tools.detail["age_s"] = round(now - heard, 1)
        if now - heard <= allowed:
            # What it proves, of the endpoint and of our own uplink, it proves of that moment.
            return tools.up(check)._replace(started=heard, at=tools.at - (now - heard))
    if now - listening <= allowed:
        text = f"no heartbeat in the {now - listening:.0f} s since we listen (again)"
        raise ProbeError(Reason.NO_DATA, Blame.LOCAL, text)
    tools.at = _first_missed(check, tools.at, now - max(heard or listening, listening))
    silence = f"for {now - heard:.0f} s" if heard is not None else "since we listen"
    text = (
        f"no heartbeat {silence}, expected one every {check.interval:g} s and waited "
        f"{check.params.grace:g} s more; look at that machine, its line, and there at "
        "`systemctl status vcmon-heartbeat`"
    )
    raise ProbeError(Reason.TIMEOUT, Blame.REMOTE, text)


def _first_missed(check: Check[HeartbeatParams], at: float, silent: float) -> float:
    """Since when (wall) this look finds it missing: the first one since the report was due.

    Later looks are of their own time. So an outage begins when it began, give or take an interval,
    and belongs to one incident with what fell beside it; its guard goes by monotonic time.
    """
    overdue = silent - check.interval
    return at - overdue if overdue <= check.params.grace + check.interval else at
