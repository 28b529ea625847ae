"""Who belongs to which incident, at the exact edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.clock import EPOCH
from tests.fakes.incident_book import Clerk, change, country, down, up
from vcmon.history.book import STRETCHES, Book, with_remarks
from vcmon.history.facts import EndpointFact, Facts
from vcmon.history.incidents import Rules, retire
from vcmon.model.memory import VCMON, Cause, Deed, Incident, Member, Remark
from vcmon.model.result import Reason
from vcmon.model.status import State

FACTS = country(papua=6, jawa=6)
HALL = Facts.made(
    {
        "codec": EndpointFact("aceh"),
        "room": EndpointFact("aceh"),
        "proxy": EndpointFact("aceh", conference=False),
    },
    {"aceh": "sumatera"},
)


def clerk(facts: Facts = FACTS) -> Clerk:
    return Clerk(Rules(facts))


def subjects(incident: Incident) -> set[str]:
    return {member.subject for member in incident.members}


def test_a_router_takes_its_codec_and_province_with_it() -> None:
    """One incident, owned by the true parent, with everything behind it as members."""
    book = clerk()
    book.router("papua0", 100)
    [incident] = book.open
    assert incident.owner == "endpoint:papua0-router"
    assert subjects(incident) == {
        "endpoint:papua0-router",
        "endpoint:papua0-codec",
        "province:papua0",
    }
    assert (incident.start, incident.known_at) == (EPOCH + 100, EPOCH + 105)
    assert incident.reason is Reason.TIMEOUT


def test_it_closes_when_the_last_member_is_well() -> None:
    """The end is when the last one was well, not when the owner was, and not when we knew."""
    book = clerk()
    book.router("papua0", 100)
    book.take(up("endpoint:papua0-router", 500))
    assert book.open
    book.take(up("endpoint:papua0-codec", 510), up("province:papua0", 510))
    assert not book.open
    assert book.told[1].stop == EPOCH + 510
    by_subject = {m.subject: m.stop for m in book.told[1].members}
    assert by_subject["endpoint:papua0-router"] == EPOCH + 500


def test_the_child_may_be_known_first() -> None:
    """A codec that was down before its router was known to be moves under the router, once."""
    book = clerk()
    book.take(down("endpoint:papua0-codec", 100), down("province:papua0", 100))
    book.take(
        down("endpoint:papua0-router", 99),
        down("endpoint:papua0-codec", 110, "papua0-router"),
    )
    [incident] = book.open
    assert (incident.id, incident.owner) == (1, "endpoint:papua0-codec")
    assert incident.start == EPOCH + 99
    assert len(incident.members) == 3


@pytest.mark.parametrize(("onset", "open_"), [(220, 1), (220.001, 2)])
def test_a_parent_that_falls_later_is_not_the_cause(onset: float, open_: int) -> None:
    """What was down for more than two minutes before its parent fell keeps its own incident."""
    book = clerk()
    book.take(down("endpoint:papua0-codec", 100))
    book.take(down("endpoint:hub", onset))
    book.take(down("endpoint:papua0-codec", onset, "hub"))
    assert len(book.open) == open_


def test_a_merged_incident_names_the_true_parent_and_tells_where_it_went() -> None:
    """The earliest id survives under the parent's name; the other says what it became."""
    book = clerk()
    book.take(down("endpoint:papua0-codec", 100))
    note = Remark(EPOCH + 150, "Sari", Deed.NOTE, "kodek diperiksa")
    book.page = replace(book.page, book=with_remarks(book.page.book, 1, (note,)))
    book.take(down("endpoint:hub", 101))
    ack = Remark(EPOCH + 140, "Budi", Deed.ACK, ticket="T-7")
    book.page = replace(book.page, book=with_remarks(book.page.book, 2, (ack,)))
    book.take(down("endpoint:papua0-codec", 101, "hub"))
    [incident] = book.open
    assert (incident.id, incident.owner) == (1, "endpoint:hub")
    assert incident.remarks == (ack, note)
    assert book.told[2].merged_into == 1
    assert book.told[2].remarks == (ack,)
    assert book.told[2].stop is not None
    assert not book.told[2].members


def test_what_is_still_down_when_its_parent_is_back_is_an_incident_of_its_own() -> None:
    """The router's incident ends with the router; the codec's goes on, from when it fell."""
    book = clerk()
    book.router("papua0", 100)
    book.take(up("endpoint:papua0-router", 500))
    book.take(change("endpoint:papua0-codec", State.DOWN, 520, old=State.UNREACHABLE))
    [incident] = book.open
    assert incident.owner == "endpoint:papua0-codec"
    assert subjects(incident) == {"endpoint:papua0-codec", "province:papua0"}
    assert book.told[1].stop == EPOCH + 520
    assert {m.stop for m in book.told[1].members} == {EPOCH + 500, EPOCH + 520}


