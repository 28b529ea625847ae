"""A webhook that shows what Alertmanager sent, and keeps it as JSON lines.

``python -m dashboards.stack.webhook --listen 127.0.0.1:9850 [--keep FILE]``. Each alert of each
notification is one line with the receiver's name (the last part of the path) and two times: of the
wall, and of CLOCK_MONOTONIC, which tests hold against the moment of a cut.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO

BODY_MAX = 4 * 2**20  # bytes: a group of a thousand alerts with all their annotations has 1 MiB
ALERTS_MAX = 2000  # of one notification
TEXT_MAX = 200  # characters of a label or annotation on the terminal
KEEP_MAX = 200 * 2**20  # bytes of the file; an hour of all alerts of 38 provinces has 5 MiB
READ_SECONDS = 5.0  # a sender that stops in the middle must not hold a thread

COLOURS = {"firing": "\x1b[31m", "resolved": "\x1b[32m"}
PLAIN = "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One alert of one notification, as it arrived."""

    at: float  # seconds of CLOCK_MONOTONIC
    wall: float  # seconds since 1970
    receiver: str
    status: str  # firing or resolved
    fingerprint: str
    starts_at: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def arrivals(body: bytes, receiver: str, at: float, wall: float) -> list[Arrival]:
    """The alerts of a notification (Alertmanager's webhook, version 4). Raises ValueError."""
    message: Any = json.loads(body)
    alerts = message.get("alerts") if isinstance(message, dict) else None
    if not isinstance(alerts, list) or not all(isinstance(one, dict) for one in alerts):
        raise ValueError("expected an object with a list 'alerts' of objects")
    return [_arrival(alert, receiver, at, wall) for alert in alerts[:ALERTS_MAX]]


def _arrival(alert: Mapping[str, object], receiver: str, at: float, wall: float) -> Arrival:
    return Arrival(
        at=at,
        wall=wall,
        receiver=receiver,
        status=str(alert.get("status", "")),
        fingerprint=str(alert.get("fingerprint", "")),
        starts_at=str(alert.get("startsAt", "")),
        labels=_words(alert.get("labels")),
        annotations=_words(alert.get("annotations")),
    )


def _words(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def printable(text: str) -> str:
    """Text from outside that can do nothing to a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:TEXT_MAX])


def shown(arrival: Arrival, *, colour: bool) -> str:
    """One line for people."""
    clock = time.strftime("%H:%M:%S", time.localtime(arrival.wall))
    status = printable(arrival.status)[:8]
    if colour:
        status = f"{COLOURS.get(arrival.status, '')}{status:<8}{PLAIN}"
    name = printable(arrival.labels.get("alertname", "?"))
    words = printable(arrival.annotations.get("summary", ""))
    return f"{clock} {status:<8} {printable(arrival.receiver):<10} {name:<24} {words}"


Take = Callable[[list[Arrival]], None]


def handler(take: Take) -> type[BaseHTTPRequestHandler]:
    """A request handler that hands on what was posted."""

    class Handler(BaseHTTPRequestHandler):
        timeout = READ_SECONDS

        def do_GET(self) -> None:
            self._answer(200)

        def do_POST(self) -> None:
            at, wall = time.monotonic(), time.time()
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit() and int(length) <= BODY_MAX):
                self._answer(413)
                return
            try:
                found = arrivals(
                    self.rfile.read(int(length)), self.path.rpartition("/")[2], at, wall
                )
            except ValueError:
                self._answer(400)
                return
            take(found)
            self._answer(200)

        def log_message(self, *_: object) -> None:
            """What arrives is told by ``take``."""

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler


class Receiver:
    """Shows and keeps what arrives, one notification at a time."""

    def __init__(self, screen: TextIO, keep: Path | None) -> None:
        self._screen = screen
        self._keep = keep
        self._colour = screen.isatty() and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()

    def __call__(self, found: list[Arrival]) -> None:
        with self._lock:
            for arrival in found:
                if arrival.labels.get("severity") != "none":  # the watchdog's beat: kept only
                    print(shown(arrival, colour=self._colour), file=self._screen, flush=True)
            self._write(found)

    def _write(self, found: list[Arrival]) -> None:
        if self._keep is None or (self._keep.exists() and self._keep.stat().st_size > KEEP_MAX):
            return
        with self._keep.open("a", encoding="utf-8") as out:
            out.write("".join(json.dumps(asdict(arrival)) + "\n" for arrival in found))


def read(kept: Path) -> Iterator[Arrival]:
    """What a receiver kept; a last line that is still being written is left for the next time."""
    if kept.exists():
        for line in kept.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                yield Arrival(**json.loads(line))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dashboards.stack.webhook")
    parser.add_argument("--listen", default="127.0.0.1:9850", help="host:port")
    parser.add_argument("--keep", type=Path, help="JSON lines of all that arrived")
    asked = parser.parse_args()
    host, _, port = asked.listen.rpartition(":")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    take = Receiver(sys.stdout, asked.keep)
    with ThreadingHTTPServer((host, int(port)), handler(take)) as server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
