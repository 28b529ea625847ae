"""From committed changes to incidents: who belongs to what; pure.

What was decided, and why:

- An incident belongs to its true cause. What is unreachable behind a dead router is a member of
  the router's incident, whichever of them was known first; and so is its province.
- What was already down when its parent fell keeps its own incident: the parent's fall, more than
  ``together`` later, is not its cause. What is still down by itself when its parent is back gets
  an incident of its own, from then on.
- Endpoints of one province that fall together are one incident, and the province's fall belongs
  to the endpoint that was the last to go.
- Provinces that fall together, and have more in common than chance (``grouping.py``), are one.
- UNKNOWN neither opens nor closes anything: while nobody looks, nothing is learnt.
- A subject that falls again within ``reopen`` seconds falls into the same incident, unless that
  one belonged to something it stands behind, which is well by now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vcmon.history.book import Book, Case, Draft
from vcmon.history.facts import CENTRE, Facts
from vcmon.history.grouping import explain
from vcmon.model.memory import VCMON, Cause, Deed, Incident, Remark
from vcmon.model.status import State, Transition

LOST = frozenset({State.DOWN, State.UNREACHABLE})
WELL = frozenset({State.UP, State.DEGRADED})

PLANNED = "begun under maintenance"


def _never(_subject: str, _at: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides, beside the events themselves."""

    facts: Facts
    together: float = 120.0  # seconds between onsets of one fall
    reopen: float = 900.0  # seconds after its end in which an incident comes back
    maintained: Callable[[str, float], bool] = _never  # whether a series was under maintenance


@dataclass(frozen=True, slots=True)
class Page:
    """What a batch of events made of the book.

    ``changed`` holds every incident that is not as it was, whole; one that was merged has
    ``merged_into`` set, no members, and its remarks as they were. ``said`` are vcmon's own new
    remarks, which are in ``changed`` as well.
    """

    book: Book
    changed: tuple[Incident, ...] = ()
    said: tuple[tuple[int, Remark], ...] = ()


def advance(book: Book, events: Sequence[Transition], rules: Rules, ids: Callable[[], int]) -> Page:
    """The book after these changes, in the order in which they were committed.

    ``ids`` gives a new number, larger than all before, for each incident that begins.
    """
    if not events:
        return Page(book)
    desk = _Desk(Draft(book, ids), rules)
    for event in events:
        desk.take(event)
    desk.group()
    said = desk.suggest(max(event.noticed_at for event in events))
    latest = max(max(event.at, event.noticed_at) for event in events)
    new, changed = desk.draft.finish(latest - rules.reopen)
    return Page(new, changed, said)


def retire(book: Book, known: Callable[[str], bool], at: float) -> Page:
    """The book after a reload at ``at``: what left the inventory is nobody's outage any more."""
    draft = Draft(book, _no_ids)
    for subject in [each for each in book.where if not known(each)]:
        draft.leave(subject, at)
    new, changed = draft.finish(float("-inf"))
    return Page(new, changed)


def _no_ids() -> int:
    raise AssertionError("leaving opens nothing")


