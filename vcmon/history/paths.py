"""The part of the store that holds the ways to endpoints: the last healthy one, and failing ones.

A failing way is kept together with the healthy one as it was then, so that the two can be laid
side by side years later.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from vcmon.history.base import Base, ms, seconds
from vcmon.model.memory import Incident
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason
from vcmon.net.faults import clean

FAILING_MAX = 20
"""Failing ways kept of one endpoint, each some 2 kB: the incidents of a bad month."""


MEMBERS_MAX = 1_000
"""Members of one incident whose ways are looked for, a tenth of a millisecond each."""

PAIRS_MAX = 50
"""Ways told of one incident; no more are traced in four minutes."""

BACKDATED = 60.0
"""Seconds after a member's end, which is backdated, in which its way may still have been traced."""

FOREVER = 1e11

ADDRESS_MAX = 64  # characters; the longest IPv6 address with a zone has fewer


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

    def incident_routes(self, incident: Incident) -> list[Pair]:
        """The failing ways that were traced for an incident's members, newest first."""
        found: dict[tuple[str, float], Pair] = {}
        for member in incident.members[:MEMBERS_MAX]:
            kind, _, endpoint = member.subject.partition(":")
            if kind == "endpoint":
                stop = FOREVER if member.stop is None else member.stop + BACKDATED
                for pair in self.failing_routes(endpoint, member.start, stop):
                    found[endpoint, pair.now.at] = pair
        return sorted(found.values(), key=lambda pair: -pair.now.at)[:PAIRS_MAX]

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
            Hop(
                int(ttl),
                tuple(clean(str(each), ADDRESS_MAX) for each in who),
                None if rtt is None else rtt / 1e6,
                int(lost),
            )
            for ttl, who, rtt, lost in told["hops"]
        )
        return Route(
            endpoint,
            clean(str(told["address"]), ADDRESS_MAX),
            seconds(told["at"]),
            bool(told["healthy"]),
            hops,
            bool(told["reached"]),
            Reason(told["why"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