@pytest.mark.parametrize(("later", "open_"), [(120.0, 1), (120.001, 2)])
def test_endpoints_of_one_province_that_fall_together_are_one(later: float, open_: int) -> None:
    """Two minutes are together, more are not."""
    book = clerk(HALL)
    book.take(down("endpoint:codec", 100))
    book.take(down("endpoint:room", 100 + later))
    assert len(book.open) == open_


def test_a_province_falls_with_the_last_of_its_endpoints() -> None:
    """However long the first was down before: until the last one went, the province was up."""
    book = clerk(HALL)
    book.take(down("endpoint:codec", 100))
    book.take(down("endpoint:room", 5000), down("province:aceh", 5000))
    homes = {i.owner: subjects(i) for i in book.open}
    assert homes["endpoint:codec"] == {"endpoint:codec"}
    assert homes["endpoint:room"] == {"endpoint:room", "province:aceh"}


@pytest.mark.parametrize(("pause", "id_", "times"), [(900.0, 1, 1), (900.001, 2, 0)])
def test_it_comes_back_within_fifteen_minutes(pause: float, id_: int, times: int) -> None:
    """The same id, reopened once more; a moment later it is another incident."""
    book = clerk()
    book.router("papua0", 100)
    book.back("papua0", 1000)
    book.router("papua0", 1000 + pause)
    [incident] = book.open
    assert (incident.id, incident.reopened) == (id_, times)
    assert len(incident.members) == (6 if times else 3)


def test_a_codec_does_not_reopen_the_incident_of_its_well_router() -> None:
    """What fell for its parent a minute ago and now falls by itself is another matter."""
    book = clerk()
    book.router("papua0", 100)
    book.back("papua0", 1000)
    book.take(down("endpoint:papua0-codec", 1100))
    [incident] = book.open
    assert (incident.id, incident.owner) == (2, "endpoint:papua0-codec")


def test_a_gap_neither_closes_nor_opens() -> None:
    """Not knowing changes nothing: the same incident is open before, in and after it."""
    book = clerk()
    book.router("papua0", 100)
    book.take(change("endpoint:papua0-codec", State.UNKNOWN, 200, old=State.UNREACHABLE))
    book.take(change("endpoint:papua1-codec", State.UNKNOWN, 200))
    assert len(book.open) == 1
    book.take(change("endpoint:papua0-codec", State.UNREACHABLE, 300, parent="papua0-router"))
    [incident] = book.open
    assert incident.id == 1
    assert len(incident.members) == 3


def test_a_restart_goes_on_with_what_was_open() -> None:
    """A book built from the store's incidents closes and reopens as if nothing had been."""
    before = clerk()
    before.router("papua0", 100)
    before.router("papua1", 400)
    before.back("papua1", 500)
    after = clerk()
    after.page = replace(after.page, book=Book.of(before.told.values()))
    after.numbers = before.numbers
    assert after.page.book == before.page.book
    after.back("papua0", 600)
    after.router("papua1", 700)
    assert after.told[1].stop == EPOCH + 600
    assert (after.told[2].stop, after.told[2].reopened) == (None, 1)


def test_half_an_island_is_a_coincidence_and_most_of_it_is_not() -> None:
    """Three of six provinces stay apart; the fourth makes it the island's, under the first id."""
    book = clerk(country(papua=6))
    for n in range(3):
        book.router(f"papua{n}", 100 + n)
    assert len(book.open) == 3
    book.router("papua3", 110)
    [incident] = book.open
    assert (incident.id, incident.owner) == (1, "island:papua")
    assert sum(m.subject.startswith("province:") for m in incident.members) == 4
    assert {book.told[n].merged_into for n in (2, 3)} == {1}


def test_the_rest_of_the_island_joins() -> None:
    """A province that falls within two minutes becomes a member, a later one does not."""
    book = clerk(country(papua=8, jawa=4))
    for n in range(5):
        book.router(f"papua{n}", 100)
    book.router("papua5", 220)
    assert len(book.open) == 1
    book.router("papua6", 341)
    assert [incident.owner for incident in book.open] == ["island:papua", "endpoint:papua6-router"]


def test_what_was_lost_before_says_nothing_about_a_fall() -> None:
    """Three of six are most of the four that stood."""
    book = clerk(country(papua=6))
    for n in (4, 5):
        book.router(f"papua{n}", 100 + 1000 * n)
    for n in range(3):
        book.router(f"papua{n}", 9000)
    assert "island:papua" in {incident.owner for incident in book.open}
    assert len(book.open) == 3


def test_a_provider_is_named_when_islands_do_not_explain() -> None:
    """All provinces of one provider, half of every island: the provider's incident."""
    book = clerk(country(papua=6, jawa=6, bali=2))
    for island in ("papua", "jawa"):
        for n in (0, 2, 4):
            book.router(f"{island}{n}", 100)
    [incident] = book.open
    assert incident.owner == "provider:provider-0"


