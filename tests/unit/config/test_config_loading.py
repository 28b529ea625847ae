"""What valid files become."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import pytest

from tests.fakes.settings_files import HEADER, ROW, loaded, rows, write
from vcmon.config.address import parse_address, split_listen
from vcmon.config.document import core_scalar
from vcmon.config.kinds import PARAMS
from vcmon.config.loader import load
from vcmon.config.params import IcmpParams, TcpParams
from vcmon.config.params_talk import SipParams
from vcmon.config.params_web import HttpsParams
from vcmon.config.profiles import LIMITS
from vcmon.config.provinces import province_slug, provinces
from vcmon.config.schema import PROFILES, SettingsFile, json_schema
from vcmon.config.settings import QUALITY_CLASSES, Confirm, Defaults, Settings
from vcmon.config.summary import notes, summary
from vcmon.model.endpoint import CheckId, Role
from vcmon.model.memory import Maintenance

REPOSITORY = Path(__file__).parents[3]


def checks(folder: Path, cell: str, settings: str = "") -> dict[str, tuple[str, bool]]:
    """Kind and ``decides`` of the checks that a cell makes, by name."""
    settings_made = loaded(folder, settings, rows(f"a,aceh,,codec,192.0.2.1,{cell},,,,"))
    (endpoint,) = settings_made.endpoints
    return {check.id.name: (check.kind, check.decides) for check in endpoint.checks}


def test_only_include_is_needed(tmp_path: Path) -> None:
    """With nothing but an inventory, everything else has its documented default."""
    settings = loaded(tmp_path)
    assert (settings.vantage, settings.language, settings.canaries) == ("pusat", "id", ())
    assert settings.web.listen == "127.0.0.1:9838"
    assert settings.defaults == Defaults()
    assert settings.files == (tmp_path / "v.yaml", tmp_path / "i.csv")
    assert settings.quality == QUALITY_CLASSES


def test_an_endpoint_has_every_column(tmp_path: Path) -> None:
    """All ten columns arrive, the province as a slug."""
    text = rows(
        "r,pusat,,router,h.example,icmp,,,,",
        'a,16,"Kantor, Lt. 2",codec,2001:DB8::0001,icmp sip:5070,r,satellite,PT X,Budi 0711',
    )
    endpoint = loaded(tmp_path, "", text).endpoints[1]
    assert (endpoint.id, endpoint.province, endpoint.role) == ("a", "sumatera-selatan", Role.CODEC)
    assert (endpoint.site, endpoint.address) == ("Kantor, Lt. 2", "2001:db8::1")
    assert (endpoint.depends_on, endpoint.medium) == (("r",), "satellite")
    assert (endpoint.provider, endpoint.contact) == ("PT X", "Budi 0711")
    ping, sip = endpoint.checks
    assert ping.id == CheckId("a", "icmp")
    assert sip.id == CheckId("a", "sip")
    assert (sip.province, sip.address, sip.params) == (
        "sumatera-selatan",
        "2001:db8::1",
        SipParams(port=5070),
    )
    assert (sip.interval, sip.timeout) == (10.0, 2.0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_excel_writes_is_read(tmp_path: Path, end: str, delimiter: str, mark: str) -> None:
    """Commas or semicolons, any line end, with or without a BOM: the same endpoints."""
    lines = [HEADER, "# a comment, with commas", "", ",,,,,,,,,", ROW, '"# as Excel quotes it",,,']
    text = mark + end.join(lines).replace(",", delimiter)
    assert loaded(tmp_path, "", text).endpoints == loaded(tmp_path).endpoints


def test_columns_in_any_order_and_case(tmp_path: Path) -> None:
    """The header decides which column is which; optional ones may be missing."""
    text = "Checks,ADDRESS,role,Province,Id\nicmp sip,192.0.2.1,codec,Aceh,a\n"
    assert loaded(tmp_path, "", text).endpoints == loaded(tmp_path).endpoints


@pytest.mark.parametrize("key", ["endpoints:\n", ""])
def test_a_yaml_inventory_is_the_same_as_csv(tmp_path: Path, key: str) -> None:
    """The same columns under ``endpoints`` or as a plain list give the same endpoints."""
    entry = "- {id: a, province: 11, role: codec, address: 192.0.2.1, checks: [icmp, sip], site: }"
    (tmp_path / "i.yaml").write_text(key + entry)
    (tmp_path / "v.yaml").write_text("include: [i.yaml]")
    assert load(tmp_path / "v.yaml").endpoints == loaded(tmp_path).endpoints


def test_text_is_cleaned(tmp_path: Path) -> None:
    """Control characters, direction overrides and odd spaces never get past the loader."""
    text = rows("a,aceh,x\x1b[31m\u202ey\x00,codec,h,icmp,,,\u00a0PT\u00a0X ,\tBudi")
    (endpoint,) = loaded(tmp_path, "", text).endpoints
    assert (endpoint.site, endpoint.provider, endpoint.contact) == ("x [31m y", "PT X", "Budi")


def test_check_names(tmp_path: Path) -> None:
    """A name alone is the name; repeated, each gets its port."""
    assert list(checks(tmp_path, "icmp sip:5070")) == ["icmp", "sip"]
    assert list(checks(tmp_path, "tcp:80 tcp:443 icmp")) == ["tcp-80", "tcp-443", "icmp"]
    assert list(checks(tmp_path, "https https:8443")) == ["https-443", "https-8443"]


def test_who_decides(tmp_path: Path) -> None:
    """ICMP decides only where nothing else does, STAMP only alone, unless a profile says so."""
    assert checks(tmp_path, "icmp") == {"icmp": ("icmp", True)}
    assert checks(tmp_path, "icmp sip") == {"icmp": ("icmp", False), "sip": ("sip", True)}
    assert checks(tmp_path, "stamp") == {"stamp": ("stamp", True)}
    assert checks(tmp_path, "stamp icmp") == {"stamp": ("stamp", False), "icmp": ("icmp", True)}
    assert [each for _, each in checks(tmp_path, "icmp stamp sip").values()] == [False, False, True]
    profile = "checks: {p: {kind: icmp, decides: true}, s: {kind: sip, decides: false}}"
    assert checks(tmp_path, "p sip", profile)["p"] == ("icmp", True)
    assert checks(tmp_path, "icmp s", profile) == {"icmp": ("icmp", True), "s": ("sip", False)}


def test_what_only_explains_never_decides(tmp_path: Path) -> None:
    """A look at the MTU every ten minutes decides nothing, alone with ICMP either."""
    assert checks(tmp_path, "icmp mtu") == {"icmp": ("icmp", True), "mtu": ("mtu", False)}
    profile = "checks: {mtu: {kind: mtu, decides: true, sizes: [1400]}}"
    assert checks(tmp_path, "icmp mtu", profile)["mtu"] == ("mtu", True)
    with pytest.raises(Exception, match="no check here decides"):
        checks(tmp_path, "mtu")


def test_an_endpoint_that_nothing_decides_is_refused(tmp_path: Path) -> None:
    """An endpoint that could never be down would be an outage missed."""
    with pytest.raises(Exception, match="no check here decides"):
        checks(tmp_path, "s", "checks: {s: {kind: sip, decides: false}}")


def test_profiles(tmp_path: Path) -> None:
    """A profile sets parameters, interval and timeout; the inventory's port wins."""
    settings = """\
defaults: {interval: 30s}
checks:
  icmp: {kind: icmp, packets: 3}
  web: {kind: https, port: 8443, path: /x, status: [200, 204], timeout: 1s, interval: 5s}
  q931: {kind: tcp}
"""
    text = rows("a,aceh,,codec,h,icmp web,,,,", "b,aceh,,codec,h,web:444 q931:1720,,,,")
    one, two = loaded(tmp_path, settings, text).endpoints
    assert one.checks[0].params == IcmpParams(packets=3)
    assert one.checks[1].params == HttpsParams(port=8443, path="/x", status=(200, 204))
    assert [(c.interval, c.timeout) for c in one.checks] == [(30.0, 2.0), (5.0, 1.0)]
    assert two.checks[0].params == HttpsParams(port=444, path="/x", status=(200, 204))
    assert (two.checks[1].kind, two.checks[1].params) == ("tcp", TcpParams(port=1720))


