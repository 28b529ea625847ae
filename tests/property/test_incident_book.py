"""Whatever happens, in whatever order: every lost subject has exactly one open incident."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.clock import EPOCH
from tests.fakes.incident_book import Clerk, change, country
from vcmon.history.book import Book
from vcmon.history.incidents import Rules
from vcmon.model.status import State, Transition

FACTS = country(papua=5, jawa=3)
NAMES = [f"endpoint:{name}" for name in FACTS.endpoints]
NAMES += [f"province:{slug}" for slug in FACTS.provinces]
PARENTS = [None, None, "hub", *(f"{slug}-router" for slug in ("papua0", "papua1", "jawa0"))]


@st.composite
def batches(draw: st.DrawFn) -> list[list[Transition]]:
    """Any changes of any subjects, forward and backward in time, in batches."""
    now = 0.0
    made: list[list[Transition]] = []
    for _ in range(draw(st.integers(1, 12))):
        events = []
        for _ in range(draw(st.integers(1, 8))):
            now += draw(st.sampled_from([0.0, 0.5, 30.0, 119.0, 121.0, 899.0, 2000.0, -50.0]))
            state = draw(st.sampled_from(list(State)))
            lost = state in {State.DOWN, State.UNREACHABLE}
            parent = draw(st.sampled_from(PARENTS)) if lost else None
            events.append(change(draw(st.sampled_from(NAMES)), state, now, parent=parent))
        made.append(events)
    return made


def lost_after(batches: list[list[Transition]]) -> set[str]:
    """What is lost: UNKNOWN says nothing, so what was lost before it still is."""
    lost: set[str] = set()
    for event in (event for batch in batches for event in batch):
        if event.new.state in {State.DOWN, State.UNREACHABLE}:
            lost.add(event.subject)
        elif event.new.state in {State.UP, State.DEGRADED}:
            lost.discard(event.subject)
    return lost


def whole(book: Book) -> None:
    owners = [incident.owner for incident in book.open.values()]
    assert len(owners) == len(set(owners))
    members = [m.subject for i in book.open.values() for m in i.members if m.stop is None]
    assert len(members) == len(set(members))
    assert set(members) == set(book.where)
    for incident in book.open.values():
        assert incident.stop is None
        assert incident.start <= min(m.start for m in incident.members)
    for incident in book.recent.values():
        assert incident.stop is not None
        assert all(m.stop is not None and m.stop >= m.start for m in incident.members)
        assert incident.stop >= max(m.stop or 0.0 for m in incident.members)


@given(batches())
@settings(max_examples=400, deadline=None)
def test_every_lost_subject_is_in_exactly_one_open_incident(
    batches: list[list[Transition]],
) -> None:
    """One open incident an owner, each lost subject in one of them, none when all is well."""
    clerk = Clerk(Rules(FACTS))
    for number, batch in enumerate(batches, 1):
        clerk.take(*batch)
        whole(clerk.page.book)
        assert set(clerk.page.book.where) == lost_after(batches[:number])
        assert bool(clerk.page.book.open) is bool(clerk.page.book.where)


@given(batches())
@settings(max_examples=200, deadline=None)
def test_what_was_told_is_the_book(batches: list[list[Transition]]) -> None:
    """Whoever keeps each incident as it was last told can build the same open book from it."""
    clerk = Clerk(Rules(FACTS))
    for batch in batches:
        clerk.take(*batch)
        kept = Book.of(clerk.told.values())
        assert kept.open == clerk.page.book.open
        assert kept.where == clerk.page.book.where
        merged = [i for i in clerk.told.values() if i.merged_into is not None]
        for incident in merged:
            assert incident.stop is not None
            assert incident.merged_into is not None
            assert incident.merged_into < incident.id
    assert clerk.page.book.recent.items() <= Book.of(clerk.told.values()).recent.items()


@given(batches())
@settings(max_examples=150, deadline=None)
def test_when_all_is_well_nothing_is_open(batches: list[list[Transition]]) -> None:
    """An UP of everything closes everything, at the last of them."""
    clerk = Clerk(Rules(FACTS))
    for batch in batches:
        clerk.take(*batch)
    at = 100_000.0
    clerk.take(*(change(name, State.UP, at, old=State.DOWN) for name in NAMES))
    assert not clerk.page.book.open
    assert all(i.stop == EPOCH + at for i in clerk.page.changed if i.merged_into is None)
