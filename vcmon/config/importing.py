"""Somebody else's CSV list into an inventory of ours: headers and words mapped, rows merged."""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vcmon.config.endpoints import Vocabulary, build_endpoints
from vcmon.config.inventory import COLUMNS, Row, check_header, csv_lines, read_rows
from vcmon.config.loader import read_parts
from vcmon.config.profiles import built_in
from vcmon.config.provinces import province_slug
from vcmon.config.report import Place, Report
from vcmon.config.settings import QUALITY_CLASSES, Defaults
from vcmon.config.source import Source, read_source
from vcmon.config.text import shown

_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("kode", "kode perangkat", "id perangkat"),
    "province": ("provinsi", "prov", "daerah", "kode provinsi", "nama provinsi"),
    "site": ("lokasi", "tempat", "gedung", "kantor"),
    "role": ("peran", "jenis", "tipe", "jenis perangkat"),
    "address": ("alamat", "alamat ip", "ip", "ip address", "host", "nama host"),
    "checks": ("pemeriksaan", "periksa", "layanan"),
    "depends_on": ("depends on", "bergantung pada", "bergantung", "induk", "melalui"),
    "medium": ("media", "jenis sambungan", "jenis media"),
    "provider": ("penyedia", "isp", "penyedia sambungan", "operator"),
    "contact": ("narahubung", "kontak", "pic", "telepon", "penanggung jawab"),
}
_COLUMN = {name: column for column, names in _NAMES.items() for name in (*names, column)}

_WORDS: Mapping[str, Mapping[str, str]] = {
    "role": {
        "kodek": "codec",
        "ruang": "room",
        "ruang rapat": "room",
        "perute": "router",
        "gerbang": "gateway",
        "proksi": "proxy",
        "sambungan": "link",
        "sambungan cadangan": "link-backup",
    },
    "medium": {
        **dict.fromkeys(("fiber", "fiber optik", "fiber optic", "serat optik", "fo"), "fibre"),
        **dict.fromkeys(("satelit", "vsat"), "satellite"),
        "kabel laut": "submarine",
        **dict.fromkeys(("seluler", "4g", "5g", "lte"), "mobile"),
    },
}


def plan_import(
    paths: tuple[Path, Path | None, Path | None], *, remove: bool
) -> tuple[Merge, tuple[str, ...]]:
    """What importing a foreign file into an inventory would make, and the columns left out.

    ``paths``: the foreign CSV, the inventory (may not exist yet; None: a new one), and settings
    whose profiles, quality classes and other inventories count too (None: the built-in ones).
    Raises ConfigError with every problem that the result would have.
    """
    file, into, config = paths
    report = Report()
    source = read_source(file, Place(str(file)), report)
    new = foreign_rows(source, report) if source is not None else Foreign()
    old = _present(into, report)
    words, others, complete = _surroundings(config, into, report)
    for rows in (new.rows, old[1] if old else ()):
        _refuse_doubles(rows, report)
    report.raise_any()
    merged = merge(new, old, remove=remove)
    build_endpoints((*others, *merged.rows), words, report, complete=complete)
    report.raise_any()
    return merged, new.left_out


def _refuse_doubles(rows: Iterable[Row], report: Report) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        name = row.cells.get("id", "")
        before = first.setdefault(name, row)
        if name and before is not row:
            report.add(row.at("id"), f"{shown(name)} is already in line {before.line}")


def _present(into: Path | None, report: Report) -> tuple[Source, tuple[Row, ...]] | None:
    if into is None:
        return None
    if into.suffix.lower() != ".csv":
        report.add(Place(str(into)), "expected an inventory named .csv")
        return None
    if not into.exists():
        return None
    source = read_source(into, Place(str(into)), report)
    return None if source is None else (source, read_rows(source, report).rows)