def test_a_ca_file_is_found_beside_the_settings(tmp_path: Path) -> None:
    """``ca_file`` is relative to the settings file, whatever the working directory is."""
    (tmp_path / "ca.pem").write_text("x")
    settings = "checks: {t: {kind: tls, ca_file: ca.pem}}"
    (endpoint,) = loaded(tmp_path, settings, rows("a,aceh,,codec,h,t,,,,")).endpoints
    assert endpoint.checks[0].params.ca_file == str(tmp_path / "ca.pem")


def test_quality_is_overlaid_value_by_value(tmp_path: Path) -> None:
    """A class in the file changes what it says and keeps the rest."""
    settings = loaded(tmp_path, "quality: {satellite: {loss: 0.02}, radio: {rtt: 400ms}}")
    satellite, radio = settings.quality["satellite"], settings.quality["radio"]
    assert (satellite.loss, satellite.rtt) == (0.02, 0.8)
    assert (radio.loss, radio.jitter, radio.rtt) == (0.01, 0.03, 0.4)
    assert settings.quality["fibre"] == QUALITY_CLASSES["fibre"]


def test_an_emptied_key_counts_as_left_out(tmp_path: Path) -> None:
    """``canaries:`` with all its entries commented out is no error."""
    text = "canaries:\nchecks:\ndefaults:\n  confirm:\n    down: 4\n    retry:"
    settings = loaded(tmp_path, text)
    assert settings.defaults.confirm == Confirm(down=4)


