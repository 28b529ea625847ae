"""What a reload changes."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.settings_files import loaded, rows
from vcmon.config.diff import Changes, diff
from vcmon.model.endpoint import CheckId

A = "a,aceh,,codec,192.0.2.1,icmp sip,,,,"
B = "b,bali,,codec,192.0.2.2,icmp,,,,"


def test_nothing_changes_when_the_files_say_the_same(tmp_path: Path) -> None:
    """The same settings read twice differ in nothing, comments and order of columns aside."""
    old = loaded(tmp_path, "", rows(A, B))
    new = loaded(tmp_path, "# comment", rows("# comment", A, B))
    assert diff(old, new) == Changes()
    assert not diff(old, new)


def test_endpoints_and_checks_come_and_go(tmp_path: Path) -> None:
    """An endpoint is added and removed with each of its checks."""
    changes = diff(loaded(tmp_path, "", rows(A)), loaded(tmp_path, "", rows(B)))
    assert (changes.endpoints_added, changes.endpoints_removed) == (("b",), ("a",))
    assert changes.checks_added == (CheckId("b", "icmp"),)
    assert changes.checks_removed == (CheckId("a", "icmp"), CheckId("a", "sip"))
    assert changes


def test_a_new_contact_leaves_the_checks_alone(tmp_path: Path) -> None:
    """What probing does not look at restarts no check."""
    old, new = loaded(tmp_path, "", rows(A)), loaded(tmp_path, "", rows(A + "Budi"))
    assert diff(old, new) == Changes(endpoints_changed=("a",))


def test_a_new_address_changes_endpoint_and_checks(tmp_path: Path) -> None:
    """All checks on a moved endpoint are other checks now."""
    old = loaded(tmp_path, "", rows(A))
    changes = diff(old, loaded(tmp_path, "", rows(A.replace("192.0.2.1", "192.0.2.7"))))
    assert changes.endpoints_changed == ("a",)
    assert changes.checks_changed == (CheckId("a", "icmp"), CheckId("a", "sip"))


def test_a_check_more_changes_only_itself(tmp_path: Path) -> None:
    """A deciding check that appears beside ICMP takes the decision from it."""
    old = loaded(tmp_path, "", rows(B))
    changes = diff(old, loaded(tmp_path, "", rows(B.replace("icmp", "icmp sip"))))
    assert changes == Changes(
        checks_added=(CheckId("b", "sip"),), checks_changed=(CheckId("b", "icmp"),)
    )


def test_a_profile_changes_every_check_made_of_it(tmp_path: Path) -> None:
    """A new interval or parameter is a change of each check that uses it."""
    old = loaded(tmp_path, "checks: {sip: {kind: sip, t1: 1s}}", rows(A, B))
    new = loaded(tmp_path, "checks: {sip: {kind: sip, interval: 20s}}", rows(A, B))
    assert diff(old, new) == Changes(checks_changed=(CheckId("a", "sip"),))


def test_other_settings_are_named(tmp_path: Path) -> None:
    """Canaries, quality and the like are told by the name of their field."""
    old = loaded(tmp_path)
    new = loaded(tmp_path, "canaries: [h]\nquality: {fibre: {loss: 0.5}}\nlanguage: en")
    assert diff(old, new) == Changes(settings=("language", "canaries", "quality"))


def test_the_log_line_is_short(tmp_path: Path) -> None:
    """Only what there is is told, ten names at the most, and how many more there are."""
    many = [f"e{n:02},aceh,,codec,192.0.2.1,icmp,,,," for n in range(15)]
    told = diff(
        loaded(tmp_path, "", rows(A)), loaded(tmp_path, "language: en", rows(A, *many))
    ).told()
    assert told.keys() == {"added", "checks_added", "settings"}
    assert told["added"] == "e00 e01 e02 e03 e04 e05 e06 e07 e08 e09 and 5 more"
    assert told["checks_added"].startswith("e00/icmp ")
    assert told["settings"] == "language"
