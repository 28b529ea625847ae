"""What people may say of an incident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vcmon.history.remarks import REMARKS_MAX, RefusedError, judged
from vcmon.model.memory import VCMON, Cause, Deed, Incident, Member, Remark
from vcmon.model.result import Reason

OPEN = Incident(7, "endpoint:a", 100, 105, None, Reason.TIMEOUT, (Member("endpoint:a", 100, None),))
OVER = replace(OPEN, stop=200, members=(Member("endpoint:a", 100, 200),))
NOTE = Remark(300, "Sari", Deed.NOTE, "teknisi dalam perjalanan")
CLOSE = Remark(300, "Sari", Deed.CLOSE, cause=Cause.POWER)
BY_VCMON = Remark(150, VCMON, Deed.NOTE, cause=Cause.PLANNED)


def test_words_are_cleaned_to_one_line() -> None:
    """Nothing that steers a terminal or a page is kept, and nothing readable is lost."""
    said = judged(OPEN, replace(NOTE, author=" Sari\x1b[31m\n", text="satu\r\ndua\u202e"))
    assert (said.author, said.text) == ("Sari [31m", "satu dua")


@pytest.mark.parametrize(
    ("incident", "remark", "why"),
    [
        (OPEN, replace(NOTE, author=" \n\x00"), "a name is needed"),
        (OPEN, replace(NOTE, author="VCmon"), "give your own name"),
        (OPEN, replace(NOTE, author="s" * 81), "the name has 81 characters; 80 at most"),
        (OPEN, replace(NOTE, text="t" * 2001), "the note has 2001 characters; 2000 at most"),
        (OPEN, replace(NOTE, text="\x07"), "a note needs a text"),
        (OPEN, Remark(1, "Sari", Deed.ACK, ticket="9" * 81), "the ticket has 81 characters"),
        (OPEN, Remark(1, "Sari", Deed.CAUSE), "say which cause"),
        (OPEN, replace(NOTE, cause=Cause.POWER), "given with 'cause' or 'close'"),
        (OPEN, replace(NOTE, ticket="T-1"), "given with an acknowledgement"),
        (OPEN, CLOSE, "incident 7 goes on: 1 of its members are still down"),
        (OVER, replace(CLOSE, cause=None), "incident 7 has no cause yet"),
        (replace(OVER, remarks=(BY_VCMON,)), replace(CLOSE, cause=None), "no cause yet"),
        (replace(OVER, merged_into=3), NOTE, "became part of incident 3: say it there"),
        (replace(OVER, remarks=(NOTE,) * REMARKS_MAX), NOTE, "already has 1000 remarks"),
    ],
)
def test_what_is_refused_says_why(incident: Incident, remark: Remark, why: str) -> None:
    """Each refusal names what is wrong."""
    with pytest.raises(RefusedError, match=why.replace("(", r"\(")):
        judged(incident, remark)


@pytest.mark.parametrize(
    ("incident", "remark"),
    [
        (OPEN, Remark(1, "Sari", Deed.ACK, "saya tangani", "T-1")),
        (OPEN, Remark(1, "Sari", Deed.ACK)),
        (OPEN, NOTE),
        (OPEN, replace(NOTE, text="t" * 2000, author="s" * 80)),
        (OPEN, Remark(1, "Sari", Deed.CAUSE, cause=Cause.CABLE)),
        (OVER, CLOSE),
        (
            replace(OVER, remarks=(Remark(1, "Budi", Deed.CAUSE, cause=Cause.DEVICE),)),
            replace(CLOSE, cause=None),
        ),
    ],
)
def test_what_is_allowed_is_kept_as_it_was_said(incident: Incident, remark: Remark) -> None:
    """Clean words within their bounds are not touched."""
    assert judged(incident, remark) == remark
