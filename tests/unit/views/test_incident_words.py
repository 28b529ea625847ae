"""Incidents in words: names, the order of the story, bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.filled_memory import HOSTILE
from tests.fakes.province_past import CODEC, FALL, incidents, settings_of
from tests.fakes.snapshots import NOW, mixed
from vcmon.model.memory import VCMON, Cause, Deed, Member, Remark
from vcmon.views.incident_words import MEMBERS_MAX, Names, line_of, story_of
from vcmon.views.tongue import BAHASA, ENGLISH, Tongue

SETTINGS = settings_of(mixed())
OPEN, OVER = incidents()


@pytest.mark.parametrize(
    ("subject", "indonesian", "english"),
    [
        ("province:aceh", "Aceh", "Aceh"),
        ("province:sulawesi-selatan", "Sulawesi Selatan", "South Sulawesi"),
        (
            "endpoint:aceh-codec",
            "Kodek, Kantor Gubernur (aceh-codec), Aceh",
            "Codec, Kantor Gubernur (aceh-codec), Aceh",
        ),
        ("endpoint:gone", "gone", "gone"),
        ("provider:Telkom", "penyedia Telkom", "provider Telkom"),
        ("medium:submarine", "media kabel laut", "medium submarine cable"),
        ("country:", "seluruh Indonesia", "all of Indonesia"),
        ("province:\u202eacne", "province acne", "province acne"),
    ],
)
def test_series_are_called_what_people_call_them(
    subject: str, indonesian: str, english: str
) -> None:
    """By the inventory as it is; what left it keeps its id."""
    assert Names(SETTINGS, BAHASA).of(subject) == indonesian
    assert Names(SETTINGS, ENGLISH).of(subject) == english


def test_the_story_is_in_the_order_of_time() -> None:
    """Onset, what fell, when we knew, what people said, what rose, the end."""
    said = Remark(OVER.start + 60, "Budi", Deed.NOTE, HOSTILE)
    story = story_of(replace(OVER, remarks=(said,)), Names(SETTINGS, BAHASA), NOW, BAHASA)
    assert [each.kind for each in story.events] == [
        "onset",
        "fell",
        "known",
        "note",
        "rose",
        "ended",
    ]
    assert story.events[1].text.startswith("Jatuh: Sulawesi Selatan, Kodek")
    assert story.stop == "05.11.07 WIB"
    note = story.events[3]
    assert (note.who, note.text) == ("Budi", "mencatat")
    assert "\x1b" not in note.note
    assert "\u202e" not in note.note


@pytest.mark.parametrize("tongue", [BAHASA, ENGLISH])
def test_everything_that_was_said_is_told(tongue: Tongue) -> None:
    """Acknowledgement with ticket, note, cause; who handles it; what vcmon suggests."""
    guess = Remark(FALL + 1, VCMON, Deed.CAUSE, cause=Cause.PLANNED)
    it = replace(OPEN, remarks=(guess, *OPEN.remarks), reopened=2)
    story = story_of(it, Names(SETTINGS, tongue), NOW, tongue)
    assert (story.line.acknowledged, story.ticket, story.reopened) == ("Budi", "IN-4711", 2)
    assert story.suggested == tongue.say("pekerjaan terencana")
    assert story.line.cause == tongue.say("kabel")
    assert [each.who for each in story.events if each.kind == "ack"] == ["Budi"]
    assert (story.stop, story.line.open, story.line.lasting[:2]) == ("", True, "12")


def test_thousands_of_members_are_counted_not_named() -> None:
    """Some names in the story, some rows in the table, and how many more there are."""
    members = tuple(Member(f"endpoint:e{n:04}", FALL + n / 1e5, None) for n in range(5000))
    story = story_of(replace(OPEN, members=members), Names(SETTINGS, BAHASA), NOW, BAHASA)
    fell = [each.text for each in story.events if each.kind == "fell"]
    assert len(fell) == 1
    assert fell[0].endswith("dan 4992 lagi")
    assert (len(story.members), story.more) == (MEMBERS_MAX, 4800)


def test_a_line_tells_what_it_belongs_to() -> None:
    """The list's line: owner, its province to link to, provinces that fell, nobody on it yet."""
    line = line_of(OVER, Names(SETTINGS, BAHASA), NOW, BAHASA)
    assert CODEC in line.owner
    assert (line.province, line.provinces) == ("sulawesi-selatan", "Sulawesi Selatan")
    assert (line.acknowledged, line.lasting, line.open) == ("", "30 mnt", False)
