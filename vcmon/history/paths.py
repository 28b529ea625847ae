"""The part of the store that holds the ways to endpoints: the last healthy one, and failing ones.

A failing way is kept together with the healthy one as it was then, so that the two can be laid
side by side years later.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from vcmon.history.base import Base, ms, seconds
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason

FAILING_MAX = 20
"""Failing ways kept of one endpoint, each some 2 kB: the incidents of a bad month."""


class Pair(NamedTuple):
    """The way when an endpoint had fallen, and the one when it was well."""

    before: Route | None
    now: Route


class Paths(Base):
    """Reads and writes ways."""

    def put_route(self, route: Route) -> None:
        """Remember a way; it takes the place of what is older than the bound."""
        told = to_text(route)
        if route.healthy:
            self.db.execute(
                "INSERT OR REPLACE INTO healthy_route (endpoint, at, told) VALUES (?, ?, ?)",
                (route.endpoint, ms(route.at), told),
            )
            return
        with self.transaction():
            self.db.execute(
                """INSERT OR REPLACE INTO failing_route (endpoint, at, told, before)
                VALUES (?, ?, ?, (SELECT told FROM healthy_route WHERE endpoint = ?))""",
                (route.endpoint, ms(route.at), told, route.endpoint),
            )
            self.db.execute(
                """DELETE FROM failing_route WHERE endpoint = :endpoint AND at NOT IN
                (SELECT at FROM failing_route WHERE endpoint = :endpoint
                ORDER BY at DESC LIMIT :most)""",
                {"endpoint": route.endpoint, "most": FAILING_MAX},
            )

    def healthy_route(self, endpoint: str) -> Route | None:
        """The last way to the endpoint when it was well."""
        rows = self.db.execute("SELECT told FROM healthy_route WHERE endpoint = ?", (endpoint,))
        row = rows.fetchone()
        return None if row is None else to_route(endpoint, row[0])

    def failing_routes(self, endpoint: str, start: float, stop: float) -> list[Pair]:
        """The failing ways to the endpoint that were traced in ``[start, stop)``, newest first."""
        rows = self.db.execute(
            """SELECT told, before FROM failing_route WHERE endpoint = ? AND at >= ? AND at < ?
            ORDER BY at DESC""",
            (endpoint, ms(start), ms(stop)),
        )
        pairs = []
        for told, before in rows:
            now = to_route(endpoint, told)
            if now is not None:
                pairs.append(Pair(to_route(endpoint, before) if before else None, now))
        return pairs

    def prune_routes(self, before: float) -> int:
        """Delete what is older than this wall second; the number of rows."""
        gone = 0
        for table in ("healthy_route", "failing_route"):
            gone += self.db.execute(f"DELETE FROM {table} WHERE at < ?", (ms(before),)).rowcount  # noqa: S608
        return gone


def to_text(route: Route) -> str:
    """The way as JSON, without the endpoint."""
    hops = [
        [hop.ttl, list(hop.addresses), None if hop.rtt is None else round(hop.rtt * 1e6), hop.lost]
        for hop in route.hops
    ]
    told = {
        "address": route.address,
        "at": ms(route.at),
        "healthy": route.healthy,
        "reached": route.reached,
        "why": route.why,
        "hops": hops,
    }
    return json.dumps(told, separators=(",", ":"))


def to_route(endpoint: str, text: str) -> Route | None:
    """What :func:`to_text` wrote; None for what it can't have written."""
    try:
        told: Any = json.loads(text)
        hops = tuple(
            Hop(int(ttl), tuple(map(str, who)), None if rtt is None else rtt / 1e6, int(lost))
            for ttl, who, rtt, lost in told["hops"]
        )
        return Route(
            endpoint,
            str(told["address"]),
            seconds(told["at"]),
            bool(told["healthy"]),
            hops,
            bool(told["reached"]),
            Reason(told["why"]),
        )
    except (ValueError, TypeError, KeyError):
        return None
