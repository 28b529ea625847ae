"""T10: no damaged file is ever taken for a smaller, valid one; none brings the loader down."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vcmon.config.loader import load
from vcmon.errors import ConfigError

pytestmark = pytest.mark.catalogue("T10")

CSV = """\
# daftar perangkat
id,province,site,role,address,checks,depends_on,medium,provider,contact
pusat-router,pusat,Jakarta,router,192.0.2.1,icmp,,fibre,"PT X, Tbk",
aceh-router,aceh,"Kantor ""G"" 1",router,192.0.2.2,icmp,pusat-router,satellite,,

aceh-codec,ID-AC,Kantor Gubernur,codec,192.0.2.3,icmp sip:5070 web,aceh-router,,,Piket 0651
sumsel-codec,16,Kantor Gubernur,codec,vc.example,tcp:80 tcp:443,pusat-router,,,
"""

YAML = """\
# daftar perangkat
endpoints:
  - id: pusat-router
    province: pusat
    role: router
    address: 192.0.2.1
    checks: icmp
    provider: "PT X, Tbk"
  - {id: aceh-router, province: 11, role: router, address: 192.0.2.2, checks: [icmp]}
  - id: aceh-codec
    province: ID-AC
    site: 'Kantor "Gubernur"'
    role: codec
    address: 192.0.2.3
    checks: [icmp, "sip:5070", web]
    depends_on: aceh-router
"""

MAIN = """\
vantage: pusat
defaults:
  interval: 10s
  confirm: {down: 3, retry: 2s}
canaries:
  - 192.0.2.9
checks:
  web: {kind: https, path: /x, status: [200, 204]}
quality:
  fibre: {loss: 0.02}
include: [FILE]
"""


def csv_listed(text: str) -> int:
    """How many endpoints a reader of the text sees: lines that are not blank or comments."""
    lines = re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff"))
    plain = [each for each in lines if each.strip(" \t,;")]
    return len([each for each in plain if not each.lstrip(' \t"').startswith("#")]) - 1


def yaml_listed(text: str) -> int:
    """How many endpoints a reader of the text sees: ids that are not in comments."""
    bare = re.sub(r"(?m)(^|\s)#.*", "", text)
    return len(re.findall(r"(?:^|[\s{,-])id:\s", bare))


Listed = Callable[[str], int]
SAMPLES: dict[str, tuple[str, Listed]] = {
    "i.csv": (CSV, csv_listed),
    "i.yaml": (YAML, yaml_listed),
}


def outcome(folder: Path, name: str, raw: bytes, main: bytes | None = None) -> int | None:
    """How many endpoints these files give; None when they are refused, each problem placed."""
    (folder / name).write_bytes(raw)
    settings_file = folder / "v.yaml"
    settings_file.write_bytes(main or MAIN.replace("FILE", name).encode())
    try:
        return len(load(settings_file).endpoints)
    except ConfigError as error:
        problems = error.problems
    assert problems
    for problem in problems:
        assert problem.file in {str(settings_file), str(folder / name)}
        assert problem.line >= 1
        assert problem.what
        assert not any(category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in str(problem))
    return None


def never_fewer(folder: Path, name: str, raw: bytes) -> None:
    """The promise: refused, or every endpoint that is plainly listed is there."""
    found = outcome(folder, name, raw)
    if found is not None:
        assert found >= SAMPLES[name][1](raw.decode())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_valid(tmp_path: Path, name: str) -> None:
    """The files that are damaged below are whole to begin with, and the oracle counts right."""
    text, listed = SAMPLES[name]
    assert outcome(tmp_path, name, text.encode()) == listed(text) >= 3


@pytest.mark.parametrize("name", SAMPLES)
def test_an_inventory_cut_at_every_byte(tmp_path: Path, name: str) -> None:
    """A file that was not written to its end is refused, or holds all that it lists."""
    raw = SAMPLES[name][0].encode()
    for end in range(len(raw)):
        never_fewer(tmp_path, name, raw[:end])


def test_settings_cut_at_every_byte(tmp_path: Path) -> None:
    """Settings that were cut are refused: the inventories are named last."""
    main = MAIN.replace("FILE", "i.csv").encode()
    whole = {len(main), len(main) - 1}  # without the last line end it is still whole
    for end in range(1, len(main)):
        found = outcome(tmp_path, "i.csv", CSV.encode(), main[:end])
        assert (found is not None) == (end in whole)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_line_deleted_doubled_or_commented(tmp_path: Path, name: str) -> None:
    """Damage by whole lines is refused, or is what the file then plainly says."""
    lines = SAMPLES[name][0].splitlines(keepends=True)
    for at, line in enumerate(lines):
        for instead in ([], [line, line], [line.rstrip("\n")], ["# " + line], [" " + line]):
            damaged = "".join([*lines[:at], *instead, *lines[at + 1 :]])
            never_fewer(tmp_path, name, damaged.encode())


FAST = settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NASTY = st.sampled_from([*"\"'#,;:-[]{}&*!|>%@`\\\t\r\n \x00\x1b\x7f\x85\u2028\u202e\ufeff", "é"])
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 2), NASTY | st.characters(codec="utf-8")),
    min_size=1,
    max_size=4,
)


def edited(text: str, edits: list[tuple[float, int, str]]) -> str:
    """The text with some characters replaced (1), deleted (0) or put in (2)."""
    for where, how, character in edits:
        at = int(where * (len(text) - 1))
        text = text[:at] + ("" if how == 0 else character) + text[at + (how < 2) :]
    return text


@pytest.mark.parametrize("name", SAMPLES)
@FAST
@given(edits=EDITS)
def test_flipped_characters(tmp_path: Path, name: str, edits: list[tuple[float, int, str]]) -> None:
    """A few wrong characters anywhere never lose an endpoint silently."""
    never_fewer(tmp_path, name, edited(SAMPLES[name][0], edits).encode())


@FAST
@given(edits=EDITS)
def test_flipped_characters_in_settings(
    tmp_path: Path, edits: list[tuple[float, int, str]]
) -> None:
    """Damaged settings are refused or still include the whole inventory."""
    main = edited(MAIN.replace("FILE", "i.csv"), edits).encode()
    assert outcome(tmp_path, "i.csv", CSV.encode(), main) in {None, csv_listed(CSV)}


@pytest.mark.parametrize("name", [*SAMPLES, "v.yaml"])
@FAST
@given(raw=st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, raw: bytes) -> None:
    """Any bytes at all end in settings or in ConfigError, never in another exception."""
    if name == "v.yaml":
        outcome(tmp_path, "i.csv", CSV.encode(), raw or b"\n")
    else:
        outcome(tmp_path, name, raw)
