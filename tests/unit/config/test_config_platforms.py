"""Platforms that are there without being defined, and what a profile of their name changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vcmon.config.kinds import PARAMS
from vcmon.config.loader import load
from vcmon.config.params_web import PLATFORMS
from vcmon.config.schema import NAME
from vcmon.errors import ConfigError
from vcmon.model.endpoint import Check

HEADER = "id,province,role,address,checks\n"


def checks(folder: Path, cell: str, settings: str = "") -> dict[str, Check[Any]]:
    """The checks of one endpoint, by name."""
    (folder / "v.yaml").write_text(f"include: [i.csv]\n{settings}")
    (folder / "i.csv").write_text(f"{HEADER}a,aceh,platform,meet.example.id,{cell}\n")
    (endpoint,) = load(folder / "v.yaml").endpoints
    return {check.id.name: check for check in endpoint.checks}


def problems(folder: Path, cell: str, settings: str) -> str:
    with pytest.raises(ConfigError) as error:
        checks(folder, cell, settings)
    return str(error.value)


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    """Without a word in the settings: its kind with its parameters, fit for a metric's label."""
    assert re.fullmatch(NAME, name)
    kind, written = PLATFORMS[name]
    found = checks(tmp_path, name)[name]
    assert found.kind == kind
    assert found.decides
    for key, value in written.items():
        assert getattr(found.params, key) == value
    assert (found.interval, found.timeout) == (10.0, 2.0)


def test_none_hides_a_kind() -> None:
    """No platform is called as a kind is."""
    assert not PLATFORMS.keys() & PARAMS.keys()


def test_an_inventory_may_move_its_port(tmp_path: Path) -> None:
    """``jitsi-bosh:8443 jvb`` beside each other; a port twice gives two checks."""
    found = checks(tmp_path, "jitsi-bosh:8443 jvb jvb:9080")
    assert {name: check.params.port for name, check in found.items()} == {
        "jitsi-bosh": 8443,
        "jvb-8080": 8080,
        "jvb-9080": 9080,
    }
    assert found["jitsi-bosh"].params.tls


def test_a_profile_of_its_name_changes_what_it_says(tmp_path: Path) -> None:
    """The rest stays as built in; another kind of that name is refused."""
    own = "checks: {jitsi-bosh: {kind: bosh, domain: meet.jitsi, interval: 30s}}\n"
    found = checks(tmp_path, "jitsi-bosh", own)["jitsi-bosh"]
    assert (found.params.domain, found.params.port, found.params.tls) == ("meet.jitsi", 443, True)
    assert found.interval == 30.0
    told = problems(tmp_path, "jvb", "checks: {jvb: {kind: https}}\n")
    assert "v.yaml:2: checks.jvb.kind: a profile called jvb must be of kind health" in told


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("{kind: health, field: a, element: b}", "expected field (of JSON) or element (of XML)"),
        ("{kind: health, otherwise: up}", "otherwise: expected 'down' or 'degraded', found 'up'"),
        ("{kind: health, equals: [1]}", "equals"),
        ("{kind: bosh, path: http-bind}", "path: expected"),
        ('{kind: websocket, subprotocol: "a b"}', "subprotocol: expected"),
        ('{kind: websocket, origin: "a\\r\\nX: 1"}', "origin: expected"),
        ('{kind: websocket, host: "a\\r\\nX: 1"}', "host: expected"),
        ("{kind: heartbeat, grace: 2d}", "grace: expected 0ms to 1d"),
        ("{kind: heartbeat, port: 80}", "port: unknown key"),
    ],
)
def test_wrong_parameters_are_refused(tmp_path: Path, profile: str, told: str) -> None:
    """Each with its place and what was expected."""
    found = problems(tmp_path, "x", f"checks: {{x: {profile}}}\n")
    assert "v.yaml:2: checks.x" in found
    assert told in found


def test_a_heartbeat_has_times_of_its_own(tmp_path: Path) -> None:
    """Once a minute unless said otherwise, whatever the defaults are; it has no port."""
    found = checks(tmp_path, "heartbeat", "defaults: {interval: 5s}\n")["heartbeat"]
    assert (found.interval, found.timeout, found.params.grace) == (60.0, 2.0, 45.0)
    assert "heartbeat has no port" in problems(tmp_path, "heartbeat:80", "")
