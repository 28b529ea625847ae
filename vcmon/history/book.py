"""The book of incidents: what is open and what closed lately, and a draft of its next page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from vcmon.model.memory import Incident, Member, Remark
from vcmon.model.result import Reason
from vcmon.model.status import Transition

STRETCHES = 50
"""Times that one subject may fall and rise within one incident and each is kept; what flaps on
lengthens its last stretch. The intervals have every second of it anyhow."""

RECENT = 1_000
"""Closed incidents that are remembered for a recurrence."""


@dataclass(frozen=True, slots=True)
class Book:
    """Open incidents, and those that closed lately enough to be reopened; replaced whole."""

    open: Mapping[int, Incident] = field(default_factory=dict)
    recent: Mapping[int, Incident] = field(default_factory=dict)
    where: Mapping[str, int] = field(default_factory=dict)  # lost subject -> its open incident
    left: Mapping[str, int] = field(default_factory=dict)  # well subject -> where it was last lost

    @classmethod
    def of(cls, incidents: Iterable[Incident]) -> Book:
        """The book as a store remembers it: its open incidents and the recently closed ones."""
        kept = sorted((i for i in incidents if i.merged_into is None), key=lambda i: i.start)
        where: dict[str, int] = {}
        left: dict[str, int] = {}
        for incident in kept:
            for member in incident.members:
                (where if member.stop is None else left)[member.subject] = incident.id
        return cls(
            open={i.id: i for i in kept if i.stop is None},
            recent={i.id: i for i in kept if i.stop is not None},
            where=where,
            left=left,
        )


def with_remarks(book: Book, incident: int, remarks: Sequence[Remark]) -> Book:
    """The book after people said something (oldest first, complete) of one incident."""
    if incident in book.open:
        changed = replace(book.open[incident], remarks=tuple(remarks))
        return replace(book, open={**book.open, incident: changed})
    if incident in book.recent:
        changed = replace(book.recent[incident], remarks=tuple(remarks))
        return replace(book, recent={**book.recent, incident: changed})
    return book


@dataclass(slots=True)
class Case:
    """One incident being written on."""

    fact: Incident  # all but its members, which stand below
    members: dict[int, Member] = field(default_factory=dict)  # in order
    lost: dict[str, int] = field(default_factory=dict)  # subject -> key of its open stretch
    stretches: dict[str, list[int]] = field(default_factory=dict)  # subject -> all its keys
    fresh: bool = False  # opened on this very page

    @classmethod
    def of(cls, incident: Incident) -> Case:
        case = cls(incident)
        case.take(incident.members)
        return case

    def take(self, members: Iterable[Member]) -> None:
        """Add these stretches to those that are there."""
        free = next(reversed(self.members), -1) + 1
        for key, member in enumerate(members, free):
            self.members[key] = member
            self.stretches.setdefault(member.subject, []).append(key)
            if member.stop is None:
                self.lost[member.subject] = key

    def began(self, subject: str) -> float:
        """The onset of the subject's open stretch."""
        return self.members[self.lost[subject]].start

    def ended(self, subject: str) -> float:
        """The end of the subject's last closed stretch; minus infinity without any."""
        stops = (self.members[key].stop for key in self.stretches.get(subject, ()))
        return max((stop for stop in stops if stop is not None), default=float("-inf"))

    def join(self, subject: str, at: float) -> None:
        """The subject is lost since ``at``."""
        earlier = self.stretches.get(subject, [])
        if len(earlier) >= STRETCHES:
            key = self.lost[subject] = earlier[-1]
            self.members[key] = replace(self.members[key], stop=None)
        else:
            self.take((Member(subject, at, None),))
        if at < self.fact.start:
            self.fact = replace(self.fact, start=at)

    def leave(self, subject: str, at: float) -> None:
        """The subject is well (or somebody else's) since ``at``; the last one closes the case."""
        key = self.lost.pop(subject)
        member = self.members[key]
        self.members[key] = replace(member, stop=max(at, member.start))
        if not self.lost:
            ends = max(m.stop for m in self.members.values() if m.stop is not None)
            self.fact = replace(self.fact, stop=max(ends, self.fact.start))

    def lift(self, subject: str) -> Member:
        """Take the subject's open stretch out: it never belonged here."""
        key = self.lost.pop(subject)
        self.stretches[subject].remove(key)
        return self.members.pop(key)

    def incident(self) -> Incident:
        return replace(self.fact, members=tuple(self.members.values()))


