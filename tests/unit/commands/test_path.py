"""``vcmon path``, and paths in ``vcmon incident show``: side by side, and fit for a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.fakes.filled_memory import fill
from tests.fakes.settings_files import rows, write
from vcmon.cli import cli
from vcmon.history.store import Store
from vcmon.model.path import Hop, Route
from vcmon.model.result import Reason

INVENTORY = rows("a,aceh,,codec,127.0.0.1,icmp,,,,", "six,bali,,codec,::1,icmp,,,,")
OLD = (Hop(1, ("10.0.0.1",), 0.0012), Hop(2, lost=3), Hop(3, ("127.0.0.1",), 0.03))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    fill(tmp_path / "m.db")
    store = Store.open(tmp_path / "m.db")
    start = next(each.start for each in store.open_incidents())
    store.put_route(Route("a", "127.0.0.1", start - 9000, True, OLD, True, Reason.OK))
    store.put_route(Route("a", "127.0.0.1", start + 9, False, OLD[:1], False, Reason.TIMEOUT))
    store.close()
    return write(tmp_path, "history: {path: m.db}\n", INVENTORY)


def vcmon(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--config", str(config)])


def test_an_incident_shows_both_ways_side_by_side(config: Path) -> None:
    """A sentence, then a line a hop with the way before and the way now."""
    lines = vcmon(config, "incident", "show", "2").stdout.splitlines()
    at = lines.index("path to a (127.0.0.1): stops after 10.0.0.1, went on to 127.0.0.1 before")
    heads, *hops = lines[at + 1 :]
    assert heads.startswith("ttl  before, 20")
    assert "now, 20" in heads
    assert [line.split() for line in hops] == [
        ["1", "10.0.0.1", "1.2", "ms", "10.0.0.1", "1.2", "ms"],
        ["2", "*"],
        ["3", "127.0.0.1", "30.0", "ms"],
    ]
    whole = json.loads(vcmon(config, "incident", "show", "2", "--json").stdout)
    assert whole["paths"][0]["verdict"]["change"] == "stops"


def test_a_trace_now_stands_beside_the_healthy_one(config: Path) -> None:
    """It is traced at once, and what is remembered is laid beside it; 0 where it arrives."""
    found = vcmon(config, "path", "a")
    assert found.exit_code == 0, found.output
    assert "path to a (127.0.0.1): the way is whole, up to the address itself" in found.stdout
    assert found.stdout.splitlines()[2].split()[:3] == ["1", "10.0.0.1", "1.2"]
    told = json.loads(vcmon(config, "path", "six", "--json").stdout)
    assert told["now"]["hops"][0]["addresses"] == ["::1"]
    assert told["before"] is None


def test_who_can_not_be_traced_is_told(config: Path, tmp_path: Path) -> None:
    """2 for who is not in the inventory, 3 for what our own side can't do; a missing memory is
    no reason not to trace.
    """
    assert vcmon(config, "path", "zz").exit_code == 2
    (tmp_path / "m.db").unlink()
    found = vcmon(config, "path", "a")
    assert found.exit_code == 0
    assert "before, -" in found.stdout
    bad = write(tmp_path, "history: {path: ''}\n", rows("a,aceh,,codec,no.such.invalid,icmp,,,,"))
    assert vcmon(bad, "path", "a").exit_code == 3
