"""A TCP connect; and the connection that the TLS and HTTP probes stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vcmon.config.params import TcpParams
from vcmon.errors import ProbeError
from vcmon.model.endpoint import Check
from vcmon.model.result import Result
from vcmon.net.tcp import Stream, connect
from vcmon.probes.base import Tools


async def probe(check: Check[TcpParams], tools: Tools) -> Result:
    """UP when the port takes a connection; impaired when it drops it again at once.

    Firewalls and load balancers take connections for a dead service and cut them one round trip
    later, so the connection is watched for that long.
    """
    async with connection(check, check.params.port, tools) as stream:
        try:
            await stream.watch(settling_time(tools))
        except ProbeError as fault:
            text = f"{fault.text}: something in front may answer for a dead service"
            return tools.impaired(check, fault.reason, text)
    return tools.up(check)


@asynccontextmanager
async def connection(check: Check[Any], port: int, tools: Tools) -> AsyncIterator[Stream]:
    """A connection to the check's address, closed at the end of the block.

    Measures the phases ``resolve`` and ``connect``; what was lost and sent again shows in
    ``tools.transmissions``, also when the block fails.
    """
    with tools.phase("resolve"):
        addresses = await tools.resolver.resolve(check.address, tools.deadline)
    try:
        with tools.phase("connect"):
            stream = await connect(addresses, port, tools.deadline)
    except ProbeError:
        tools.resolver.demote(check.address, addresses[0])  # it may have moved: ask again
        raise
    if stream.peer != addresses[0]:
        tools.resolver.demote(check.address, addresses[0])
    tools.detail["address"] = stream.peer
    try:
        yield stream
    finally:
        stream.close()
        tools.transmissions = max(tools.transmissions, 1 + stream.segments_retransmitted())


def settling_time(tools: Tools) -> float:
    """Seconds after which a peer that meant to hang up has done so: a round trip and a bit."""
    round_trip = tools.phases.get("connect", 0.0)
    return min(1.5 * round_trip + 0.02, tools.deadline.remaining() / 2)