def test_canaries_and_listen(tmp_path: Path) -> None:
    """Canaries are addresses in canonical form."""
    settings = loaded(tmp_path, "canaries: [GW.example., 192.0.2.1]\nweb: {listen: '[::1]:80'}")
    assert settings.canaries == ("gw.example", "192.0.2.1")
    assert split_listen(settings.web.listen) == ("::1", 80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9838", ("127.0.0.1", 9838)),
        ("localhost:80", ("localhost", 80)),
        ("[::]:1", ("::", 1)),
        ("0.0.0.0:1", ("0.0.0.0", 1)),
    ],
)
def test_listen(text: str, expected: tuple[str, int]) -> None:
    """host:port is split, brackets and all."""
    assert split_listen(text) == expected


@pytest.mark.parametrize("text", ["", "9838", ":80", "h:0", "h:1x", "::1:80", "[h]:80", "[::1]"])
def test_not_listen(text: str) -> None:
    """Anything but host:port is refused."""
    with pytest.raises(ValueError, match="expected"):
        split_listen(text)


def test_mapped_addresses_are_plain_ipv4() -> None:
    """An IPv4 address in IPv6 clothes is the same host, and may not hide a multicast group."""
    assert parse_address("::ffff:192.0.2.1") == "192.0.2.1"
    with pytest.raises(ValueError, match="one that no single host has"):
        parse_address("::ffff:224.0.0.1")


def test_yaml_is_1_2() -> None:
    """``no`` is text, 010 is ten, 1:30 is text, .inf no number."""
    texts = ["no", "010", "1:30", "true", "~", "", "1.5", "1e3", "1" + "0" * 40, "0x1f", ".inf"]
    values = ["no", 10, "1:30", True, None, None, 1.5, 1000.0, 1e40, "0x1f", ".inf"]
    assert [core_scalar(text) for text in texts] == values


def test_provinces() -> None:
    """The Centre and 38 provinces, in the official order of their codes."""
    known = provinces()
    assert len(known) == 39
    assert next(iter(known)) == "pusat"
    codes = [province.code for province in known.values()]
    assert codes == sorted(codes)
    centre = known["pusat"]
    assert (centre.timezone, centre.tile_column, centre.tile_row) == ("Asia/Jakarta", -1, -1)
    tiles = {(each.tile_column, each.tile_row) for each in known.values()}
    assert len(tiles) == 39


@pytest.mark.parametrize(
    "text", ["di-yogyakarta", "34", "ID-YO", "id-yo", "DI Yogyakarta", "Provinsi DI  YOGYAKARTA"]
)
def test_what_people_write_for_a_province(text: str) -> None:
    """Slug, code, ISO and Indonesian name are known, in any case."""
    assert province_slug(text) == "di-yogyakarta"


def test_every_province_is_known_by_each_of_its_names() -> None:
    """No two provinces share a word."""
    for province in provinces().values():
        for text in filter(None, (province.slug, province.code, province.iso, province.name_id)):
            assert province_slug(text) == province.slug


def example() -> Settings:
    """The example that we ship."""
    return load(REPOSITORY / "config" / "vcmon.yaml")


def test_the_example_loads() -> None:
    """The shipped example: 38 provinces and the Centre, two endpoints each, all of it shown."""
    settings = example()
    for slug in settings.provinces:
        roles = {each.role for each in settings.endpoints if each.province == slug}
        assert Role.ROUTER in roles
        assert roles & {Role.CODEC, Role.PLATFORM}
    assert settings.canaries
    assert "radio" in settings.quality
    assert not list(notes(settings))
    assert "provinces: 38 of 38, and the Centre" in list(summary(settings))


def test_the_example_uses_documentation_addresses_once() -> None:
    """Nobody's real host is probed by trying the example."""
    settings = example()
    addresses = [*settings.canaries, *(each.address for each in settings.endpoints)]
    assert all(address.startswith("192.0.2.") for address in addresses)
    assert len(set(addresses)) == len(addresses)


def test_notes(tmp_path: Path) -> None:
    """What is allowed but may be an oversight is said."""
    text = "\n".join(notes(loaded(tmp_path, "", rows("a,aceh,,router,h,icmp,,,,"))))
    assert "no canaries" in text
    assert "provinces without endpoints (37): sumatera-utara" in text
    assert "provinces without a conference endpoint (1): aceh" in text


def keys(model: object) -> set[str]:
    """Every key of a settings model and of the models in it."""
    found: set[str] = set()
    for name, info in getattr(model, "model_fields", {}).items():
        inner = [info.annotation, *get_args(info.annotation)]
        found |= {name}.union(*(keys(each) for each in inner if isinstance(each, type)))
    return found