class _Desk:
    """One batch being worked on."""

    def __init__(self, draft: Draft, rules: Rules) -> None:
        self.draft = draft
        self._rules = rules
        self._facts = rules.facts
        self._fell: set[str] = set()  # provinces

    def take(self, event: Transition) -> None:
        """One change."""
        subject = event.subject
        if event.new.state in WELL:
            self.draft.leave(subject, event.at)
        elif event.new.state in LOST:
            home = self.draft.home(subject)
            if home is None:
                self.draft.join(self._place(event), subject, event.at)
            else:
                self._reconsider(home, event)
            self._name_the_owner(event)
            if subject.startswith("province:"):
                self._fell.add(self._facts.province_of(subject))
            else:
                self._take_along(event)

    # ---- where a newly lost subject belongs

    def _place(self, event: Transition, avoid: Case | None = None) -> Case:
        """The incident for what is lost now, opened where there is none."""
        owner = f"endpoint:{event.new.parent}" if event.new.parent else event.subject
        case = self.draft.owned(owner)
        if case is None or case is avoid:
            case = None if event.new.parent else self._beside(event, avoid)
        if case is not None:
            return case
        again = self._again(event, owner)
        return again if again is not None else self.draft.begin(owner, event)

    def _beside(self, event: Transition, avoid: Case | None) -> Case | None:
        """The incident of the same province's endpoints that fell together with this, or before.

        A province falls with the last of its endpoints, however long the others were lost.
        """
        slug = self._facts.province_of(event.subject)
        is_province = event.subject.startswith("province:")
        found: list[tuple[float, Case]] = []
        for name in self._facts.members.get(slug, ()):
            case = self.draft.home(f"endpoint:{name}")
            if case is None or case is avoid or self._is_from_outside(case, slug):
                continue
            began = case.began(f"endpoint:{name}")
            if is_province or abs(event.at - began) <= self._rules.together:
                found.append((began, case))
        return max(found, key=lambda each: each[0])[1] if found else None

    def _is_from_outside(self, case: Case, slug: str) -> bool:
        owner = case.fact.owner
        return owner.startswith("endpoint:") and self._facts.province_of(owner) != slug

    def _again(self, event: Transition, owner: str) -> Case | None:
        """The incident that this is a recurrence of, reopened; or None."""
        case = self.draft.closed_of(owner)
        if case is not None and event.at - (case.fact.stop or event.at) <= self._rules.reopen:
            return self.draft.reopen(case)
        case = None if event.new.parent else self.draft.last(event.subject)
        if case is None or not self._may_return(event.subject, case):
            return None
        if event.at - case.ended(event.subject) > self._rules.reopen:
            return None
        return self.draft.reopen(case) if case.fact.stop is not None else case

    def _may_return(self, subject: str, case: Case) -> bool:
        """Whether the case was about the subject itself, not about something on the way to it."""
        slug = self._facts.province_of(subject)
        if self._is_from_outside(case, slug):
            return False
        owner = case.fact.owner
        if not subject.startswith("endpoint:") or not owner.startswith("endpoint:"):
            return True
        return not self._facts.is_behind(_name(subject), _name(owner))

    # ---- what is lost as before, but for another cause

    def _reconsider(self, home: Case, event: Transition) -> None:
        subject = event.subject
        if event.new.parent:
            target = self.draft.owned(f"endpoint:{event.new.parent}")
            if target is None or target is home:
                return
            if abs(home.began(subject) - target.fact.start) <= self._rules.together:
                self.draft.move(subject, target, home.began(subject))
        elif self._owner_is_well(home, subject):
            target = self._place(event, avoid=home)
            if target is not home:
                self.draft.move(subject, target, event.at)

    def _owner_is_well(self, home: Case, subject: str) -> bool:
        owner = home.fact.owner
        return (
            owner not in home.lost
            and subject.startswith("endpoint:")
            and owner.startswith("endpoint:")
            and self._facts.is_behind(_name(subject), _name(owner))
        )

    def _take_along(self, event: Transition) -> None:
        """A lost province follows its endpoints when none of them is left where it is."""
        slug = self._facts.province_of(event.subject)
        province = f"province:{slug}"
        home, target = self.draft.home(province), self.draft.home(event.subject)
        if home is None or target is None or home is target:
            return
        names = self._facts.members.get(slug, ())
        if not any(f"endpoint:{name}" in home.lost for name in names):
            began = home.began(province)
            whole = abs(began - target.fact.start) <= self._rules.together
            self.draft.move(province, target, began if whole else max(event.at, began))

    def _name_the_owner(self, event: Transition) -> None:
        """An incident that was first seen from behind is named after its cause once that is known.

        The child's ``parent`` says less than the parent's own reason.
        """
        case = self.draft.home(event.subject)
        if case is not None and case.fact.owner == event.subject:
            case.fact = replace(case.fact, reason=event.new.reason)

    # ---- provinces that fell together

    def group(self) -> None:
        """Make one incident of those whose provinces fell together for a common cause."""
        for slug in sorted(self._fell - {CENTRE}):
            home = self.draft.home(f"province:{slug}")
            if home is not None:
                self._group(home.began(f"province:{slug}"))

    def _group(self, at: float) -> None:
        together: dict[str, Case] = {}
        before: set[str] = set()
        for slug in self._facts.provinces:
            case = self.draft.home(f"province:{slug}")
            if case is None or slug == CENTRE:
                continue
            began = case.began(f"province:{slug}")
            if abs(began - at) <= self._rules.together and not self._is_from_outside(case, slug):
                together[slug] = case
            else:
                before.add(slug)
        fall = explain(frozenset(together), frozenset(before), self._facts.groups)
        if fall is None:
            return
        cases = {together[slug].fact.id: together[slug] for slug in fall.provinces}
        if (already := self.draft.owned(fall.owner)) is not None:
            cases[already.fact.id] = already
        owners = {case.fact.owner for case in cases.values()}
        if owners != {fall.owner}:
            self.draft.merge(tuple(cases.values()), fall.owner)

    # ---- maintenance

    def suggest(self, now: float) -> tuple[tuple[int, Remark], ...]:
        """Say of each new incident that began wholly under maintenance that it may be planned."""
        said = []
        for case in self.draft.cases.values():
            if not case.fresh or case.fact.merged_into is not None or not case.members:
                continue
            if all(self._rules.maintained(m.subject, m.start) for m in case.members.values()):
                remark = Remark(now, VCMON, Deed.NOTE, PLANNED, cause=Cause.PLANNED)
                case.fact = replace(case.fact, remarks=(*case.fact.remarks, remark))
                said.append((case.fact.id, remark))
        return tuple(said)


def _name(subject: str) -> str:
    return subject.removeprefix("endpoint:")