class Draft:
    """The next page of a book: everything that changes, until :meth:`finish`."""

    def __init__(self, book: Book, ids: Callable[[], int]) -> None:
        self._book = book
        self._ids = ids
        self._open = dict(book.open)
        self._recent = dict(book.recent)
        self._owners = {incident.owner: id_ for id_, incident in book.open.items()}
        self._closed = {incident.owner: id_ for id_, incident in book.recent.items()}
        self.where = dict(book.where)
        self.left = dict(book.left)
        self.cases: dict[int, Case] = {}  # what was touched

    def case(self, incident: int) -> Case:
        """The incident, to be written on."""
        if incident not in self.cases:
            known = self._open.get(incident) or self._recent[incident]
            self.cases[incident] = Case.of(known)
        return self.cases[incident]

    def home(self, subject: str) -> Case | None:
        """The open incident that the lost subject belongs to."""
        incident = self.where.get(subject)
        return None if incident is None else self.case(incident)

    def owned(self, owner: str) -> Case | None:
        """The open incident of this owner, or the one that the owner itself is a member of."""
        incident = self._owners.get(owner)
        return self.home(owner) if incident is None else self.case(incident)

    def last(self, subject: str) -> Case | None:
        """The incident in which the subject was last lost, if it is still known."""
        incident = self.left.get(subject)
        known = incident is not None and (incident in self._open or incident in self._recent)
        return self.case(incident) if known and incident is not None else None

    def closed_of(self, owner: str) -> Case | None:
        """The latest closed incident of this owner, if it is still known."""
        incident = self._closed.get(owner)
        return None if incident is None else self.case(incident)

    def begin(self, owner: str, event: Transition) -> Case:
        """A new incident of this owner, with nobody in it yet."""
        new = Incident(
            id=self._ids(),
            owner=owner,
            start=event.at,
            known_at=event.noticed_at,
            stop=None,
            reason=event.new.reason,
        )
        self.cases[new.id] = Case(new, fresh=True)
        self._open[new.id] = new
        self._owners[owner] = new.id
        return self.cases[new.id]

    def reopen(self, case: Case) -> Case:
        """The same incident again; or the open one that has its owner by now."""
        if (other := self._owners.get(case.fact.owner)) is not None:
            return self.case(other)
        fact = replace(case.fact, stop=None, reopened=case.fact.reopened + 1)
        case.fact = fact
        self._forget_closed(fact)
        self._open[fact.id] = fact
        self._owners[fact.owner] = fact.id
        return case

    def _forget_closed(self, fact: Incident) -> None:
        self._recent.pop(fact.id, None)
        if self._closed.get(fact.owner) == fact.id:
            del self._closed[fact.owner]

    def join(self, case: Case, subject: str, at: float) -> None:
        case.join(subject, at)
        self.where[subject] = case.fact.id
        self.left.pop(subject, None)

    def leave(self, subject: str, at: float) -> None:
        """The subject is well since ``at``."""
        case = self.home(subject)
        if case is None:
            return
        case.leave(subject, at)
        self.left[subject] = self.where.pop(subject)
        if not case.lost:
            self._close(case)

    def _close(self, case: Case) -> None:
        id_ = case.fact.id
        self._open.pop(id_, None)
        self._recent[id_] = case.fact
        self._closed[case.fact.owner] = id_
        if self._owners.get(case.fact.owner) == id_:
            del self._owners[case.fact.owner]

    def move(self, subject: str, into: Case, at: float) -> None:
        """The subject, lost as before, belongs to another incident since ``at``."""
        case = self.home(subject)
        if case is None or case is into:
            return
        if at > case.began(subject):
            self.leave(subject, at)
            self.join(into, subject, at)
            return
        member = case.lift(subject)
        into.join(subject, member.start)
        self.where[subject] = into.fact.id
        if not case.lost:
            self.merge([case, into], into.fact.owner)

    def merge(self, cases: Sequence[Case], owner: str) -> Case:
        """One incident of several; the earliest id survives and takes over all that was said."""
        cases = sorted(cases, key=lambda case: case.fact.id)
        survivor = cases[0]
        for other in cases:
            self._forget_closed(other.fact)
            if self._owners.get(other.fact.owner) == other.fact.id:
                del self._owners[other.fact.owner]
        for other in cases[1:]:
            self._absorb(survivor, other)
        survivor.fact = replace(survivor.fact, owner=owner, stop=None)
        self._open[survivor.fact.id] = survivor.fact
        self._owners[owner] = survivor.fact.id
        return survivor

    def _absorb(self, survivor: Case, other: Case) -> None:
        into, gone = survivor.fact, other.fact
        survivor.take(other.members.values())
        earliest = min(into, gone, key=lambda fact: (fact.start, fact.id))
        survivor.fact = replace(
            into,
            start=earliest.start,
            known_at=min(into.known_at, gone.known_at),
            reason=earliest.reason if earliest.reason is not Reason.PARENT else into.reason,
            reopened=max(into.reopened, gone.reopened),
            remarks=tuple(sorted((*into.remarks, *gone.remarks), key=lambda r: r.at)),
        )
        for places in (self.where, self.left):
            places.update({s: into.id for s, id_ in places.items() if id_ == gone.id})
        ends = max(gone.start, gone.known_at)
        other.fact = replace(gone, stop=gone.stop or ends, merged_into=into.id)
        other.members, other.lost, other.stretches = {}, {}, {}
        self._open.pop(gone.id, None)
        self._forget_closed(gone)

    def finish(self, forget_before: float) -> tuple[Book, tuple[Incident, ...]]:
        """(the new book, what changed); closed incidents from before that time leave the book."""
        changed = {id_: case.incident() for id_, case in self.cases.items()}
        now_open = {id_: changed.get(id_, known) for id_, known in self._open.items()}
        recent = {id_: changed.get(id_, known) for id_, known in self._recent.items()}
        kept = [i for i in recent.values() if (i.stop or 0.0) >= forget_before]
        kept = sorted(kept, key=lambda i: i.stop or 0.0)[-RECENT:]
        recent = {incident.id: incident for incident in kept}
        known_ids = now_open.keys() | recent.keys()
        left = {subject: id_ for subject, id_ in self.left.items() if id_ in known_ids}
        book = Book(now_open, recent, self.where, left)
        told = (i for id_, i in changed.items() if not self._nobody_saw(id_, i))
        known = {**self._book.recent, **self._book.open}
        return book, tuple(i for i in told if i != known.get(i.id))

    def _nobody_saw(self, id_: int, incident: Incident) -> bool:
        """Whether it was opened and became part of another on this very page."""
        return self.cases[id_].fresh and incident.merged_into is not None