def test_maintenance_is_read_on_the_clock_of_its_zone(tmp_path: Path) -> None:
    """A name of any form for the province, WIT for its zone; 22.00 WIT is 13.00 UTC."""
    text = """
maintenance:
  - {scope: "province:91", title: "Ganti  router", start: 2026-11-28 22.00, duration: 4h, zone: WIT,
     repeat: FREQ=WEEKLY;BYDAY=SA}
  - {scope: "endpoint:a", title: b, start: 2026-11-28T22:00, duration: 1d}
"""
    weekly, once = loaded(tmp_path, text).maintenance
    assert weekly == Maintenance(
        id=0, scope="province:papua", title="Ganti router", start=1795870800.0, seconds=14400.0,
        zone="Asia/Jayapura", rule="FREQ=WEEKLY;BYDAY=SA",
    )  # fmt: skip
    assert (once.start, once.seconds) == (1795870800.0 + 7200, 86400.0)


def test_every_key_is_documented() -> None:
    """docs/settings.md names each key, column, kind and class."""
    text = (REPOSITORY / "docs" / "settings.md").read_text()
    models = (SettingsFile, *PROFILES.values())
    words = set().union(*map(keys, models)) | {*HEADER.split(","), *PARAMS, *QUALITY_CLASSES}
    undocumented = {w for w in words if w and f"`{w}`" not in text and f".{w}`" not in text}
    assert not undocumented


def test_the_documented_examples_load(tmp_path: Path) -> None:
    """What docs/settings.md shows is valid, all of it together."""
    text = (REPOSITORY / "docs" / "settings.md").read_text()
    blocks = [part.partition("```")[0] for part in text.split("```yaml\n")[1:]]
    settings = [block for block in blocks if not block.startswith("endpoints")]
    inventory = text.split("```csv\n")[1].partition("```")[0]
    (tmp_path / "v.yaml").write_text("".join(settings))
    (tmp_path / "inventaris.csv").write_text(inventory)
    for secret in ("turn.password", "turn.secret"):
        (tmp_path / secret).write_text("secret")
        (tmp_path / secret).chmod(0o600)
    assert len(load(tmp_path / "v.yaml").endpoints) == 2


def test_every_duration_is_bounded() -> None:
    """No duration of any model can be zero by mistake, or a century."""
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            for name, value in node.get("properties", {}).items():
                if "(ms|s|m|h|d)" in str(value):
                    found.add(name)
            for value in node.values():
                walk(value)

    walk(json_schema())
    assert found == set(LIMITS)


def test_the_schema_knows_every_kind() -> None:
    """The JSON Schema is of draft 2020-12 and closed, with a profile for each kind."""
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["include"]
    assert schema["additionalProperties"] is False
    (profile,) = schema["properties"]["checks"]["patternProperties"].values()
    names = [each["$ref"].removeprefix("#/$defs/") for each in profile["oneOf"]]
    kinds = [schema["$defs"][name]["properties"]["kind"]["const"] for name in names]
    assert kinds == list(PARAMS)
    assert schema["$defs"]["Defaults"]["properties"]["interval"]["default"] == "10s"


def test_every_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is checked is what is used: no file is opened a second time."""
    opened: list[str] = []
    import os

    real = os.open

    def counting(path: str | Path, flags: int, mode: int = 0o777) -> int:
        opened.append(str(path))
        return real(path, flags, mode)

    path = write(tmp_path, "")
    monkeypatch.setattr(os, "open", counting)
    load(path)
    monkeypatch.undo()
    assert opened == [str(path), str(tmp_path / "i.csv")]


def test_ten_thousand_endpoints_load_in_two_seconds(tmp_path: Path) -> None:
    """A reload of the largest country that we promise is no pause to speak of."""
    lines = [
        f"e{i},{11 + i % 8},Kantor,codec,10.0.{i >> 8}.{i & 255},icmp sip tcp:1720,"
        f"{f'e{i - 1}' if i else ''},fibre,X,Y"
        for i in range(10_000)
    ]
    path = write(tmp_path, "", rows(*lines))
    begun = time.process_time()
    assert len(load(path).endpoints) == 10_000
    assert time.process_time() - begun < 2


def test_the_tokens_lie_beside_the_settings(tmp_path: Path) -> None:
    """A relative name is one beside the settings file; none is none, and nobody may act."""
    assert loaded(tmp_path).web.tokens_file == ""
    found = loaded(tmp_path, "web: {tokens_file: tokens}").web.tokens_file
    assert found == str(tmp_path / "tokens")
    assert loaded(tmp_path, "web: {tokens_file: /srv/t}").web.tokens_file == "/srv/t"
