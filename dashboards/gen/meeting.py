"""The meeting room: who can join."""

from __future__ import annotations

from dashboards.gen import palette, verdict
from dashboards.gen.country import TO_PAGE, TO_PROVINCE
from dashboards.gen.frame import Page, choice
from dashboards.gen.panels import Column, Head, Look, Panel, Query, bands, number, row, sheet, words
from dashboards.gen.verdict import JOB

HERE = f'{JOB},meeting="$meeting"'
CODES = (("siap", 0), ("belum_terukur", 1), ("berisiko", 2), ("tidak_siap", 3))
START = f"max(vcmon_meeting_start_timestamp_seconds{{{HERE}}})"

LEADS = """[Daftar rapat](${vcmon}/rapat) · [Papan](${vcmon}/papan) · times here are WIB; \
09.00 WIB is 10.00 WITA and 11.00 WIT. The verdict of several vantages is the worst of them."""


def page() -> Page:
    """Before and during a meeting of Centre and Regions."""
    return Page(
        uid="vcmon-meeting",
        title="vcmon / Ruang rapat",
        description="One meeting: when it starts, which provinces are ready, how that came about.",
        variables=[
            choice(
                "meeting",
                "Rapat",
                f"label_values(vcmon_meeting_start_timestamp_seconds{{{JOB}}}, meeting)",
                many=False,
            )
        ],
        panels=[*_now(), *_roll()],
        since="now-2h",
    )


def readiness() -> str:
    """What the vantages say of each province of the roster, as ``palette.READINESS`` numbers."""
    each = " or ".join(
        f'{code} * (vcmon_meeting_readiness{{{HERE},readiness="{name}"}} == 1)'
        for name, code in CODES
    )
    return f"max by (province) ({each})"


def _now() -> list[Panel]:
    told = (
        (4, "Siap · ready", 0, palette.UP),
        (5, "Berisiko · at risk", 2, palette.DEGRADED),
        (6, "Tidak siap · not ready", 3, palette.DOWN),
        (7, "Belum terukur · not measured", 1, palette.UNKNOWN),
    )
    return [
        words(Head(1, "Ke mana · leads", "To the roll-call.", "short", 24, 2), LEADS),
        number(
            Head(2, "Mulai · starts", "When the meeting starts, in WIB.", "dateTimeAsIso", 4, 4),
            Query(f"{START} * 1000"),
        ),
        number(
            Head(3, "Mulai dalam · starts in", "Below zero it goes on.", "s", 4, 4),
            Query(f"{START} - time()"),
            Look(decimals=1),
        ),
        *(
            number(
                Head(id_, title, "Provinces of the roster with this verdict now.", "short", 4, 4),
                Query(f"sum(({readiness()}) == bool {code})"),
                Look(colour=colour),
            )
            for id_, title, code, colour in told
        ),
    ]


def _roll() -> list[Panel]:
    return [
        row(100, "Absensi kesiapan · roll-call"),
        sheet(
            Head(
                10,
                "Daftar · roll-call",
                "Every province of the roster, worst first.",
                "short",
                10,
                16,
            ),
            [
                Query(verdict.named(readiness(), "name, timezone")),
                Query(f"({verdict.voted()}) and on (province) {readiness()}"),
            ],
            [
                Column("name", "Provinsi", link=TO_PROVINCE),
                Column(
                    "Value #A", "Kesiapan", words=palette.mapping(palette.READINESS), painted=True
                ),
                Column(
                    "Value #B", "Sambungan", words=palette.mapping(palette.VERDICTS), painted=True
                ),
                Column("timezone", "Zona", words=palette.renaming(palette.ZONES), width=110),
                Column("province", "Halaman", link=TO_PAGE),
            ],
            sort="Kesiapan",
        ),
        bands(
            Head(
                11,
                "Kesiapan dari waktu ke waktu · over time",
                "The verdict on each province as the meeting came near, and during it.",
                "short",
                14,
                16,
            ),
            Query(verdict.named(readiness()), "{{name}}"),
            palette.READINESS,
        ),
    ]
