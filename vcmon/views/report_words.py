"""What the reports say, in Bahasa Indonesia and in English: words, figures and times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo

from vcmon.history.availability import floor_percent
from vcmon.history.month import Month
from vcmon.history.report import Line
from vcmon.model.memory import Cause, Counted
from vcmon.model.result import Reason
from vcmon.views import tongue, words

NONE = "–"

PLANE: Mapping[str, tuple[str, str]] = {
    "report": ("Laporan ketersediaan bulanan", "Monthly availability report"),
    "system": (
        "Jaringan konferensi video Pusat–Daerah",
        "Centre–Regions video conference network",
    ),
    "site": ("Vicon Pusat–Daerah", "Centre–Regions video conference"),
    "provisional": ("Angka sementara, belum dibekukan", "Provisional figures, not yet frozen"),
    "running": ("Bulan berjalan, dihitung sampai", "The month still runs; counted until"),
    "frozen": ("Dibekukan", "Frozen"),
    "corrected": ("dengan {} koreksi", "corrections: {}"),
    "broken": (
        (
            "Rantai tanda tangan koreksi tidak utuh: koreksi yang ditandai di bawah tidak "
            "dihitung. "
            "Periksa sebelum laporan ini dipakai."
        ),
        (
            "The chain of the corrections' signatures is broken: those that are marked below don't "
            "count. Look into it before this report is used."
        ),
    ),
    "from": ("Periode", "Period"),
    "to": ("sampai", "to"),
    "code": ("Kode", "Code"),
    "province": ("Provinsi", "Province"),
    "availability": ("Ketersediaan", "Availability"),
    "target": ("Sasaran", "Target"),
    "result": ("Hasil", "Result"),
    "coverage": ("Cakupan", "Coverage"),
    "outages": ("Gangguan", "Outages"),
    "longest": ("Terlama", "Longest"),
    "country": ("Seluruh provinsi", "All provinces"),
    "met": ("Tercapai", "Met"),
    "missed": ("Tidak tercapai", "Missed"),
    "scarce": ("Data tidak cukup", "Not enough data"),
    "unit": (
        (
            "Lamanya dalam jam:menit:detik, dipotong ke detik; angka persis ada di CSV dan JSON. "
            "Jumlah semua keadaan sama dengan lamanya periode."
        ),
        (
            "Durations in hours:minutes:seconds, cut to the second; the exact ones are in CSV and "
            "JSON. All states together are the whole period."
        ),
    ),
    "how": ("Cara menghitung", "How it is counted"),
    "formula": (
        (
            "Ketersediaan = (terhubung + terganggu + singkat) ÷ (terhubung + terganggu + singkat + "
            "terputus + tak terjangkau)"
        ),
        (
            "Availability = (connected + degraded + short) ÷ (connected + degraded + short + "
            "disconnected + unreachable)"
        ),
    ),
    "cut": (
        (
            "Angka dipotong pada dua desimal, tidak pernah dibulatkan ke atas; sasaran "
            "dinilai dengan "
            "angka yang persis."
        ),
        (
            "Figures are cut after two decimals, never rounded up; the target is held against the "
            "exact figure."
        ),
    ),
    "example": ("Untuk seluruh provinsi, dalam detik", "For all provinces, in seconds"),
    "cover": (
        (
            "Cakupan = waktu terukur ÷ (waktu terukur + tidak diketahui). Di bawah 95 % ditandai "
            "“data tidak cukup” dan tidak dinilai terhadap sasaran."
        ),
        (
            "Coverage = time measured ÷ (time measured + unknown). Under 95 % it is marked “not "
            "enough data” and not held against the target."
        ),
    ),
    "repair": (
        (
            "MTTR (rata-rata waktu pulih) = (terputus + tak terjangkau) ÷ jumlah gangguan. "
            "Gangguan "
            "yang melewati batas bulan dihitung pada kedua bulan, masing-masing sebesar bagiannya."
        ),
        (
            "MTTR (mean time to repair) = (disconnected + unreachable) ÷ number of outages. "
            "An outage "
            "over the month's end counts in both months, each with its part."
        ),
    ),
    "order": (
        (
            "Setiap saat dihitung satu kali, menurut urutan: di luar jam, pemeliharaan, "
            "penyebab yang "
            "dikecualikan, lalu keadaannya."
        ),
        (
            "Every moment is counted once, in this order: outside of the hours, maintenance, "
            "a cause "
            "that is left out, then the state."
        ),
    ),
    "whole": ("Jam yang dihitung: sepanjang waktu.", "Hours that count: the whole time."),
    "office": (
        (
            "Jam yang dihitung: jam kerja {0}–{1} waktu setempat, Senin–Jumat (Jumat sampai {2}), "
            "tanpa hari libur nasional dan cuti bersama."
        ),
        (
            "Hours that count: office hours {0}–{1} local time, Monday to Friday (Fridays "
            "until {2}), "
            "without national holidays and collective leave."
        ),
    ),
    "closed": ("Hari libur dalam periode ini", "Days off in this period"),
    "every": (
        "Setiap gangguan dihitung, sesingkat apa pun.",
        "Every outage counts, however short.",
    ),
    "shortest": (
        "Gangguan yang lebih singkat dari {} dihitung tersedia (kolom “singkat”).",
        "Outages of less than {} count as available (column “short”).",
    ),
    "all causes": (
        "Tidak ada penyebab yang dikecualikan.",
        "No cause is left out.",
    ),
    "causes": ("Penyebab yang dikecualikan: {}.", "Causes that are left out: {}."),
    "list": ("Daftar gangguan", "List of outages"),
    "no outage": ("Tidak ada gangguan dalam periode ini.", "No outages in this period."),
    "more": (
        "dan {} gangguan lagi: lihat JSON",
        "and {} more outages: see the JSON",
    ),
    "start": ("Mulai", "Started"),
    "end": ("Pulih", "Recovered"),
    "open": ("belum pulih", "ongoing"),
    "length": ("Lama", "Duration"),
    "counted": ("Dihitung", "Counted"),
    "cause": ("Sebab", "Reason"),
    "parent": ("induk", "parent"),
    "short note": ("singkat, tidak dihitung", "short, not counted"),
    "corrections": ("Koreksi sesudah dibekukan", "Corrections after the freezing"),
    "moved": ("Dipindahkan", "Moved"),
    "by": ("Oleh", "By"),
    "why": ("Alasan", "Reason"),
    "state": ("Status", "Status"),
    "valid": ("dihitung", "counts"),
    "signature": ("tanda tangan tidak cocok, tidak dihitung", "wrong signature, doesn't count"),
    "amount": ("melebihi yang ada, tidak dihitung", "more than there is, doesn't count"),
    "unwatched": ("Belum dipantau", "Not monitored"),
    "signed": ("Mengetahui,", "Acknowledged by,"),
    "home": ("Status sambungan", "Link status"),
    "before": ("Bulan sebelumnya", "Month before"),
    "after": ("Bulan berikutnya", "Month after"),
    "other": ("English", "Bahasa Indonesia"),
    "made": ("Dibuat", "Made"),
}
"""Each in Bahasa Indonesia and in English; {} are filled in."""

COUNTS: Mapping[Counted, tuple[str, str]] = {
    Counted.UP: ("Terhubung", "Connected"),
    Counted.DEGRADED: ("Terganggu", "Degraded"),
    Counted.SHORT: ("Singkat", "Short"),
    Counted.DOWN: ("Terputus", "Disconnected"),
    Counted.UNREACHABLE: ("Tak terjangkau", "Unreachable"),
    Counted.UNKNOWN: ("Tidak diketahui", "Unknown"),
    Counted.MAINTENANCE: ("Pemeliharaan", "Maintenance"),
    Counted.EXCLUDED: ("Dikecualikan", "Left out"),
    Counted.OUTSIDE: ("Di luar jam", "Out of hours"),
}
"""In the order of the columns."""

CAUSES: Mapping[Cause, tuple[str, str]] = {
    Cause.PROVIDER: ("penyedia layanan", "service provider"),
    Cause.CABLE: ("kabel putus", "cable cut"),
    Cause.POWER: ("listrik padam", "power outage"),
    Cause.DEVICE: ("kerusakan perangkat", "equipment failure"),
    Cause.PLANNED: ("terencana", "planned"),
    Cause.CENTRE: ("sisi pusat", "the Centre's side"),
    Cause.UNKNOWN: ("tidak diketahui", "unknown"),
}

MONTHS = (
    [
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ],
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
)


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: 0 is Bahasa Indonesia, 1 English."""

    place: int

    @property
    def lang(self) -> str:
        """As HTML names it."""
        return ("id", "en")[self.place]

    @property
    def home(self) -> str:
        """Where the reports of this language are."""
        return ("/laporan", "/en/laporan")[self.place]

    def say(self, key: str, *parts: object) -> str:
        """The words of a key."""
        return PLANE[key][self.place].format(*parts)

    def count(self, counted: Counted) -> str:
        return COUNTS[counted][self.place]

    def cause(self, cause: Cause) -> str:
        return CAUSES[cause][self.place]

    def reason(self, reason: Reason) -> str:
        """Why, in words."""
        return (tongue.BAHASA, tongue.ENGLISH)[self.place].why(reason)

    def name(self, line: Line) -> str:
        """A province's name, cleaned."""
        return words.clean(line.name_en if self.place else line.name_id)

    def decimal(self, text: str) -> str:
        """A number with the language's decimal sign."""
        return text if self.place else text.replace(".", ",")

    def percent(self, share: Fraction | None) -> str:
        """``99,52 %``, cut, never rounded up; a dash where there is none."""
        return NONE if share is None else self.decimal(cut_percent(share)) + " %"

    def exact_percent(self, share: Fraction) -> str:
        """``99,5 %``: a target, which has at most four decimals."""
        return self.decimal(f"{float(share * 100):.4f}".rstrip("0").rstrip(".")) + " %"

    def month(self, month: Month) -> str:
        """``Oktober 2026``."""
        return f"{MONTHS[self.place][month.number - 1]} {month.year}"

    def moment(self, at: int, zone: ZoneInfo, *, seconds: bool = False) -> str:
        """``1 November 2026 00.00 WIB`` of milliseconds; of the zone's calendar and clock."""
        local = instant(at).astimezone(zone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if not self.place:
            clock = clock.replace(":", ".")
        month = MONTHS[self.place][local.month - 1]
        return f"{local.day} {month} {local.year} {clock} {local.tzname()}"


BAHASA, ENGLISH = Tongue(0), Tongue(1)
TONGUES = MappingProxyType({"id": BAHASA, "en": ENGLISH})


def cut_percent(share: Fraction) -> str:
    """``99.52`` of a share from 0 to 1, cut after two decimals."""
    whole, hundredths = floor_percent(share)
    return f"{whole}.{hundredths:02d}"


def instant(at: int) -> datetime:
    """Milliseconds as a moment, exactly."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def lasting(milliseconds: int) -> str:
    """``743:12:05``, cut to the second; ``0`` for nothing at all."""
    seconds = milliseconds // 1000
    if not milliseconds:
        return "0"
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
