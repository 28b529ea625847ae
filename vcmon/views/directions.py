"""What a measured stream said of each direction, for JSON and for whoever lists both."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from vcmon.model.result import Direction, Streams


def directions(streams: Streams | None) -> Iterator[tuple[str, Direction]]:
    """``forward`` and ``backward``, as far as they were measured."""
    if streams is None:
        return
    for name, direction in (("forward", streams.forward), ("backward", streams.backward)):
        if direction is not None:
            yield name, direction


def streams_object(streams: Streams | None) -> dict[str, Any] | None:
    """Both directions for JSON; a figure that can't be told is None."""
    if streams is None:
        return None
    told = {name: _object(direction) for name, direction in directions(streams)}
    return {"forward": None, "backward": None, **told}


def _object(it: Direction) -> dict[str, Any]:
    known = it.jitter is not None and isfinite(it.jitter)
    return {
        "sent": it.sent,
        "received": it.received,
        "loss": None if it.loss is None else round(it.loss, 4),
        "jitter_ms": round(it.jitter * 1000, 3) if known and it.jitter is not None else None,
        "dscp": it.dscp,
    }