def test_many_provinces_across_groups_are_the_country() -> None:
    """Five and a quarter of all, with nothing in common but the country."""
    islands = {f"i{n}_": 4 for n in range(5)}
    book = clerk(country(**islands))
    for n in range(5):
        book.router(f"i{n}_{n % 2}", 100 + n)
    [incident] = book.open
    assert (incident.id, incident.owner) == (1, "country:")


def test_what_falls_with_the_hub_is_the_hubs() -> None:
    """Twelve provinces behind one dead router are explained already: no group is made of them."""
    book = clerk()
    provinces = [slug for slug in FACTS.provinces if slug != "pusat"]
    book.take(down("endpoint:hub", 100), down("province:pusat", 100))
    for slug in provinces:
        book.take(
            down(f"endpoint:{slug}-router", 100, "hub"),
            down(f"endpoint:{slug}-codec", 100, "hub"),
            down(f"province:{slug}", 100, "hub"),
        )
    [incident] = book.open
    assert incident.owner == "endpoint:hub"
    assert len(incident.members) == 2 + 3 * len(provinces)


def test_a_country_becomes_the_hubs_when_the_hub_is_known() -> None:
    """Thirty-eight singles, one country, then the true parent: still the first id."""
    book = clerk()
    provinces = [slug for slug in FACTS.provinces if slug != "pusat"]
    for slug in provinces:
        book.router(slug, 100)
    assert [i.owner for i in book.open] == ["country:"]
    book.take(down("endpoint:hub", 98))
    for slug in provinces:
        book.take(
            down(f"endpoint:{slug}-router", 120, "hub"),
            down(f"endpoint:{slug}-codec", 120, "hub"),
            down(f"province:{slug}", 120, "hub"),
        )
    [incident] = book.open
    assert (incident.id, incident.owner, incident.start) == (1, "endpoint:hub", EPOCH + 98)


def test_what_begins_under_maintenance_may_be_planned() -> None:
    """vcmon remarks it by its own name; a person's judgement stands above it."""
    rules = Rules(FACTS, maintained=lambda subject, at: "papua0" in subject and at >= EPOCH)
    book = Clerk(rules)
    page = book.router("papua0", 100)
    [(id_, remark)] = page.said
    assert (id_, remark.author, remark.cause) == (1, VCMON, Cause.PLANNED)
    assert (book.told[1].suggested, book.told[1].cause) == (Cause.PLANNED, Cause.UNKNOWN)
    assert not book.router("papua1", 100).said


def test_a_partly_maintained_fall_is_not_planned() -> None:
    """One member outside of the window is enough to say nothing."""
    book = Clerk(Rules(FACTS, maintained=lambda subject, at: subject.startswith("endpoint:")))
    assert not book.router("papua0", 100).said


def test_what_leaves_the_inventory_leaves_its_incident() -> None:
    """A reload that takes the last lost endpoint away closes the incident."""
    book = clerk()
    book.router("papua0", 100)
    page = retire(book.page.book, lambda subject: "papua0" not in subject, EPOCH + 700)
    assert not page.book.open
    assert page.changed[0].stop == EPOCH + 700


def test_a_flapping_subject_does_not_grow_for_ever() -> None:
    """After so many stretches the last one is lengthened."""
    book = clerk(HALL)
    for n in range(STRETCHES + 30):
        book.take(down("endpoint:codec", 100 * n))
        book.take(up("endpoint:codec", 100 * n + 50))
    assert len(book.told[1].members) == STRETCHES
    assert book.told[1].members[-1] == Member(
        "endpoint:codec",
        EPOCH + 100 * (STRETCHES - 1),
        EPOCH + 100 * (STRETCHES + 29) + 50,
    )
    assert book.told[1].reopened == STRETCHES + 29


def test_an_unchanged_book_tells_nothing() -> None:
    """Events that change no membership write nothing."""
    book = clerk()
    book.router("papua0", 100)
    assert not book.take(change("endpoint:papua0-codec", State.UNKNOWN, 200)).changed
    assert not book.take(up("endpoint:papua1-codec", 200)).changed
    assert not book.take().changed


def test_ten_thousand_that_fall_at_once_cost_less_than_a_second() -> None:
    """A batch is linear in its events: the loop must not stand still when everything falls."""
    import time

    endpoints = {"hub": EndpointFact("pusat")}
    endpoints |= {f"e{n}": EndpointFact(f"p{n % 38}", parents=("hub",)) for n in range(10_000)}
    book = clerk(Facts.made(endpoints, {f"p{n}": "x" for n in range(38)}))
    events = [down("endpoint:hub", 1), *(down(f"endpoint:e{n}", 1, "hub") for n in range(10_000))]
    began = time.process_time()
    book.take(*events)
    assert time.process_time() - began < 1.0
    assert len(book.told[1].members) == 10_001
