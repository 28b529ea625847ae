"""A path of UDP with a mind of its own: what passes it may be late, or lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from tests.fakes.sip_peers import HOST, Address

Whims = Callable[[bytes, bool], float | None]
"""Seconds by which a datagram is late, None for lost; True: it goes to the server."""


@asynccontextmanager
async def udp_relay(server: Address, whims: Whims) -> AsyncIterator[int]:
    """The port of a relay to ``server``, which sees a port of its own for each client's."""
    path = _Path(server, whims)
    loop = asyncio.get_running_loop()
    near, _ = await loop.create_datagram_endpoint(lambda: path, (HOST, 0))
    try:
        yield int(near.get_extra_info("sockname")[1])
    finally:
        path.close()
        await asyncio.sleep(0)


class _Path(asyncio.DatagramProtocol):
    """The side of the clients."""

    def __init__(self, server: Address, whims: Whims) -> None:
        self.whims = whims
        self._server = server
        self._near: asyncio.DatagramTransport | None = None
        self._far: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._near = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        late = self.whims(data, True)
        if late is not None:
            asyncio.get_running_loop().call_later(late, self._send, data, addr)

    def back(self, data: bytes, client: Address) -> None:
        late = self.whims(data, False)
        if late is not None:
            asyncio.get_running_loop().call_later(late, self._answer, data, client)

    def close(self) -> None:
        for far in self._far.values():
            if far.done():
                far.result().close()
        if self._near is not None:
            self._near.close()

    def _answer(self, data: bytes, client: Address) -> None:
        if self._near is not None and not self._near.is_closing():
            self._near.sendto(data, client)

    def _send(self, data: bytes, client: Address) -> None:
        if client not in self._far:
            self._far[client] = asyncio.ensure_future(self._open(client))
        self._far[client].add_done_callback(lambda far: _pass(far.result(), data))

    async def _open(self, client: Address) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        far, _ = await loop.create_datagram_endpoint(
            lambda: _Far(self, client), remote_addr=self._server
        )
        return far


def _pass(far: asyncio.DatagramTransport, data: bytes) -> None:
    if not far.is_closing():
        far.sendto(data)


class _Far(asyncio.DatagramProtocol):
    """The side of the server, for one client."""

    def __init__(self, path: _Path, client: Address) -> None:
        self._path = path
        self._client = client

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._path.back(data, self._client)
