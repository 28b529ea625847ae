"""The health probe: against Janus, nginx with canned answers, and hostile documents.

Jitsi and BigBlueButton can't be installed here: what they answer is taken from their documents.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.hostile import Seen, answers, bomb, endless_body, prober, serving
from tests.fakes.platforms import Canned, Janus, canned, janus
from tests.fakes.process import write_settings
from vcmon.config.params_web import PLATFORMS
from vcmon.model.result import Blame, Outcome, Reason

AUTHORITY = Authority()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Janus]:
    with janus(tmp_path_factory.mktemp("janus")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canned]:
    folder = tmp_path_factory.mktemp("nginx")
    with canned(folder, AUTHORITY.issue().write(folder, "server")) as running:
        yield running


async def platform(name: str, **changed: Any) -> Seen:
    """Probe as the built-in profile of this name does, but for what is changed."""
    kind, written = PLATFORMS[name]
    async with prober() as run:
        return await run.run(kind, **{**written, **changed})


def janus_accepts(gateway: Janus, *, accept: bool) -> None:
    body = {"janus": "accept_new_sessions", "accept": accept, "transaction": "t"}
    body["admin_secret"] = "of-the-test"
    url = f"http://127.0.0.1:{gateway.admin}/admin"
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=5) as reply:
        assert json.load(reply)["janus"] == "success"


async def test_janus_that_drains_is_degraded(gateway: Janus) -> None:
    """Janus itself says whether it takes new sessions: UP, degraded while it drains, UP again."""
    seen = [await platform("janus", port=gateway.http)]
    janus_accepts(gateway, accept=False)
    try:
        seen.append(await platform("janus", port=gateway.http))
    finally:
        janus_accepts(gateway, accept=True)
    seen.append(await platform("janus", port=gateway.http))
    assert [one.outcome for one in seen] == [Outcome.UP] * 3
    assert [one.reason for one in seen] == [Reason.OK, Reason.CONTENT, Reason.OK]
    assert [one.result is not None and one.result.impaired for one in seen] == [False, True, False]
    assert seen[1].tools.detail["value"] is False
    assert "accepting-new-sessions is False, expected True" in seen[1].text


async def test_janus_by_other_fields(gateway: Janus) -> None:
    """A path leads into objects; a field that isn't there, or is more than a value, is DOWN."""
    async with prober() as run:

        async def look(field: str, equals: object = True) -> Seen:
            where: dict[str, Any] = {"port": gateway.http, "path": "/janus/info"}
            return await run.run("health", field=field, equals=equals, **where)

        kind = await look("janus", "server_info")
        library = await look("dependencies.glib2", "1.0")
        missing = await look("no-such-field")
        more = await look("transports")
    assert kind.outcome is Outcome.UP, kind.text
    assert (library.outcome, library.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert str(library.tools.detail["value"]).startswith("2.")
    assert (missing.outcome, missing.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert "expected a value at no-such-field" in missing.text
    assert "expected one value at transports" in more.text


def test_an_inventory_names_a_platform_and_that_is_all(gateway: Janus, tmp_path: Path) -> None:
    """`janus` in the column `checks`, moved to its port, without a word in the settings."""
    cell = f"janus:{gateway.http}"
    config = write_settings(tmp_path, [f"a,aceh,platform,127.0.0.1,{cell},"], port=1)
    command = [sys.executable, "-m", "vcmon", "probe", "a", "--config", str(config), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    (told,) = json.loads(done.stdout)
    assert (done.returncode, told["kind"], told["check"]) == (0, "health", "janus")
    assert told["detail"]["value"] is True


@pytest.mark.parametrize("name", ["jvb", "jicofo"])
async def test_jitsi_is_as_well_as_its_health_page_says(name: str, pages: Canned) -> None:
    """200 without a body is healthy; 500 (sick), 503 (starting) and a page for people are DOWN."""
    well = await platform(name, port=pages.http)
    sick = await platform(name, port=pages.http, path="/sick/about/health")
    starting = await platform(name, port=pages.http, path="/starting/about/health")
    portal = await platform(name, port=pages.http, path="/")
    assert well.outcome is Outcome.UP, well.text
    assert [one.reason for one in (sick, starting, portal)] == [
        Reason.STATUS,
        Reason.STATUS,
        Reason.CONTENT,
    ]
    assert {one.outcome for one in (sick, starting, portal)} == {Outcome.DOWN}


async def test_bigbluebutton_says_success(
    pages: Canned, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SUCCESS over TLS is UP, with the certificate verified; FAILED and a page are DOWN."""
    ca_file = AUTHORITY.ca_file(tmp_path_factory.mktemp("ca"))
    here = {"port": pages.https, "ca_file": ca_file}
    well = await platform("bigbluebutton", **here)
    failed = await platform("bigbluebutton", **here, path="/failed/bigbluebutton/api")
    portal = await platform("bigbluebutton", **here, path="/")
    strange = await platform("bigbluebutton", port=pages.https)
    assert well.outcome is Outcome.UP, well.text
    assert well.tools.certificate_expiry is not None
    assert (failed.outcome, failed.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert "returncode is 'FAILED', expected 'SUCCESS'" in failed.text
    assert (portal.outcome, portal.reason) == (Outcome.DOWN, Reason.CONTENT)
    assert strange.reason is Reason.TLS_CERTIFICATE_UNTRUSTED


LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'ha'>%s]><r><returncode>&k;</returncode></r>" % b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(10)
)
QUADRATIC = b"<!DOCTYPE r [<!ENTITY a '%s'>]><r>%s</r>" % (b"a" * 20_000, b"&a;" * 10_000)
JSON, XML = {"field": "state.0.ok"}, {"element": "returncode", "equals": "SUCCESS"}
HOSTILE: dict[str, tuple[dict[str, Any], bytes]] = {
    "100,000 lists within each other": (JSON, b"[" * 30_000 + b"]" * 30_000),
    "objects within each other": (JSON, b'{"state":' * 7_000 + b"1" + b"}" * 7_000),
    "a number of 60,000 digits": (JSON, b'{"state": [{"ok": ' + b"9" * 60_000 + b"}]}"),
    "1 MB of JSON": (JSON, b'{"a": "' + b"x" * 1_000_000 + b'", "state": [{"ok": true}]}'),
    "NaN": (JSON, b'{"state": [{"ok": NaN}]}'),
    "cut JSON": (JSON, b'{"state": [{"ok": tru'),
    "another position": (JSON, b'{"state": []}'),
    "broken UTF-8": (JSON, b'{"state": [{"ok": "\xff"}]}'),
    "nothing for JSON": (JSON, b""),
    "one for true": (JSON, b'{"state": [{"ok": 1}]}'),
    "text for true": (JSON, b'{"state": [{"ok": "true"}]}'),
    "null for true": (JSON, b'{"state": [{"ok": null}]}'),
    "a billion laughs": (XML, LAUGHS),
    "quadratic laughs": (XML, QUADRATIC),
    "an external entity": (
        XML,
        b"<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><r><returncode>&x;</returncode></r>",
    ),
    "an external document type": (
        XML,
        b"<!DOCTYPE r SYSTEM 'http://127.0.0.1:9/x.dtd'><r><returncode>SUCCESS</returncode></r>",
    ),
    "another encoding": (XML, "<?xml version='1.0' encoding='utf-7'?><r>+</r>".encode("utf-16")),
    "elements within each other": (XML, b"<a>" * 9_000 + b"</a>" * 9_000),
    "no such element": (XML, b"<response><version>2.0</version></response>"),
    "cut XML": (XML, b"<response><returncode>SUCC"),
    "nothing for XML": (XML, b""),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_documents_are_down_at_once(name: str) -> None:
    """Whatever the body: DOWN `content`, bounded in time, told short and printable."""
    params, body = HOSTILE[name]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(answers(head + body)) as port:
        async with prober() as run:
            seen = await run.run("health", port=port, **params)
    assert (seen.outcome, seen.reason, seen.blame) == (
        Outcome.DOWN,
        Reason.CONTENT,
        Blame.REMOTE,
    ), seen.text
    assert seen.elapsed < 0.5
    assert seen.text.isprintable()
    assert len(seen.text) < 300


async def test_bombs_and_endless_bodies_are_bounded() -> None:
    """64 kB that unpack to 64 MiB, and a body without an end: DOWN, within the time."""
    with serving(bomb) as port:
        async with prober() as run:
            packed = await run.run("health", port=port, field="a")
    with serving(endless_body) as port:
        async with prober() as run:
            endless = await run.run("health", port=port, field="a")
    for seen in (packed, endless):
        assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.CONTENT), seen.text
        assert seen.elapsed < 1.0


async def test_values_are_compared_as_what_they_are() -> None:
    """Numbers, text and truth; a byte order mark is no obstacle; XML text is trimmed."""
    body = '\ufeff{"a": {"b": [1, 2.5, "x"]}, "t": false}'.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(answers(head + body)) as port:
        async with prober() as run:
            for field, equals in (("a.b.0", 1), ("a.b.1", 2.5), ("a.b.2", "x"), ("t", False)):
                seen = await run.run("health", port=port, field=field, equals=equals)
                assert seen.outcome is Outcome.UP, seen.text
    xml = b"<a><b> \n true </b><b>no</b></a>"
    with serving(
        answers(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(xml) + xml)
    ) as port:
        async with prober() as run:
            assert (await run.run("health", port=port, element="b")).outcome is Outcome.UP
