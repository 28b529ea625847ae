"""Badges in a real browser: the text fits its field, whatever fonts there are."""

from __future__ import annotations

from tests.browser.test_page import looking
from tests.fakes.figures import record
from tests.fakes.snapshots import World, mixed

MEASURE = """() => {
  const fields = [...document.querySelectorAll('rect')].map(e => e.getBBox());
  return [...document.querySelectorAll('text')].map((e, n) => {
    const b = e.getBBox(), f = fields[n];
    return [b.x - f.x, f.x + f.width - b.x - b.width];
  });
}"""


async def test_the_text_fits_its_field() -> None:
    """Of the longest name as of the shortest: equal margins, and whole under the policy."""
    margins: list[float] = []
    async with looking(World(mixed())) as view:
        for slug in ("aceh", "kepulauan-bangka-belitung", "papua-tengah", "gorontalo"):
            await view.page.goto(f"{view.url}badge/{slug}.svg")
            for left, right in await view.page.evaluate(MEASURE):
                margins += [left, right]
        # a picture opened by itself makes the browser ask for a favicon, which there is none of
        complaints = [each for each in view.complaints if "404" not in each]
    worst = max(abs(margin - 7) for margin in margins)
    record("badge margins", f"{worst:.2f} px off at most", "<= 2 px", worst <= 2)
    assert len(margins) == 16
    assert worst <= 2  # of 7: a browser without Verdana squeezes another font into its widths
    assert complaints == []
