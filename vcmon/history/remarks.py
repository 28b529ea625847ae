"""What people may say of an incident, and what is refused; pure."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from vcmon.config.text import clean
from vcmon.model.memory import VCMON, Deed, Incident, Remark

AUTHOR_MAX, TICKET_MAX, TEXT_MAX = 80, 80, 2_000
"""Characters: a name, a number in another system, and a note that still is one."""

REMARKS_MAX = 1_000
"""On one incident: people write a few dozen, a script in a loop writes without end."""


class Why(StrEnum):
    """Why something is refused: a closed set, so that a page can say it in its language."""

    NAME = "name"
    LONG = "long"
    NO_TEXT = "no_text"
    NO_CAUSE = "no_cause"
    MISPLACED = "misplaced"  # a cause or a ticket with a deed that takes none
    MERGED = "merged"
    FULL = "full"
    GOES_ON = "goes_on"
    LATE = "late"
    NEVER = "never"
    OVER = "over"
    NOT_SEATED = "not_seated"
    NOT_NOW = "not_now"  # marked long before a sitting, or long after it
    TAKEN = "taken"
    PAST = "past"  # what would be planned or moved never takes place after now
    LENGTH = "length"
    CALLED_OFF = "called_off"
    BEGUN = "begun"


class RefusedError(ValueError):
    """It can't be done to this; the message tells why, and what would do."""

    def __init__(self, why: Why, text: str) -> None:
        self.why = why
        super().__init__(text)


Refused = tuple[Why, str]
"""Why, and the same in words."""


def judged(incident: Incident, remark: Remark) -> Remark:
    """The remark as it is to be kept: on one line each, without control characters.

    Raises RefusedError.
    """
    said = replace(
        remark,
        author=clean(remark.author),
        text=clean(remark.text),
        ticket=clean(remark.ticket),
    )
    for why in (_wrong_words(said), _wrong_time(incident, said)):
        if why:
            raise RefusedError(*why)
    return said


def named(author: str) -> str:
    """The name as it is to be kept. Raises RefusedError for none, ours, or one without end."""
    name = clean(author)
    if why := _wrong_name(name):
        raise RefusedError(*why)
    return name


def _wrong_name(name: str) -> Refused | None:
    if not name:
        return Why.NAME, "a name is needed: who says this?"
    if name.casefold() == VCMON:
        return Why.NAME, f"'{VCMON}' is what this program calls itself; give your own name"
    if len(name) > AUTHOR_MAX:
        return Why.NAME, f"the name has {len(name)} characters; {AUTHOR_MAX} at most"
    return None


def _wrong_words(said: Remark) -> Refused | None:
    lengths = (
        ("note", said.text, TEXT_MAX),
        ("ticket", said.ticket, TICKET_MAX),
    )
    refusals = (
        *(
            (
                len(text) > longest,
                Why.LONG,
                f"the {what} has {len(text)} characters; {longest} at most",
            )
            for what, text, longest in lengths
        ),
        (said.deed is Deed.NOTE and not said.text, Why.NO_TEXT, "a note needs a text"),
        (said.deed is Deed.CAUSE and said.cause is None, Why.NO_CAUSE, "say which cause"),
        (
            said.cause is not None and said.deed not in {Deed.CAUSE, Deed.CLOSE},
            Why.MISPLACED,
            "a cause is given with 'cause' or 'close'",
        ),
        (
            bool(said.ticket) and said.deed is not Deed.ACK,
            Why.MISPLACED,
            "a ticket is given with an acknowledgement",
        ),
    )
    found = ((why, text) for wrong, why, text in refusals if wrong)
    return next(found, _wrong_name(said.author))


def _wrong_time(incident: Incident, said: Remark) -> Refused | None:
    if incident.merged_into is not None:
        other = incident.merged_into
        return Why.MERGED, f"incident {incident.id} became part of incident {other}: say it there"
    if len(incident.remarks) >= REMARKS_MAX:
        return Why.FULL, f"incident {incident.id} already has {REMARKS_MAX} remarks"
    if said.deed is not Deed.CLOSE:
        return None
    if incident.stop is None:
        lost = sum(member.stop is None for member in incident.members)
        told = f"incident {incident.id} goes on: {lost} of its members are still down"
        return Why.GOES_ON, told
    judged_by_people = any(r.cause for r in incident.remarks if r.author != VCMON)
    if said.cause is None and not judged_by_people:
        return Why.NO_CAUSE, f"incident {incident.id} has no cause yet: close it with one"
    return None
