"""Meetings in words: reasons, advice, times in three zones, the table of the roll."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.meetings import (
    EVERY_DOUBT,
    LOSSY,
    LOST,
    START,
    UNSEEN,
    first_of,
    marked,
    roll_of,
    weekly,
)
from tests.fakes.snapshots import NOW, PROVINCES
from vcmon.model.meeting import Doubt, Presence, Readiness, Seat, Verdict
from vcmon.readiness.forecast import Forecast
from vcmon.views import meeting_words as words
from vcmon.views.meeting_roll import Look, table_of
from vcmon.views.tongue import BAHASA, ENGLISH, TONGUES, Tongue

SITTING = first_of(weekly())
HOSTILE = "<b>\x1b[31m\u202e\n=1+1"


def look(tongue: Tongue = BAHASA, now: float = NOW) -> Look:
    return Look(now, tongue, PROVINCES, {"papua": "Piket Papua"})


@pytest.mark.parametrize("tongue", TONGUES.values(), ids=str)
def test_every_doubt_has_its_reason_and_what_to_do(tongue: Tongue) -> None:
    """Each is told in both languages, and no two alike; of what is ready nothing is told."""
    told = [
        (words.reason_of(each, NOW, tongue), words.advice_of(each, tongue)) for each in EVERY_DOUBT
    ]
    assert all(reason and advice for reason, advice in told)
    assert {each.doubt for each in EVERY_DOUBT} == set(Doubt) - {Doubt.NONE}
    templates = [text for doubt, text in words.DOUBTS.items() if doubt is not Doubt.NONE]
    assert len(set(templates)) == len(templates)
    ready = Verdict("aceh", True, Readiness.READY)
    assert (words.reason_of(ready, NOW, tongue), words.advice_of(ready, tongue)) == ("", "")


def test_figures_are_told_with_their_limit() -> None:
    """Loss as a share, jitter and RTT as milliseconds, each beside what is allowed."""
    assert words.reason_of(LOSSY, NOW, BAHASA) == "paket hilang 3,4 %, batasnya 1 %"
    slow = Verdict("aceh", True, Readiness.AT_RISK, Doubt.RTT, value=0.61, limit=0.3)
    assert words.reason_of(slow, NOW, ENGLISH) == "RTT 610 ms, the limit is 300 ms"


def test_since_is_told_by_the_provinces_own_clock() -> None:
    """10.28.33 WITA for Makassar, though the page is made in Jakarta."""
    assert "10.28.33 WITA" in words.reason_of(LOST, NOW, BAHASA, look().zone(LOST.province))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (START, "10.14 WIB / 11.14 WITA / 12.14 WIT"),
        (NOW - 667 + 13 * 3600 + 1800, "23.00 WIB / 00.00 WITA (24 Nov) / 01.00 WIT (24 Nov)"),
        (float("inf"), "–"),
    ],
)
def test_one_moment_on_three_clocks(at: float, told: str) -> None:
    """As every province reads it; with the day where that is another."""
    assert words.three_of(at, BAHASA) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(3600, "T-60"), (0, "T0"), (240, "T-4"), (90, "T-90 dtk")]
)
def test_a_checkpoint_has_its_name(seconds: float, told: str) -> None:
    """Minutes before the start; seconds where they are not whole minutes."""
    assert words.checkpoint_of(seconds, BAHASA) == told


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (START - 60.5, "mulai dalam 1 mnt"),
        (START - 0.001, "mulai dalam 0 dtk"),
        (START, "berlangsung 0 dtk"),
        (START + 5399.999, "berlangsung 1 jam 29 mnt"),
        (START + 5400, "selesai"),
    ],
)
def test_a_sitting_is_before_on_or_over(now: float, told: str) -> None:
    """Half open: at its start it is on, at its end it is over."""
    assert words.phase_of(SITTING, now, BAHASA) == told


def test_the_tally_counts_who_is_ready_and_who_must_be() -> None:
    """38 and none missing; else how many of the required."""
    assert words.tally_of(roll_of(SITTING, (), NOW), BAHASA) == "38 dari 38 siap"
    roll = roll_of(SITTING, (LOST, UNSEEN), NOW)
    assert words.tally_of(roll, BAHASA) == "36 dari 38 siap, 1 wajib belum"
    assert words.tally_of(roll, ENGLISH) == "36 of 38 ready, 1 required not yet"


def test_checkpoints_stand_side_by_side() -> None:
    """What was kept of each, what was missed, and nothing of what is to come."""
    kept = [
        roll_of(SITTING, (LOST,), START - 3600, 3600.0),
        replace(roll_of(SITTING, (), START - 1800, 1800.0), verdicts=()),
    ]
    table = table_of(SITTING, roll_of(SITTING, (LOST,), NOW), kept, (), look())
    assert [(each.name, each.tally) for each in table.columns] == [
        ("T-60", "37/38"),
        ("T-30", "terlewat"),
        ("T-10", ""),
        ("T0", ""),
    ]
    assert table.lines[0].name == "Sulawesi Selatan"
    assert [cell.word for cell in table.lines[0].kept] == ["Tidak siap", "", "", ""]


def test_what_was_called_for_another_start_is_no_checkpoint_of_this_one() -> None:
    """A sitting that was moved begins anew to be called."""
    kept = [replace(roll_of(SITTING, (LOST,), START - 7200, 3600.0), start=START - 3600)]
    table = table_of(SITTING, None, kept, (), look())
    assert table.columns[0].tally == ""


def test_without_any_roll_nobody_is_judged() -> None:
    """The roster stands there, required first, and no tally pretends to know."""
    seats = (Seat("bali", False), Seat("aceh"), Seat("atlantis"))
    table = table_of(first_of(weekly(seats=seats)), None, (), (), look())
    assert (table.tally, table.at) == ("", "")
    assert [line.name for line in table.lines] == ["Aceh", "atlantis", "Bali"]
    assert {line.now.word for line in table.lines} == {"Belum terukur"}


def test_the_last_mark_of_a_province_counts() -> None:
    """Present and then gone is gone; who was called is not waited for."""
    marks = [
        marked(SITTING, "aceh", Presence.PRESENT),
        marked(SITTING, "papua", Presence.PRESENT, officer=HOSTILE, note=HOSTILE),
        marked(SITTING, "aceh", Presence.LEFT),
    ]
    table = table_of(SITTING, None, (), marks, look())
    assert (table.present, table.missing) == (1, 36)
    by_slug = {line.slug: line.mark for line in table.lines if line.mark}
    assert by_slug["aceh"].word == "Keluar"
    assert "\x1b" not in by_slug["papua"].officer
    assert "\u202e" not in by_slug["papua"].note


@pytest.mark.parametrize(
    ("chance", "low", "high", "told"),
    [
        (0.969, 0.905, 0.981, "96 % (90–99 %)"),
        (0.9998, 0.999, 0.999, "99 % (99–100 %)"),
        (0.5, 0.5, 0.5, "50 % (50–50 %)"),
        (0.003, 0.001, 0.004, "0 % (0–1 %)"),
        (0.81, 0.83, 0.95, "81 % (81–95 %)"),
    ],
)
def test_a_forecast_promises_no_more_than_is_known(
    chance: float, low: float, high: float, told: str
) -> None:
    """Cut, never rounded up to a whole hundred; the range holds the chance."""
    found = words.usual_of(Forecast(chance, low, high, 52, 50), BAHASA)
    assert (found.lead, found.figure, found.weeks) == ("biasanya siap", told, "52 minggu")


def test_a_forecast_changes_no_verdict() -> None:
    """Only who has one tells it; everything else of the table is as without."""
    roll, bad = roll_of(SITTING, (LOST,), NOW), Forecast(0.1, 0.05, 0.2, 52, 5)
    plain = table_of(SITTING, roll, (), (), look())
    told = table_of(SITTING, roll, (), (), replace(look(), chances={"aceh": bad}))
    assert (plain.forecast, told.forecast) == (False, True)
    assert [line.slug for line in told.lines if line.usual] == ["aceh"]
    assert plain.lines == tuple(replace(line, usual=None) for line in told.lines)
    assert plain.tally == told.tally
