"""Facts and changes made by hand, for the memory."""

from __future__ import annotations

from itertools import count

from tests.fakes.clock import EPOCH
from vcmon.history.book import Book
from vcmon.history.facts import EndpointFact, Facts
from vcmon.history.incidents import Page, Rules, advance
from vcmon.model.memory import Incident
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State, Transition


def change(
    subject: str, new: State, at: float, *, parent: str | None = None, old: State = State.UP
) -> Transition:
    """A change at EPOCH + ``at`` that was noticed five seconds later."""
    moment = EPOCH + at
    lost = new in {State.DOWN, State.UNREACHABLE}
    reason = Reason.PARENT if parent else Reason.TIMEOUT if lost else Reason.OK
    before = Standing(old, Reason.OK, since=moment - 3600)
    after = Standing(new, reason, Blame.PATH if lost else Blame.NONE, moment, moment + 5, parent)
    return Transition(subject, before, after, moment, moment + 5)


def down(subject: str, at: float, parent: str | None = None) -> Transition:
    """A loss: ``unreachable`` with a parent, else ``down``."""
    return change(subject, State.UNREACHABLE if parent else State.DOWN, at, parent=parent)


def up(subject: str, at: float) -> Transition:
    return change(subject, State.UP, at, old=State.DOWN)


def country(**islands: int) -> Facts:
    """So many provinces an island (``papua0`` ...), each a router and a codec behind the hub."""
    endpoints = {"hub": EndpointFact("pusat", conference=False)}
    where = {"pusat": "jawa"}
    for island, size in islands.items():
        for n in range(size):
            slug = f"{island}{n}"
            where[slug] = island
            provider, medium = f"provider-{n % 2}", "fibre"
            endpoints[f"{slug}-router"] = EndpointFact(
                slug, provider, medium, conference=False, parents=("hub",)
            )
            endpoints[f"{slug}-codec"] = EndpointFact(slug, parents=(f"{slug}-router",))
    return Facts.made(endpoints, where)


class Clerk:
    """Keeps a book, and every incident as it was last told."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.numbers = count(1)
        self.page = Page(Book())
        self.told: dict[int, Incident] = {}

    def take(self, *events: Transition) -> Page:
        """One batch."""
        self.page = advance(self.page.book, events, self.rules, lambda: next(self.numbers))
        self.told.update({incident.id: incident for incident in self.page.changed})
        return self.page

    def router(self, slug: str, at: float) -> Page:
        """A province whose router dies, as the board tells it."""
        return self.take(
            down(f"endpoint:{slug}-router", at),
            down(f"endpoint:{slug}-codec", at, f"{slug}-router"),
            down(f"province:{slug}", at, f"{slug}-router"),
        )

    def back(self, slug: str, at: float) -> Page:
        """The same province well again."""
        names = (f"endpoint:{slug}-router", f"endpoint:{slug}-codec", f"province:{slug}")
        return self.take(*(up(name, at) for name in names))

    @property
    def open(self) -> list[Incident]:
        return list(self.page.book.open.values())
