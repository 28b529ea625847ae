"""What the memory needs to know of the inventory: who stands where, behind what, run by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vcmon.config.settings import Settings
from vcmon.model.endpoint import CONFERENCE_ROLES, Endpoint

CENTRE = "pusat"
"""No member of any group: what falls with the Centre is behind it, not beside it."""


@dataclass(frozen=True, slots=True)
class EndpointFact:
    """One endpoint, as far as incidents and maintenance look at it."""

    province: str  # slug
    provider: str = ""
    medium: str = ""
    conference: bool = True  # decides whether its province is up
    parents: tuple[str, ...] = ()  # ids of what it directly depends on


@dataclass(frozen=True, slots=True)
class Facts:
    """The inventory by name; replaced whole when the settings are."""

    endpoints: Mapping[str, EndpointFact] = field(default_factory=dict)  # by id
    islands: Mapping[str, str] = field(default_factory=dict)  # slug -> island group
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # slug -> endpoint ids
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # scope -> slugs

    @classmethod
    def of(cls, settings: Settings) -> Facts:
        """The facts of these settings."""
        endpoints = {each.id: _fact(each) for each in settings.endpoints}
        slugs = dict.fromkeys(fact.province for fact in endpoints.values())
        islands = {slug: settings.provinces[slug].island for slug in slugs}
        return cls.made(endpoints, islands)

    @classmethod
    def made(cls, endpoints: Mapping[str, EndpointFact], islands: Mapping[str, str]) -> Facts:
        """The facts of these endpoints, in provinces on these islands."""
        members: dict[str, tuple[str, ...]] = {}
        groups: dict[str, set[str]] = {}
        for name, fact in endpoints.items():
            members[fact.province] = (*members.get(fact.province, ()), name)
            if fact.province == CENTRE:
                continue
            named = (
                ("island", islands.get(fact.province, "")),
                ("provider", fact.provider),
                ("medium", fact.medium),
            )
            for kind, value in named:
                if value:
                    groups.setdefault(f"{kind}:{value}", set()).add(fact.province)
        frozen = {scope: frozenset(slugs) for scope, slugs in groups.items()}
        return cls(endpoints, islands, members, frozen)

    @property
    def provinces(self) -> tuple[str, ...]:
        """The slugs that have endpoints, the Centre included."""
        return tuple(self.members)

    def province_of(self, subject: str) -> str:
        """The slug of a series' province; "" for one that the inventory does not know."""
        kind, _, name = subject.partition(":")
        if kind == "province":
            return name
        fact = self.endpoints.get(name) if kind == "endpoint" else None
        return fact.province if fact else ""

    def above(self, endpoint: str) -> frozenset[str]:
        """All that the way to ``endpoint`` leads over, near or far, by id."""
        seen: set[str] = set()
        queue = [endpoint]
        while queue:
            fact = self.endpoints.get(queue.pop())
            for parent in fact.parents if fact else ():
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return frozenset(seen)

    def is_behind(self, endpoint: str, other: str) -> bool:
        """Whether the way to ``endpoint`` leads, near or far, over ``other``."""
        return other in self.above(endpoint)


def _fact(endpoint: Endpoint) -> EndpointFact:
    return EndpointFact(
        province=endpoint.province,
        provider=endpoint.provider,
        medium=endpoint.medium,
        conference=endpoint.role in CONFERENCE_ROLES,
        parents=endpoint.depends_on,
    )