def _surroundings(
    config: Path | None, into: Path | None, report: Report
) -> tuple[Vocabulary, tuple[Row, ...], bool]:
    if config is None:
        return Vocabulary(built_in(Defaults()), tuple(QUALITY_CLASSES)), (), True
    parts = read_parts(config, report)
    same = {str(path) for path in parts.files if into is not None and _same(path, into)}
    if not same:
        return parts.words, (), True  # another inventory: it stands for itself
    others = tuple(row for row in parts.rows if row.file not in same)
    return parts.words, others, parts.complete


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A foreign list under our columns."""

    rows: tuple[Row, ...] = ()
    columns: frozenset[str] = frozenset()  # ours, that the list has
    left_out: tuple[str, ...] = ()  # its own, that we don't know


def foreign_rows(source: Source, report: Report) -> Foreign:
    """What a foreign CSV holds; what can't be read goes into the report."""
    header: list[str] | None = None
    rows: list[Row] = []
    left_out: list[str] = []
    for line in csv_lines(source, report):
        if not line.cells:
            continue
        if header is None:
            header = [_COLUMN.get(_plain(cell), "") for cell in line.cells]
            left_out = [c for c, ours in zip(line.cells, header, strict=True) if c and not ours]
            if not check_header(source.at(line.number), list(filter(None, header)), report):
                return Foreign()
        elif len(line.cells) != len(header):
            what = f"expected {len(header)} columns, found {len(line.cells)}"
            report.add(source.at(line.number), what)
        else:
            pairs = zip(header, line.cells, strict=True)
            cells = {name: _ours(name, cell) for name, cell in pairs if name and cell}
            rows.append(Row(source.name, line.number, cells, {}))
    if not rows and not report.problems:
        report.add(source.at(1), "expected a header line and at least one row, found no row")
    return Foreign(tuple(rows), frozenset(filter(None, header or ())), tuple(left_out))


def _plain(text: str) -> str:
    return text if text in COLUMNS else re.sub(r"[\W_]+", " ", text.casefold()).strip()


def _ours(column: str, cell: str) -> str:
    if column == "province":
        return province_slug(cell) or cell
    if column == "id":
        return cell.lower()
    return _WORDS.get(column, {}).get(cell.casefold(), cell)


@dataclass(frozen=True, slots=True)
class Merge:
    """What an import makes of an inventory."""

    rows: tuple[Row, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]
    absent: tuple[str, ...]  # in the inventory, not in the import
    text: str  # the whole new file


def merge(new: Foreign, old: tuple[Source, tuple[Row, ...]] | None, *, remove: bool) -> Merge:
    """Rows by id; of a row in both, the columns that the new list does not have stay.

    ``remove`` takes rows out that only the old file has. Comments keep their place.
    """
    fresh = {row.cells.get("id", f"{row.file}:{row.line}"): row for row in new.rows}
    before = {row.cells["id"]: row for row in old[1] if "id" in row.cells} if old else {}
    absent = tuple(key for key in before if key not in fresh)
    added = {key: row for key, row in fresh.items() if key not in before}
    kept = {
        key: _updated(row, fresh[key], new.columns) if key in fresh else row
        for key, row in before.items()
        if key in fresh or not remove
    }
    changed = tuple(key for key in kept if kept[key].cells != before[key].cells)
    lines = [] if old is None else list(_kept_lines(old, kept))
    head = [] if _HEADER in lines else [_HEADER]
    text = "\n".join((*head, *lines, *map(_line, added.values()))) + "\n"
    return Merge((*kept.values(), *added.values()), tuple(added), changed, absent, text)


def _updated(old: Row, new: Row, columns: frozenset[str]) -> Row:
    stays = {name: cell for name, cell in old.cells.items() if name not in columns}
    return Row(new.file, new.line, {**stays, **new.cells}, {})


def _kept_lines(old: tuple[Source, tuple[Row, ...]], kept: Mapping[str, Row]) -> Iterator[str]:
    source, rows = old
    by_line = {row.line: row.cells["id"] for row in rows if "id" in row.cells}
    head_seen = False
    lines = list(csv_lines(source, Report()))
    while lines and not lines[-1].text.strip():
        lines.pop()
    for line in lines:
        if not line.cells:
            yield line.text
        elif not head_seen:
            head_seen = True
            yield _HEADER
        elif (key := by_line.get(line.number)) in kept:
            yield _line(kept[str(key)])


_HEADER = ",".join(COLUMNS)


def _line(row: Row) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row.cells.get(column, "") for column in COLUMNS)
    return text.getvalue()


def write_whole(path: Path, text: str) -> None:
    """Replace the file by ``text``: whoever reads it sees the old one or the new one, whole.

    Raises OSError where that can't be done; the old file then stands as it was.
    """
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name, too, must survive a power cut
    finally:
        os.close(folder)
