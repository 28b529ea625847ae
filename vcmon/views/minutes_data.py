"""The minutes of a sitting as CSV and JSON, for spreadsheets and programs. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from vcmon.history.spans import milliseconds
from vcmon.model.meeting import Readiness, RollCall
from vcmon.model.memory import Counted
from vcmon.readiness.minutes import Minutes, Row
from vcmon.views import meeting_words as told
from vcmon.views import tongue, words
from vcmon.views.meeting_roll import Look
from vcmon.views.report_data import BOM, DIALECTS, harmless, outage_object, time_text
from vcmon.views.report_words import Tongue, cut_percent
from vcmon.views.words import rfc3339

SCHEMA = 1
"""Of the JSON; it grows when a name goes or changes its meaning, not when one is added."""

HEADERS: tuple[tuple[str, str], ...] = (
    ("Rapat", "sitting"),
    ("Kode", "code"),
    ("Provinsi", "province"),
    ("Wajib", "required"),
    ("Kehadiran", "presence"),
    ("Dicatat pada", "marked_at"),
    ("Petugas", "officer"),
    ("Catatan", "note"),
    ("Dicatat oleh", "marked_by"),
    ("Kesiapan saat mulai", "readiness_at_start"),
    ("Ketersediaan (%)", "availability_percent"),
    ("Cakupan (%)", "coverage_percent"),
    ("Terputus (detik)", "lost_seconds"),
    ("Terganggu (detik)", "degraded_seconds"),
    ("Tidak diketahui (detik)", "unknown_seconds"),
    ("Pemeliharaan (detik)", "maintenance_seconds"),
    ("Gangguan", "outages"),
    ("Terlama (detik)", "longest_seconds"),
)

BOTH = {"id": tongue.BAHASA, "en": tongue.ENGLISH}


def as_csv(it: Minutes, look: Look, dialect: str) -> str:
    """One line a province, with a byte order mark; ``dialect`` is ``id`` or ``iso``.

    Percentages are cut after two decimals, seconds have three. What is not known is empty.
    """
    writes, comma = DIALECTS[dialect]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=comma, lineterminator="\r\n")
    writer.writerow([header[writes.place] for header in HEADERS])
    for row in it.rows:
        writer.writerow([harmless(cell) for cell in _cells(it, row, look, writes)])
    return BOM + out.getvalue()


def _cells(it: Minutes, row: Row, look: Look, writes: Tongue) -> Iterator[str]:
    english, mark, figure = writes.place == 1, row.mark, row.figure
    known = look.provinces.get(row.province)
    yield it.sitting.id
    yield words.clean(known.code, 8) if known else ""
    yield BOTH[writes.lang].province(known) if known else words.clean(row.province)
    yield str(row.required).lower() if english else ("ya" if row.required else "tidak")
    yield "" if mark is None else _word(mark.presence.value, told.PRESENCES[mark.presence], writes)
    yield "" if mark is None else rfc3339(mark.at) or ""
    yield words.clean(mark.officer) if mark else ""
    yield words.clean(mark.note, 300) if mark else ""
    yield words.clean(mark.author) if mark else ""
    yield _readiness(row, writes)
    yield _percent(figure.ratio, writes)
    yield _percent(figure.coverage, writes)
    yield _seconds(figure.bad, writes)
    for counted in (Counted.DEGRADED, Counted.UNKNOWN, Counted.MAINTENANCE):
        yield _seconds(figure.milliseconds[counted], writes)
    yield str(figure.count)
    yield _seconds(figure.longest, writes) if figure.count else ""


def _word(value: str, word: str, writes: Tongue) -> str:
    return value if writes.place == 1 else word


def _readiness(row: Row, writes: Tongue) -> str:
    if row.at_start is None:
        return ""
    found: Readiness = row.at_start.readiness
    return _word(found.value, told.READINESS[found], writes)


def _percent(share: Fraction | None, writes: Tongue) -> str:
    return "" if share is None else writes.decimal(cut_percent(share))


def _seconds(amount: int, writes: Tongue) -> str:
    return writes.decimal(f"{amount // 1000}.{amount % 1000:03d}")


def as_json(it: Minutes, look: Look) -> str:
    """Everything, exactly: milliseconds as whole numbers, times in RFC 3339 UTC, null: unknown."""
    sitting, meeting = it.sitting, it.sitting.meeting
    data = {
        "schema": SCHEMA,
        "sitting": sitting.id,
        "meeting": meeting.id,
        "title": words.clean(meeting.title),
        "organiser": words.clean(meeting.organiser),
        "room": words.clean(meeting.room) or None,
        "start": _time(sitting.start),
        "stop": _time(sitting.stop),
        "planned_start": _time(sitting.original),
        "counted_until": _time(it.until),
        "final": it.final,
        "present": it.present,
        "required_absent": it.required_absent,
        "availability_percent": _cut(it.whole.ratio),
        "formula": "(up + degraded) / (up + degraded + down + unreachable), cut after two decimals",
        "checkpoints": [_checkpoint(each) for each in it.rolls],
        "provinces": [_row(each, look) for each in it.rows],
    }
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=1) + "\n"


def _checkpoint(roll: RollCall) -> dict[str, Any]:
    return {
        "seconds_before": roll.checkpoint,
        "at": _time(roll.at),
        "missed": roll.missed,
        "ready": roll.ready,
        "of": len(roll.verdicts),
        "required_missing": roll.required_missing,
    }


def _row(row: Row, look: Look) -> dict[str, Any]:
    figure, mark, verdict = row.figure, row.mark, row.at_start
    return {
        "province": words.clean(row.province),
        "name": look.name(row.province),
        "required": row.required,
        "attendance": None
        if mark is None
        else {
            "presence": mark.presence.value,
            "at": _time(mark.at),
            "officer": words.clean(mark.officer),
            "note": words.clean(mark.note, 300),
            "author": words.clean(mark.author),
        },
        "readiness_at_start": None if verdict is None else verdict.readiness.value,
        "doubt_at_start": None if verdict is None else verdict.doubt.value,
        "availability_percent": _cut(figure.ratio),
        "coverage_percent": _cut(figure.coverage),
        "milliseconds": {str(each): figure.milliseconds[each] for each in Counted},
        "outages": figure.count,
        "longest_ms": figure.longest if figure.count else None,
        "outage_list": [outage_object(each) for each in figure.outages],
    }


def _cut(share: Fraction | None) -> float | None:
    return None if share is None else float(cut_percent(share))


def _time(at: float) -> str:
    return time_text(milliseconds(at))
