"""Every rule of settings and inventories, each with a file that breaks it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.fakes.settings_files import HEADER, ROW, problems, rows, write
from vcmon.config.endpoints import MAX_CYCLES, MAX_ENDPOINTS
from vcmon.config.source import MAX_BYTES

WINDOW = {
    "scope": "scope: 'province:papua'",
    "title": "title: a",
    "start": "start: 2026-11-22 22:00",
    "duration": "duration: 4h",
}


def window(wrong: dict[str, str]) -> str:
    """A window with these keys instead of the right ones."""
    return f"maintenance:\n- {{{', '.join((WINDOW | wrong).values())}}}"


SETTINGS = {
    "vantage: Pusat Satu": "v.yaml:1: vantage: expected a name of at most 63 of a-z",
    "\nlangauge: id": "v.yaml:2: langauge: unknown key; known here: vantage, language, web",
    "language: jv": "v.yaml:1: language: expected 'id' or 'en', found 'jv'",
    "web: {listen: 9838}": "v.yaml:1: web.listen: expected text (put a number in quotes)",
    "web: {listen: 'localhost'}": "v.yaml:1: web.listen: expected host:port",
    "web: {listen: '::1:9838'}": "v.yaml:1: web.listen: expected host:port; an IPv6 address goes",
    "web: {listen: '[::1]:70000'}": "v.yaml:1: web.listen: expected host:port with a port",
    "web: {grafana: 'javascript:alert(1)'}": "v.yaml:1: web.grafana: expected an address as https",
    "web: {grafana: 'https://'}": "v.yaml:1: web.grafana: expected an address as https",
    "web: {lisen: x}": "v.yaml:1: web.lisen: unknown key; known here: listen, tokens_file, users_",
    "web: 9838": "v.yaml:1: web: expected a mapping of keys, found 9838",
    "web: {tokens_file: ' '}": "v.yaml:1: web.tokens_file: expected the name of a file",
    "history: {path: ' '}": "v.yaml:1: history.path: expected the name of a file",
    "history: {keep: 30d}": "v.yaml:1: history.keep: expected 62d to 36500d, found '30d'",
    "defaults:\n  interval: 10": "v.yaml:2: defaults.interval: expected a duration like 10s",
    "defaults: {interval: 2d}": "v.yaml:1: defaults.interval: expected 200ms to 1d, found '2d'",
    "defaults: {timeout: 11s}": "v.yaml:1: defaults.timeout: the timeout is longer than the",
    "defaults: {confirm: {down: 0}}": "v.yaml:1: defaults.confirm.down: expected a value greater",
    "defaults: {confirm: {down: '3'}}": "v.yaml:1: defaults.confirm.down: expected a whole number",
    "defaults: {confirm: {upgap: 1s}}": "v.yaml:1: defaults.confirm.upgap: unknown key; known",
    "canaries: 192.0.2.1": "v.yaml:1: canaries: expected a list, found '192.0.2.1'",
    "canaries:\n- 192.0.2.1\n- x y": "v.yaml:3: canaries[1]: expected an IP address or a host",
    "canaries: [a, a]": "v.yaml:1: canaries[1]: 'a' stands here twice: keep one",
    "checks: {A: {kind: icmp}}": "v.yaml:1: checks.A: expected a name of at most 32 of a-z",
    "checks: {a: icmp}": "v.yaml:1: checks.a: expected a mapping of keys, found 'icmp'",
    "checks: {a: {port: 1}}": "v.yaml:1: checks.a.kind: needed, but missing: one of icmp, tcp",
    "checks: {a: {kind: icpm}}": "v.yaml:1: checks.a.kind: expected one of icmp, tcp, tls, http",
    "checks: {call: {kind: icmp}}": "v.yaml:1: checks.call.kind: a profile called call must be of",
    "checks: {sip: {kind: icmp}}": "v.yaml:1: checks.sip.kind: a profile called sip must be of",
    "checks: {a: {kind: http, pth: /}}": "v.yaml:1: checks.a.pth: unknown key; known here: ",
    "checks: {a: {kind: http, port: 0}}": "v.yaml:1: checks.a.port: expected a value greater than",
    "checks: {a: {kind: http, path: x}}": "v.yaml:1: checks.a.path: expected text like",
    "checks: {a: {kind: http, verify: 1}}": "v.yaml:1: checks.a.verify: expected true or false",
    "checks: {a: {kind: h323, ras: lrq}}": "v.yaml:1: checks.a: ras: lrq looks an alias up, and",
    "checks: {a: {kind: h323, ras: rrq}}": "v.yaml:1: checks.a.ras: expected '', 'grq', 'lrq'",
    "checks: {a: {kind: h323, ras: grq, setup: true}}": "v.yaml:1: checks.a: setup calls over the",
    "checks: {a: {kind: h323, setup: true}}": "v.yaml:1: checks.a.setup: a call every 10s would",
    "checks: {a: {kind: h323, alias: é}}": "v.yaml:1: checks.a.alias: expected text like",
    "checks: {a: {kind: icmp, packets: yes}}": "v.yaml:1: checks.a.packets: expected a whole",
    "checks: {a: {kind: stamp, packets: 500}}": "v.yaml:1: checks.a.packets: 500 packets 20ms",
    "checks: {a: {kind: stamp, size: 43}}": "v.yaml:1: checks.a.size: expected",
    "checks: {a: {kind: icmp, timeout: 11s}}": "v.yaml:1: checks.a.timeout: the timeout (11s) is",
    "checks: {a: {kind: icmp, interval: 1s}}": "v.yaml:1: checks.a.interval: the timeout (2s) is",
    "checks: {a: {kind: icmp, packets: 3, spacing: 1s}}": "v.yaml:1: checks.a.packets: 3 packets",
    "checks: {a: {kind: tls, ca_file: no.pem}}": "v.yaml:1: checks.a.ca_file: no such file: no.pem",
    "quality: {fibre: {loss: 3}}": "v.yaml:1: quality.fibre.loss: expected a value less than or",
    "quality: {fibre: {loss: .nan}}": "v.yaml:1: quality.fibre.loss: expected a number, found",
    "quality: {fibre: {rtt: 0s}}": "v.yaml:1: quality.fibre.rtt: expected 1ms to 1m, found '0s'",
    "quality: {fibre: {delay: 1s}}": "v.yaml:1: quality.fibre.delay: unknown key; known here: loss",
    "flapping: {calm: 6}": "v.yaml:1: flapping.calm: expected at most 'changes' (5), found 6",
    "flapping: {window: 2d}": "v.yaml:1: flapping.window: expected 1m to 1d, found '2d'",
    "incidents: {reopen: 2d}": "v.yaml:1: incidents.reopen: expected 0ms to 1d, found '2d'",
    "maintenance: {scope: a}": "v.yaml:1: maintenance: expected a list, found a mapping",
    **{
        window(wrong): f"v.yaml:2: maintenance{told}"
        for wrong, told in (
            ({"scope": "scope: papua"}, "[0].scope: expected one of province:..., endpoint:..., "),
            ({"scope": "scope: 'province:papau'"}, "[0].scope: expected a province, found 'papau'"),
            ({"scope": "scope: 'endpoint:b'"}, "[0].scope: no endpoint of that name here: 'b'"),
            ({"scope": "scope: 'island:Jva'"}, "[0].scope: no island of that name here: 'Jva'"),
            ({"scope": "scope: 'provider:X'"}, "[0].scope: no provider of that name here: 'X'"),
            (
                {"at": "at: a"},
                "[0].at: unknown key; known here: scope, title, start, duration, zone",
            ),
            ({"scope": "zone: WIB"}, "[0].scope: needed, but missing"),
            ({"title": "title: ''"}, "[0].title: expected "),
            ({"title": "title: ' '"}, "[0].title: expected a few words, found nothing"),
            (
                {"start": "start: tomorrow"},
                "[0].start: expected a local time as 2026-11-22 22:00; f",
            ),
            (
                {"start": "start: 2026-02-30 22:00"},
                "[0].start: expected a local time as 2026-11-22",
            ),
            ({"start": "start: 1960-01-01 22:00"}, "[0].start: expected a time of our days, found"),
            ({"duration": "duration: 5s"}, "[0].duration: expected 1m to 31d, found '5s'"),
            ({"duration": "duration: 32d"}, "[0].duration: expected 1m to 31d, found '32d'"),
            (
                {"duration": "duration: 2"},
                "[0].duration: expected a duration like 10s, 500ms or 5m",
            ),
            (
                {"zone": "zone: WIX"},
                "[0].zone: expected a time zone, as Asia/Jayapura, WIB, WITA or",
            ),
            (
                {"zone": "zone: ../../etc/passwd"},
                "[0].zone: expected a time zone, as Asia/Jayapura",
            ),
            (
                {"repeat": "repeat: weekly"},
                "[0].repeat: expected NAME=VALUE parts between ';', as F",
            ),
            ({"repeat": "repeat: FREQ=HOURLY"}, "[0].repeat: expected FREQ=, one of DAILY, WEEKLY"),
        )
    },
    # YAML itself
    "vantage: a\nvantage: b": "v.yaml:2: vantage: written twice, first in line 1: keep one",
    "web: {listen: a:1, listen: b:1}": "v.yaml:1: web.listen: written twice",
    "vantage: [a,": "v.yaml:3: not YAML: ",
    "vantage: 'a": "v.yaml:3: not YAML: found unexpected end of stream",
    "history: {path: 'a\n b'}": "v.yaml:1: history.path: a value can't span lines: close the quote",
    "vantage: a: b": "v.yaml:1: not YAML: mapping values are not allowed here",
    "\tvantage: a": "v.yaml:1: not YAML: found character '\\t' that cannot start any token",
    "vantage: &x a": "v.yaml:1: anchors (&) and aliases (*) are not known here",
    "vantage: *x": "v.yaml:1: anchors (&) and aliases (*) are not known here",
    "vantage: !!python/object a": "v.yaml:1: tags (!) are not known here",
    "vantage: a\n---\nlanguage: id": "v.yaml:2: expected one YAML document, found a second",
    "? [a, b]\n: c": "v.yaml:1: expected a name before ':', found a list or a mapping",
    'history: {path: "a\\u202e"}': "v.yaml:1: history.path: expected plain text, found a control",
    'vantage: "a\\ud800"': "v.yaml:1: vantage: expected plain text, found a control character",
    "vantage: a\x07": "v.yaml:1: not YAML: a control character stands here",
    "web: " + "[" * 30: "v.yaml:1: expected at most 12 levels, found more",
}


@pytest.mark.parametrize(("settings", "expected"), SETTINGS.items())
def test_wrong_settings_are_told_with_file_line_and_key(
    tmp_path: Path, settings: str, expected: str
) -> None:
    """Each wrong setting is refused at its line, with what was expected, and nothing else is."""
    found = problems(write(tmp_path, settings))
    assert found[0].startswith(expected)
    assert len(found) == 1


CELLS = {
    "a b,aceh,,codec,192.0.2.1,icmp,,,,": "id: expected 1 to 63 of a-z, 0-9 and '-'",
    "A,aceh,,codec,192.0.2.1,icmp,,,,": "id: expected 1 to 63 of a-z, 0-9 and '-'",
    "-a,aceh,,codec,192.0.2.1,icmp,,,,": "id: expected 1 to 63 of a-z, 0-9 and '-'",
    f"{'a' * 64},aceh,,codec,192.0.2.1,icmp,,,,": "id: expected 1 to 63 of a-z, 0-9 and '-'",
    "a\x1b[31m,aceh,,codec,192.0.2.1,icmp,,,,": "id: expected 1 to 63 of a-z, 0-9 and '-' (not "
    "first), as sumsel-codec; found 'a\\x1b[31m'",
    ",aceh,,codec,192.0.2.1,icmp,,,,": "id: needed, but empty",
    "a,,,codec,192.0.2.1,icmp,,,,": "province: needed, but empty",
    "a,aceh,,,192.0.2.1,icmp,,,,": "role: needed, but empty",
    "a,aceh,,codec,,icmp,,,,": "address: needed, but empty",
    "a,aceh,,codec,192.0.2.1,,,,,": "checks: needed, but empty",
    "a,sumatra-selatan,,codec,192.0.2.1,icmp,,,,": "province: expected a province (as "
    "sumatera-selatan, 16 or ID-SS) or 'pusat', found 'sumatra-selatan'; did you mean "
    "'sumatera-selatan'?",
    "a,99,,codec,192.0.2.1,icmp,,,,": "province: expected a province",
    "a,aceh,,kodec,192.0.2.1,icmp,,,,": "role: expected one of codec, room, mcu, proxy",
    "a,aceh,,codec,192.0.2.300,icmp,,,,": "address: expected an IP address like 192.0.2.10",
    "a,aceh,,codec,192.0.2.010,icmp,,,,": "address: expected an IP address like 192.0.2.10",
    "a,aceh,,codec,192.0.2.1:5060,icmp,,,,": "address: expected an address without port",
    "a,aceh,,codec,[::1],icmp,,,,": "address: expected an address without port",
    "a,aceh,,codec,https://vc.example,icmp,,,,": "address: expected an address without a scheme",
    "a,aceh,,codec,192.0.2.0/24,icmp,,,,": "address: expected the address of one host, found a",
    "a,aceh,,codec,room@vc.example,icmp,,,,": "address: expected an address, found a user",
    "a,aceh,,codec,fe80::1%eth0,icmp,,,,": "address: expected an address without a zone",
    "a,aceh,,codec,0.0.0.0,icmp,,,,": "address: expected the address of one host, found one",
    "a,aceh,,codec,224.0.0.1,icmp,,,,": "address: expected the address of one host, found one",
    "a,aceh,,codec,vc_1.example,icmp,,,,": "address: expected an IP address or a host name",
    "a,aceh,,codec,-vc.example,icmp,,,,": "address: expected an IP address or a host name",
    "a,aceh,,codec,vidéo.example,icmp,,,,": "address: expected an ASCII host name",
    f"a,aceh,,codec,{'a.' * 130}id,icmp,,,,": "address: expected a host name of at most 253",
    "a,aceh,,codec,192.0.2.1,sipp,,,,": "checks: unknown check 'sipp'; known are icmp, tcp",
    "a,aceh,,codec,192.0.2.1,call:5060,,,,": "checks: 'call' can't stand here as it is: a call may",
    "a,aceh,,codec,192.0.2.1,tcp,,,,": "checks: 'tcp' needs a port: write it as tcp:1720",
    "a,aceh,,codec,192.0.2.1,icmp:7,,,,": "checks: icmp has no port: write 'icmp'",
    "a,aceh,,codec,192.0.2.1,tcp:0,,,,": "checks: expected a port of 1 to 65535 after 'tcp:'",
    "a,aceh,,codec,192.0.2.1,tcp:65536,,,,": "checks: expected a port of 1 to 65535",
    "a,aceh,,codec,192.0.2.1,tcp:,,,,": "checks: expected a port of 1 to 65535",
    "a,aceh,,codec,192.0.2.1,tcp:8O,,,,": "checks: expected a port of 1 to 65535 after 'tcp:', "
    "found '8O'",
    "a,aceh,,codec,192.0.2.1,sip icmp icmp,,,,": "checks: check 'icmp' stands here twice",
    "a,aceh,,codec,192.0.2.1,tcp:80 tcp:80,,,,": "checks: check 'tcp-80' stands here twice",
    "a,aceh,,codec,192.0.2.1,sip sip:5060,,,,": "checks: check 'sip-5060' stands here twice",
    f"a,aceh,,codec,192.0.2.1,{' '.join(f'tcp:{p}' for p in range(1, 34))},,,,": "checks: "
    "expected at most 32 checks, found 33",
    "a,aceh,,codec,192.0.2.1,icmp,a,,,": "depends_on: 'a' depends on itself: leave it out",
    "a,aceh,,codec,192.0.2.1,icmp,b,,,": "depends_on: no endpoint has the id 'b'",
    'a,aceh,,codec,192.0.2.1,icmp,"b,c",,,': "depends_on: expected ids separated by spaces",
    "a,aceh,,codec,192.0.2.1,icmp,,fiber,,": "medium: expected a quality class (fibre, submarine, "
    "satellite, mobile) or nothing, found 'fiber'; did you mean 'fibre'?",
    f"a,aceh,{'x' * 201},codec,192.0.2.1,icmp,,,,": "site: expected at most 200 characters, found",
    f"a,aceh,,codec,192.0.2.1,icmp,,,{'x' * 201},": "provider: expected at most 200 characters",
    f"a,aceh,,codec,192.0.2.1,icmp,,,,{'x' * 201}": "contact: expected at most 200 characters",
    "a,aceh,,codec,192.0.2.1": "expected 10 columns as in the header, found 5; is the line cut",
    "a,aceh,,codec,192.0.2.1,icmp,,,,,": "expected 10 columns as in the header, found 11",
    'a,aceh,"Kantor,codec,192.0.2.1,icmp,,,,': "unexpected end of data: close the quote",
    'a,aceh,"x"y,codec,192.0.2.1,icmp,,,,': "',' expected after '\"': close the quote",
    "a," + "x" * 17_000: "expected at most 16384 characters in a line",
}


@pytest.mark.parametrize(("row", "expected"), CELLS.items())
def test_a_wrong_row_is_told_with_its_line_and_column(
    tmp_path: Path, row: str, expected: str
) -> None:
    """Each wrong cell is refused at its line, whatever stands around it."""
    found = problems(write(tmp_path, "", rows("# first", row)))
    assert found[0].startswith(f"i.csv:3: {expected}")
    assert len(found) == 1


HEADERS = {
    "id,province,role,adress,checks": [
        "i.csv:1: unknown column 'adress'; known are id, province",
        "i.csv:1: missing columns: address (needed: id, province",
    ],
    "id,province,role,address,checks,note": ["i.csv:1: unknown column 'note'; known are id"],
    "id,id,province,role,address,checks": ["i.csv:1: column 'id' stands here 2 times: keep one"],
    "": ["i.csv:1: expected a header line: id,province"],
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.items())
def test_a_wrong_header_is_told_once(tmp_path: Path, header: str, expected: list[str]) -> None:
    """A misspelt, missing or doubled column is one problem, not one a row."""
    found = problems(write(tmp_path, "", f"{header}\n"))
    assert [line[: len(start)] for line, start in zip(found, expected, strict=True)] == expected


def test_a_cell_cannot_span_lines(tmp_path: Path) -> None:
    """An unclosed quote spoils its own line and swallows none of the next."""
    text = rows('a,aceh,"Kantor', 'b",aceh,,codec,x,icmp,,,,', "c,aceh,,codec,bad_name,icmp,,,,")
    found = problems(write(tmp_path, "", text))
    assert [line.split(": ")[0] for line in found] == ["i.csv:2", "i.csv:3", "i.csv:4"]


def test_an_id_names_one_endpoint(tmp_path: Path) -> None:
    """A duplicate id is refused with the place of the first, also across files."""
    write(tmp_path, "", rows(ROW, ROW))
    (tmp_path / "j.csv").write_text(rows(ROW))
    path = tmp_path / "v.yaml"
    path.write_text("include: [i.csv, j.csv]")
    text = f"'a' is already in {tmp_path}/i.csv:2: an id names one endpoint only"
    expected = text.replace(f"{tmp_path}/", "")
    assert problems(path) == [f"i.csv:3: id: {expected}", f"j.csv:2: id: {expected}"]


def test_a_cycle_is_named_whole(tmp_path: Path) -> None:
    """A cycle of dependencies is told with all its members, once."""
    ring = [f"{a},aceh,,router,192.0.2.1,icmp,{b},,," for a, b in ("ab", "bc", "cb")]
    assert problems(write(tmp_path, "", rows(*ring))) == [
        "i.csv:3: depends_on: a cycle: b -> c -> b; take one of these dependencies out"
    ]


def test_a_tangle_of_cycles_and_a_deep_chain_end(tmp_path: Path) -> None:
    """Neither many cycles nor a chain of thousands takes the loader down."""
    names = [f"n{i}" for i in range(30)]
    tangle = [f"{n},aceh,,router,192.0.2.1,icmp,{' '.join(names[:20])},,," for n in names]
    assert len(problems(write(tmp_path, "", rows(*tangle)))) >= MAX_CYCLES
    chain = [f"n{i},aceh,,router,192.0.2.1,icmp,n{i + 1},,," for i in range(5000)]
    last = "n5000,aceh,,router,192.0.2.1,icmp,n0,,,"
    assert len(problems(write(tmp_path, "", rows(*chain, last)))) == 1


def test_an_empty_inventory_is_refused(tmp_path: Path) -> None:
    """No endpoint at all is an error: it would look like a country in which all is well."""
    found = problems(write(tmp_path, "", f"{HEADER}\n\n# {ROW}\n,,,,,,,,,\n"))
    assert found == ["v.yaml:1: include: no endpoint at all in these files: add at least one row"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", "v.yaml:1: expected keys, at least 'include: [inventaris.csv]', found nothing"),
        ("- a", "v.yaml:1: expected keys, at least 'include: [inventaris.csv]', found a list"),
        ("vantage: a", "v.yaml:1: include: needed, but missing"),
        ("include:", "v.yaml:1: include: needed, but missing"),
        ("include: []", "v.yaml:1: include: expected"),
        ("include: [no.csv]", "v.yaml:1: include[0]: can't read no.csv: No such file or directory"),
        ("include: ['.']", "v.yaml:1: include[0]: can't read "),
        ("include: [i.csv, ./i.csv]", "v.yaml:1: include[1]: './i.csv' is included twice"),
        ("include: [v.yaml]", "v.yaml:1: include: unknown key; an inventory has the one key"),
        ("include: [i.txt]", "i.txt: expected an inventory named .csv, .yaml or .yml"),
        ("include: [pipe.csv]", "v.yaml:1: include[0]: can't read pipe.csv: it is not a regular"),
    ],
)
def test_wrong_includes(tmp_path: Path, settings: str, expected: str) -> None:
    """What can't be included is told where it is named."""
    path = write(tmp_path, "")
    path.write_text(settings)
    (tmp_path / "i.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.csv")
    assert problems(path)[0].startswith(expected)


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are problems, not exceptions."""
    assert problems(tmp_path / "no.yaml") == [
        "no.yaml: can't read no.yaml: No such file or directory"
    ]
    (tmp_path / "folder").mkdir()
    assert problems(tmp_path / "folder")[0].startswith("folder: can't read folder: ")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            f"{HEADER}\n{ROW}\nb,aceh,Caf\xe9,codec,::1,icmp,,,,".encode("latin-1"),
            "i.csv:3: expected UTF-8, found the byte 0xe9 at byte 120; save it as UTF-8 (Excel: ",
        ),
        (f"{HEADER}\n".encode("utf-16"), "i.csv:1: expected UTF-8, found UTF-16; save it as"),
        (b"#" * (MAX_BYTES + 1), "i.csv: expected at most 8 MiB, found more"),
    ],
)
def test_a_file_that_is_not_bounded_utf8(tmp_path: Path, raw: bytes, expected: str) -> None:
    """The wrong byte is told with its line and place, and what to do in Excel."""
    assert problems(write(tmp_path, "", raw))[0].startswith(expected)


def test_too_many_endpoints(tmp_path: Path) -> None:
    """More endpoints than the bound are refused at the first row beyond it."""
    body = "\n".join(f"e{i},aceh,codec,h,icmp" for i in range(MAX_ENDPOINTS + 1))
    found = problems(write(tmp_path, "", f"id,province,role,address,checks\n{body}"))
    assert found == [
        "i.csv:100002: id: expected at most 100000 endpoints, found 100001: split them"
    ]


YAML_ROWS = {
    "endpoints:\n- id: a\n  provinse: aceh": "i.yaml:3: provinse: unknown column; known are id",
    "endpoints:\n- id: a\n  id: b": "i.yaml:3: endpoints[0].id: written twice",
    "endpoints:\n- id: a\n  province: {x: y}": "i.yaml:3: province: expected text, found a mapping",
    "endpoints:\n- a": "i.yaml:2: endpoints[0]: expected columns, found 'a'",
    "endpoints: a": "i.yaml:1: expected a list of endpoints, found 'a'",
    "endpoint: []": "i.yaml:1: endpoint: unknown key; an inventory has the one key 'endpoints'",
    "- id: a\n  province: aceh\n  role: kodek\n  address: h\n  checks: icmp": "i.yaml:3: role: ex",
    "- id: a\n  province: aceh\n  role: room\n  checks: icmp": "i.yaml:1: address: needed, but",
}


@pytest.mark.parametrize(("text", "expected"), YAML_ROWS.items())
def test_a_wrong_yaml_inventory(tmp_path: Path, text: str, expected: str) -> None:
    """Problems in a YAML inventory name the line of the column itself."""
    (tmp_path / "i.yaml").write_text(text)
    (tmp_path / "v.yaml").write_text("include: [i.yaml]")
    assert any(line.startswith(expected) for line in problems(tmp_path / "v.yaml"))


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    """A wrong settings file does not hide what is wrong in its inventories, and is told first."""
    settings = "langauge: id\nchecks:\n  web: {kind: http, port: 0}\n  X: {kind: icmp}"
    path = write(tmp_path, settings, rows("a,acehh,,codec,h,web,,,,", "b,aceh,,x,h,sipp,zz,,,"))
    found = [line.split(": ")[0:2] for line in problems(path)]
    assert found == [
        ["v.yaml:1", "langauge"],
        ["v.yaml:3", "checks.web.port"],
        ["v.yaml:4", "checks.X"],
        ["i.csv:2", "province"],
        ["i.csv:3", "role"],
        ["i.csv:3", "checks"],
        ["i.csv:3", "depends_on"],
    ]


def test_messages_cannot_steer_a_terminal(tmp_path: Path) -> None:
    """Whatever stands in a file, a message shows it without control characters, and cut."""
    row = "a,\x1b]0;x\x07\u202e" + "y" * 500 + ",,codec,h,icmp,,,,"
    (line,) = problems(write(tmp_path, "", rows(row)))
    assert line.isprintable()
    assert len(line) < 250


def test_a_file_that_is_wrong_throughout_is_refused_in_seconds(tmp_path: Path) -> None:
    """Thousands of wrong rows are all told, and don't keep a reload waiting."""
    bad = [f"x{i},prov{i},,rol{i},bad_{i},chk{i},dep{i},med{i},," for i in range(10_000)]
    path = write(tmp_path, "", rows(*bad))
    begun = time.process_time()
    assert len(problems(path)) == 60_000
    assert time.process_time() - begun < 5
