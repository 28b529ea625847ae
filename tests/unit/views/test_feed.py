"""The Atom feed: what RFC 4287 asks for, ids that stay, and names that stay names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from tests.fakes.filled_memory import HOSTILE, incident
from tests.fakes.inventory import endpoint
from tests.fakes.snapshots import NOW, PROVINCES
from vcmon.config.settings import Settings
from vcmon.model.memory import Cause, Deed, Incident, Member, Remark
from vcmon.model.result import Reason
from vcmon.views.feed import changed_at, feed, owner_words
from vcmon.views.words import CAUSES, DEEDS

ATOM = "{http://www.w3.org/2005/Atom}"
SETTINGS = Settings(endpoints=(endpoint("a", "icmp"),), provinces=PROVINCES)
OPEN = incident(2, NOW - 600)
OVER = incident(1, NOW - 7200, NOW - 3600, "bali")


def read(*found: Incident) -> ET.Element:
    return ET.fromstring("".join(feed(found, SETTINGS, NOW - 90_000)).encode())


def moment(element: ET.Element, name: str) -> float:
    return datetime.fromisoformat(element.findtext(f"{ATOM}{name}", "")).timestamp()


def only(elements: Sequence[ET.Element]) -> ET.Element:
    (it,) = elements
    return it


def test_it_has_what_the_rfc_asks_for() -> None:
    """Feed and entries: one id, title and updated; an author; links to itself and the page."""
    it = read(OPEN, OVER)
    for element in (it, *it.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert only(element.findall(f"{ATOM}{name}")).text
    assert it.findtext(f"{ATOM}author/{ATOM}name") == "vcmon pusat"
    links = {each.get("rel"): each.get("href") for each in it.findall(f"{ATOM}link")}
    assert links == {"self": "/feed.atom", "alternate": "/"}
    assert moment(it, "updated") == NOW - 595
    ids = [each.findtext(f"{ATOM}id") for each in it.iter(f"{ATOM}entry")]
    assert ids == [f"tag:vcmon.invalid,2026:pusat/incident/{n}" for n in (2, 1)]


def test_an_empty_feed_is_one_too() -> None:
    """Without incidents it is as old as vcmon's start."""
    assert moment(read(), "updated") == NOW - 90_000


def test_an_entry_keeps_its_id_and_is_updated_by_every_change() -> None:
    """Said, ended, come back, joined by another: each time later, always the same id."""
    course = [
        OPEN,
        replace(OPEN, remarks=(Remark(NOW - 500, "Budi", Deed.ACK),)),
        replace(OPEN, stop=NOW - 300, remarks=(Remark(NOW - 500, "Budi", Deed.ACK),)),
        replace(OPEN, reopened=1, members=(*OPEN.members, Member("endpoint:a", NOW - 200, None))),
        replace(OPEN, members=(Member("endpoint:a", NOW - 200, NOW - 100),)),
    ]
    times = [changed_at(each) for each in course]
    assert times == sorted(set(times))
    ids = {only(read(each).findall(f"{ATOM}entry")).findtext(f"{ATOM}id") for each in course}
    assert len(ids) == 1


def test_what_has_not_changed_is_the_same_text() -> None:
    """Nothing in it depends on when it is asked for: readers and caches see no change."""
    assert "".join(feed([OPEN], SETTINGS, 1.0)) == "".join(feed([OPEN], SETTINGS, 2.0))


def test_an_entry_tells_what_a_reader_wants_to_know() -> None:
    """Whom it hit, since when, why, who takes care of it: in Bahasa Indonesia."""
    said = (
        Remark(NOW - 500, "Budi", Deed.ACK, "menelepon Telkom", "IN-1"),
        Remark(NOW - 400, "Siti", Deed.CLOSE, cause=Cause.CABLE),
    )
    it = only(read(replace(OVER, remarks=said)).findall(f"{ATOM}entry"))
    assert it.findtext(f"{ATOM}title") == "Gangguan 1: b (selesai)"
    text = it.findtext(f"{ATOM}content", "")
    assert text.splitlines() == [
        "Mulai: 23 Nov 2026 07.41 WIB",
        "Selesai: 23 Nov 2026 08.41 WIB (berlangsung 1 jam 0 mnt)",
        "Gejala: tidak ada jawaban sampai batas waktu",
        "Penyebab: kabel",
        "Terdampak: Bali",
        "23 Nov 2026 09.32 WIB, Budi mengakui, tiket IN-1: menelepon Telkom",
        "23 Nov 2026 09.34 WIB, Siti menutup: kabel",
    ]


@pytest.mark.parametrize(
    ("owner", "told"),
    [
        ("endpoint:a", "a (Aceh)"),
        ("endpoint:gone", "gone"),
        ("province:bali", "Bali"),
        ("island:Papua", "wilayah Papua"),
        ("provider:Telkom", "penyedia Telkom"),
        ("medium:satellite", "media satellite"),
        ("country:", "seluruh Indonesia"),
    ],
)
def test_every_owner_has_words(owner: str, told: str) -> None:
    """Endpoint, province, group or country."""
    assert owner_words(owner, SETTINGS) == told


def test_every_reason_cause_and_deed_has_words() -> None:
    """None of the closed sets makes a hole in the feed."""
    for reason in Reason:
        read(replace(OPEN, reason=reason))
    assert set(CAUSES) == set(Cause)
    assert set(DEEDS) == set(Deed)


@pytest.mark.catalogue("T39")
def test_hostile_names_are_text() -> None:
    """Markup, controls, overrides and what XML has no place for: well-formed, nothing obeyed."""
    worst = HOSTILE + "]]>\x00\ufffe\uffff\ud800</content><entry>&#0;"
    it = replace(
        OPEN,
        owner=f"endpoint:{worst}",
        members=(Member(f"province:{worst}", NOW, None),),
        remarks=(Remark(NOW, worst, Deed.ACK, worst * 50, worst),),
    )
    text = "".join(feed([it, OPEN], SETTINGS, NOW))
    assert len(read(it, OPEN).findall(f"{ATOM}entry")) == 2
    assert "<script" not in text
    for character in ("\x1b", "\x00", "\u202e", "\ufffe", "\uffff", "\ud800"):
        assert character not in text


def test_times_beyond_the_calendar_make_no_error() -> None:
    """A file that holds nonsense is told as nonsense."""
    text = "".join(feed([replace(OPEN, start=1e18, known_at=1e18)], SETTINGS, NOW))
    assert "Mulai: –" in text
