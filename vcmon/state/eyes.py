"""Our own eyes: whether what we see of the provinces can be trusted. One writer, the board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vcmon.config.settings import Settings
from vcmon.model.endpoint import CheckId
from vcmon.model.result import Blame, Outcome, Reason, Result
from vcmon.model.status import Uplink
from vcmon.state import guard
from vcmon.state.canaries import Canaries
from vcmon.state.guard import ProvinceView


class Eyes:
    """Canaries, and what they and all provinces together say of our own side."""

    def __init__(self, settings: Settings, wall: float) -> None:
        self.uplink = Uplink(since=wall)
        self._canaries = Canaries.of(settings.canaries)
        self._blind_since = float("-inf")  # monotonic
        self._trusted_from = float("-inf")  # monotonic: failures from before say nothing

    def reload(self, settings: Settings) -> None:
        """Watch these canaries from now on."""
        self._canaries = self._canaries.reload(settings.canaries)

    def takes(self, result: Result) -> bool:
        """Take a canary's result; False for any other."""
        check: CheckId = result.check
        if not self._canaries.knows(check):
            return False
        self._canaries.record(result)
        return True

    def corrected(self, result: Result) -> Result:
        """The result; a failure seen with our own eyes shut is no failure."""
        blind = self.uplink.blind or result.started < self._trusted_from
        if blind and result.outcome is Outcome.DOWN:
            return result._replace(outcome=Outcome.UNKNOWN, reason=Reason.BLIND, blame=Blame.LOCAL)
        return result

    def may_commit(self, onset: float, now: float, views: Sequence[ProvinceView]) -> bool:
        """Whether our own side is known to have worked since ``onset`` (monotonic)."""
        seeing = not self.uplink.blind
        return seeing and guard.may_commit(onset, now, self._canaries.view(), views)

    def look(
        self, now: float, wall: float, views: Sequence[ProvinceView], *, ever_up: bool
    ) -> bool:
        """Look at ourselves anew; True when we have just gone blind."""
        canaries = self._canaries.view()
        fell = False
        if self.uplink.blind:
            if guard.sees_again(self._blind_since, now, canaries, views):
                self._trusted_from = now
                self.uplink = Uplink(up=True, blind=False, since=wall)
        elif guard.is_blind(canaries, views):
            fell = True
            self._blind_since = now
            self.uplink = Uplink(up=False, blind=True, since=wall)
        up = self._is_up(canaries, ever_up=ever_up)
        if up is not self.uplink.up:
            self.uplink = replace(self.uplink, up=up)
        return fell

    def _is_up(self, canaries: guard.CanaryView, *, ever_up: bool) -> bool | None:
        if self.uplink.blind or (canaries.configured and canaries.failing_since is not None):
            return False
        return True if canaries.last_up > float("-inf") or ever_up else None
