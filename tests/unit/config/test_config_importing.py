"""Bringing somebody else's list into an inventory."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.fakes.settings_files import HEADER, rows, write
from vcmon.config.importing import plan_import, write_whole
from vcmon.config.loader import load
from vcmon.errors import ConfigError

FOREIGN = """\
No;Kode;Provinsi;Lokasi;Peran;Alamat IP;Pemeriksaan;Bergantung pada;Media;Penyedia;Narahubung
1;Sumsel-Router;Sumatera Selatan;Palembang;Perute;192.0.2.1;icmp;;Serat Optik;PT X, Tbk;
2;Sumsel-Codec;16;Palembang;Kodek;192.0.2.2;icmp sip;sumsel-router;VSAT;;Budi
"""
OURS = rows(
    "# the head stays",
    "sumsel-codec,16,Lama,codec,192.0.2.9,icmp,,fibre,PT Y,Ani",
    "",
    "# Aceh",
    'aceh-codec,aceh,"Kantor, Lt. 2",codec,192.0.2.3,icmp,,,,',
)


def test_indonesian_headers_and_words(tmp_path: Path) -> None:
    """Common headers, roles and media become ours; the result is a valid inventory."""
    (tmp_path / "f.csv").write_text(FOREIGN)
    merged, left_out = plan_import((tmp_path / "f.csv", None, None), remove=False)
    assert left_out == ("No",)
    assert merged.text == (
        f"{HEADER}\n"
        'sumsel-router,sumatera-selatan,Palembang,router,192.0.2.1,icmp,,fibre,"PT X, Tbk",\n'
        "sumsel-codec,sumatera-selatan,Palembang,codec,192.0.2.2,icmp sip,sumsel-router,"
        "satellite,,Budi\n"
    )
    assert len(load(write(tmp_path, "", merged.text)).endpoints) == 2


def test_merging_keeps_what_the_list_does_not_name(tmp_path: Path) -> None:
    """Rows are updated by id; comments, other rows and columns the list lacks stay."""
    (tmp_path / "i.csv").write_text(OURS)
    (tmp_path / "f.csv").write_text("kode,provinsi,peran,ip,layanan\nsumsel-codec,16,kodek,h,sip\n")
    paths = (tmp_path / "f.csv", tmp_path / "i.csv", None)
    merged, _ = plan_import(paths, remove=False)
    assert (merged.added, merged.changed, merged.absent) == (
        (),
        ("sumsel-codec",),
        ("aceh-codec",),
    )
    changed = "sumsel-codec,sumatera-selatan,Lama,codec,h,sip,,fibre,PT Y,Ani"
    old = "sumsel-codec,16,Lama,codec,192.0.2.9,icmp,,fibre,PT Y,Ani"
    assert merged.text == OURS.replace(old, changed)
    again, _ = plan_import((tmp_path / "i.csv", tmp_path / "i.csv", None), remove=True)
    assert again.changed == ("sumsel-codec",)  # only its province, written as a slug


def test_removing_is_asked_for(tmp_path: Path) -> None:
    """An incomplete list ends the watching of nothing, unless that is said."""
    (tmp_path / "i.csv").write_text(OURS)
    (tmp_path / "f.csv").write_text(FOREIGN)
    paths = (tmp_path / "f.csv", tmp_path / "i.csv", None)
    kept, _ = plan_import(paths, remove=False)
    assert (kept.added, kept.absent) == (("sumsel-router",), ("aceh-codec",))
    assert "aceh-codec" in kept.text
    removed, _ = plan_import(paths, remove=True)
    assert "aceh-codec" not in removed.text
    assert "# Aceh" in removed.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kode,provinsi\na,11\n", "f.csv:1: missing columns: role, address, checks"),
        ("kode,id,provinsi,peran,ip,layanan\n", "f.csv:1: column 'id' stands here 2 times"),
        ("", "f.csv:1: expected a header line and at least one row, found no row"),
        ("id,province,role,address,checks\na,11,room,h\n", "f.csv:2: expected 5 columns, found 4"),
        ("id,province,role,address,checks\na,atlantis,room,h,sip\n", "f.csv:2: province: expected"),
        (
            "id,province,role,address,checks\na,11,room,h,sip\na,11,room,h,sip\n",
            "f.csv:3: id: 'a' is already in line 2",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_own_lines(
    tmp_path: Path, text: str, expected: str
) -> None:
    """What is wrong in the foreign file is told there; nothing is made of it."""
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(ConfigError) as refused:
        plan_import((tmp_path / "f.csv", None, None), remove=False)
    assert str(refused.value.problems[0]).removeprefix(f"{tmp_path}/").startswith(expected)


def test_the_settings_around_count(tmp_path: Path) -> None:
    """Profiles are known, and ids of the other inventories can be depended on, not taken."""
    (tmp_path / "i.csv").write_text(OURS)
    (tmp_path / "j.csv").write_text(rows("hub,pusat,,router,h,icmp,,,,"))
    config = tmp_path / "v.yaml"
    config.write_text("checks: {web: {kind: https}}\ninclude: [i.csv, j.csv]")
    head = "id,province,role,address,checks,depends_on\n"
    (tmp_path / "f.csv").write_text(f"{head}a,11,room,h,web,hub\n")
    paths = (tmp_path / "f.csv", tmp_path / "i.csv", config)
    merged, _ = plan_import(paths, remove=False)
    assert merged.added == ("a",)
    (tmp_path / "f.csv").write_text(f"{head}hub,11,room,h,web,\n")
    with pytest.raises(ConfigError, match="'hub' is already in"):
        plan_import(paths, remove=False)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The mode and a symbolic link to the file stay, and nothing is left beside it."""
    target, link = tmp_path / "i.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert {each.name for each in tmp_path.iterdir()} == {"i.csv", "link.csv"}


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A text that can't be encoded changes nothing and leaves nothing."""
    target = tmp_path / "i.csv"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(target, "new\ud800")
    assert [each.name for each in tmp_path.iterdir()] == ["i.csv"]
    assert target.read_text() == "old"
