"""The section ``vantages``, and the examples for three of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.settings_files import loaded, problems, write
from vcmon.config.loader import load
from vcmon.config.vantages import MOST, Vantage

EXAMPLES = Path(__file__).resolve().parents[3] / "config" / "vantages"


def test_unsaid_is_not_empty(tmp_path: Path) -> None:
    """Left out, only this vantage is known; an empty list names nobody."""
    assert loaded(tmp_path, "").vantages is None
    assert loaded(tmp_path, "vantages: []").vantages == ()


def test_a_vantage_is_read(tmp_path: Path) -> None:
    """Name and target are needed, the rest may be left out."""
    found = loaded(tmp_path, 'region: papua\nvantages:\n  - {vantage: a, target: "[::1]:80"}')
    assert (found.region, found.vantages) == ("papua", (Vantage(vantage="a", target="[::1]:80"),))


@pytest.mark.parametrize(
    ("vantages", "key", "why"),
    [
        ("[{vantage: a, target: here}]", "vantages[0].target", "expected host:port"),
        ("[{vantage: a, target: 'http://h:80'}]", "vantages[0].target", "expected"),
        ("[{vantage: A, target: 'h:80'}]", "vantages[0].vantage", "expected a name"),
        ("[{vantage: a, target: 'h:80', region: 'A B'}]", "vantages[0].region", "expected a name"),
        ("[{vantage: a}]", "vantages[0].target", "missing"),
        (
            "[{vantage: a, target: 'h:80'}, {vantage: a, target: 'h:81'}]",
            "vantages[1].vantage",
            "one vantage has one vote",
        ),
        (
            "[{vantage: a, target: 'h:80'}, {vantage: b, target: 'h:80'}]",
            "vantages[1].target",
            "one vantage has one vote",
        ),
        (
            f"[{', '.join(f'{{vantage: v{n}, target: h:{n + 1}}}' for n in range(MOST + 1))}]",
            "vantages",
            "64",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, vantages: str, key: str, why: str) -> None:
    """One line with file, line and key, that says what was expected."""
    (told,) = problems(write(tmp_path, f"vantages: {vantages}"))
    assert told.startswith(f"v.yaml:1: {key}: ")
    assert why in told


def test_the_three_examples_are_one_system() -> None:
    """Each loads; they name each other alike, watch the same, and share no canary."""
    found = {path.stem: load(path) for path in EXAMPLES.glob("*.yaml")}
    assert {name: each.vantage for name, each in found.items()} == {name: name for name in found}
    lists = {each.vantages for each in found.values()}
    assert len(found) == 3
    assert len(lists) == 1
    (named,) = lists
    assert {(v.vantage, v.region) for v in named or ()} == {
        (each.vantage, each.region) for each in found.values()
    }
    assert len({each.endpoints for each in found.values()}) == 1
    canaries = [canary for each in found.values() for canary in each.canaries]
    assert len(canaries) == len(set(canaries)) == 9
