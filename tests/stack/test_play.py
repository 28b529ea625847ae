"""When a scene was played well."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.lab.truth import DOWN, Cut, Expect
from tests.stack.ledger import Page
from tests.stack.play import Scene, heard

LABELS = (("alertname", "VcmonProvinceDown"), ("province", "papua"))
PAGE = Page("VcmonProvinceDown", LABELS, fired=1, resolved=9, tellings=1, resolves=1)
SCENE = Scene(
    Cut("drop", "papua", lambda: None, lambda: None, {}, Expect(DOWN)),
    ("VcmonProvinceDown(papua)",),
)


def test_just_its_pages_once_each() -> None:
    """Nothing is wrong with one page that was told once and resolved once."""
    assert heard(SCENE, [PAGE]) == []


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "pages: expected"),
        ([PAGE, PAGE], "pages: expected"),
        ([replace(PAGE, name="VcmonParentDown")], "pages: expected"),
        ([replace(PAGE, resolved=math.inf, resolves=0)], "never resolved"),
        ([replace(PAGE, tellings=2)], "told 2 x and 1 x"),
        ([replace(PAGE, resolves=2)], "told 1 x and 2 x"),
    ],
)
def test_anything_else_is_a_problem(found: list[Page], says: str) -> None:
    """Missing, another, a second, without end, or told twice."""
    (problem,) = heard(SCENE, found)
    assert says in problem
