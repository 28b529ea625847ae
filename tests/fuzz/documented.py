"""What an error that a parser may raise looks like."""

from __future__ import annotations

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason


def documented(error: ProbeError, *reasons: Reason) -> None:
    """Fails unless it is one of these, the peer's fault, and can be shown."""
    assert error.reason in reasons
    assert error.blame is Blame.REMOTE
    assert len(error.text) < 400
    error.text.encode()
