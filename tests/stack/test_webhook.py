"""The webhook that shows what arrived: hostile bodies, terminals, and what it keeps."""

from __future__ import annotations

import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.stack.webhook import (
    BODY_MAX,
    Arrival,
    Receiver,
    arrivals,
    handler,
    printable,
    read,
    shown,
)

ALERT = {
    "status": "firing",
    "labels": {"alertname": "VcmonProvinceDown", "severity": "critical", "province": "papua"},
    "annotations": {"summary": "Papua (WIT) is down"},
    "startsAt": "2026-11-24T10:00:00Z",
    "fingerprint": "a1",
}
BODY = json.dumps({"version": "4", "alerts": [ALERT]}).encode()


class Terminal(io.StringIO):
    """A screen that says it is one."""

    def isatty(self) -> bool:
        return True


def arrival() -> Arrival:
    (one,) = arrivals(BODY, "pager", 1.0, 0.0)
    return one


@contextmanager
def serving(receiver: Receiver) -> Iterator[str]:
    """The receiver's URL while the block lasts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(receiver)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook/pager"
        finally:
            server.shutdown()
            thread.join()


def post(url: str, body: bytes) -> int:
    """The status of a POST."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, data=body, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_arrives_is_shown_and_kept(tmp_path: Path) -> None:
    """An alert that is posted is one line for people and one that is read back whole."""
    screen, kept = io.StringIO(), tmp_path / "kept"
    with serving(Receiver(screen, kept)) as url:
        assert post(url, BODY) == 200
    assert "firing   pager" in screen.getvalue()
    assert screen.getvalue().count("\n") == 1
    (one,) = read(kept)
    assert (one.receiver, one.fingerprint, one.labels["province"]) == ("pager", "a1", "papua")


def test_the_watchdog_is_kept_but_not_shown(tmp_path: Path) -> None:
    """A beat a minute would hide what matters."""
    screen, kept = io.StringIO(), tmp_path / "kept"
    beat = {**ALERT, "labels": {"alertname": "VcmonWatchdog", "severity": "none"}}
    Receiver(screen, kept)(arrivals(json.dumps({"alerts": [beat]}).encode(), "outside", 1.0, 0.0))
    assert screen.getvalue() == ""
    assert len(list(read(kept))) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"alerts": 3}', b'{"alerts": [3]}'])
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    """400, and it goes on serving."""
    with serving(Receiver(io.StringIO(), None)) as url:
        assert post(url, body) == 400
        assert post(url, BODY) == 200


def test_a_body_that_is_too_long_is_not_read() -> None:
    """413 before a byte of it is taken in."""
    with serving(Receiver(io.StringIO(), None)) as url:
        request = urllib.request.Request(url, data=b"{}", method="POST")
        request.add_header("Content-Length", str(BODY_MAX + 1))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with pytest.raises(urllib.error.HTTPError, match="413") as refused:
            opener.open(request, timeout=5)
        refused.value.close()


@pytest.mark.parametrize(
    ("screen", "no_colour", "coloured"),
    [(io.StringIO(), "", False), (Terminal(), "", True), (Terminal(), "1", False)],
)
def test_colour_only_on_a_terminal(
    screen: io.StringIO, no_colour: str, *, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file gets no escapes, nor does a terminal whose user wants none."""
    monkeypatch.setenv("NO_COLOR", no_colour)
    Receiver(screen, None)([arrival()])
    assert ("\x1b[31m" in screen.getvalue()) is coloured


@given(st.text())
def test_nothing_from_outside_moves_the_cursor(text: str) -> None:
    """Labels and annotations are printable characters of one line, whatever they were."""
    assert printable(text).isprintable()
    one = arrival()
    hostile = Arrival(1.0, 0.0, text, text, "a", "b", {"alertname": text}, {"summary": text})
    for line in (shown(hostile, colour=False), shown(one, colour=False)):
        assert line.isprintable()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    """Whatever is posted gives alerts of words, or ValueError."""
    for body in (value, {"alerts": value}, {"alerts": [value]}, {"alerts": [{"labels": value}]}):
        try:
            found = arrivals(json.dumps(body).encode(), "pager", 1.0, 0.0)
        except ValueError:
            continue
        assert all(isinstance(word, str) for one in found for word in one.labels.values())
