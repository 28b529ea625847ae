"""What the reports say: words, by the catalogue as on every page; figures and times."""

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

PLANE: Mapping[str, str] = {
    "report": "Laporan ketersediaan bulanan",
    "system": "Jaringan konferensi video Pusat–Daerah",
    "site": "Vicon Pusat–Daerah",
    "provisional": "Angka sementara, belum dibekukan",
    "running": "Bulan berjalan, dihitung sampai",
    "frozen": "Dibekukan",
    "corrected": "dengan {} koreksi",
    "broken": (
        "Rantai tanda tangan koreksi tidak utuh: koreksi yang ditandai di bawah tidak "
        "dihitung. Periksa sebelum laporan ini dipakai."
    ),
    "from": "Periode",
    "to": "sampai",
    "code": "Kode",
    "province": "Provinsi",
    "availability": "Ketersediaan",
    "target": "Sasaran",
    "result": "Hasil",
    "coverage": "Cakupan",
    "outages": "Gangguan",
    "longest": "Terlama",
    "meetings": "Selama rapat",
    "country": "Seluruh provinsi",
    "met": "Tercapai",
    "missed": "Tidak tercapai",
    "scarce": "Data tidak cukup",
    "unit": (
        "Lamanya dalam jam:menit:detik, dipotong ke detik; angka persis ada di CSV dan JSON. "
        "Jumlah semua keadaan sama dengan lamanya periode."
    ),
    "how": "Cara menghitung",
    "formula": (
        "Ketersediaan = (terhubung + terganggu + singkat) ÷ (terhubung + terganggu + singkat "
        "+ terputus + tak terjangkau)"
    ),
    "cut": (
        "Angka dipotong pada dua desimal, tidak pernah dibulatkan ke atas; sasaran dinilai "
        "dengan angka yang persis."
    ),
    "example": "Untuk seluruh provinsi, dalam detik",
    "cover": (
        "Cakupan = waktu terukur ÷ (waktu terukur + tidak diketahui). Di bawah 95 % ditandai "
        "“data tidak cukup” dan tidak dinilai terhadap sasaran."
    ),
    "repair": (
        "MTTR (rata-rata waktu pulih) = (terputus + tak terjangkau) ÷ jumlah gangguan. "
        "Gangguan yang melewati batas bulan dihitung pada kedua bulan, masing-masing sebesar "
        "bagiannya."
    ),
    "meeting hours": (
        "Selama rapat = ketersediaan pada jam rapat yang kesiapannya dicatat dan provinsinya "
        "diundang, dihitung seperti berita acara: setiap gangguan dihitung. Rapat yang melewati "
        "batas bulan dihitung pada kedua bulan. Tanpa rapat, atau bila cakupannya di bawah 95 %: –."
    ),
    "order": (
        "Setiap saat dihitung satu kali, menurut urutan: di luar jam, pemeliharaan, penyebab "
        "yang dikecualikan, lalu keadaannya."
    ),
    "whole": "Jam yang dihitung: sepanjang waktu.",
    "office": (
        "Jam yang dihitung: jam kerja {0}–{1} waktu setempat, Senin–Jumat (Jumat sampai "
        "{2}), tanpa hari libur nasional dan cuti bersama."
    ),
    "closed": "Hari libur dalam periode ini",
    "every": "Setiap gangguan dihitung, sesingkat apa pun.",
    "shortest": "Gangguan yang lebih singkat dari {} dihitung tersedia (kolom “singkat”).",
    "all causes": "Tidak ada penyebab yang dikecualikan.",
    "causes": "Penyebab yang dikecualikan: {}.",
    "list": "Rincian gangguan",
    "no outage": "Tidak ada gangguan dalam periode ini.",
    "more": "dan {} gangguan lagi: lihat JSON",
    "start": "Mulai",
    "end": "Pulih",
    "open": "belum pulih",
    "length": "Lama",
    "counted": "Dihitung",
    "cause": "Sebab",
    "parent": "induk",
    "short note": "singkat, tidak dihitung",
    "corrections": "Koreksi sesudah dibekukan",
    "moved": "Dipindahkan",
    "by": "Oleh",
    "why": "Alasan",
    "state": "Status",
    "valid": "dihitung",
    "signature": "tanda tangan tidak cocok, tidak dihitung",
    "amount": "melebihi yang ada, tidak dihitung",
    "unwatched": "Belum dipantau",
    "signed": "Mengetahui,",
    "home": "Status sambungan",
    "before": "Bulan sebelumnya",
    "after": "Bulan berikutnya",
    "made": "Dibuat",
}
"""In Bahasa Indonesia; {} are filled in."""

COUNTS: Mapping[Counted, str] = {
    Counted.UP: "Terhubung",
    Counted.DEGRADED: "Terganggu",
    Counted.SHORT: "Singkat",
    Counted.DOWN: "Terputus",
    Counted.UNREACHABLE: "Tak terjangkau",
    Counted.UNKNOWN: "Tidak diketahui",
    Counted.MAINTENANCE: "Pemeliharaan",
    Counted.EXCLUDED: "Dikecualikan",
    Counted.OUTSIDE: "Di luar jam",
}
"""In the order of the columns."""

CAUSES: Mapping[Cause, str] = {
    Cause.PROVIDER: "penyedia layanan",
    Cause.CABLE: "kabel putus",
    Cause.POWER: "listrik padam",
    Cause.DEVICE: "kerusakan perangkat",
    Cause.PLANNED: "terencana",
    Cause.CENTRE: "sisi pusat",
    Cause.UNKNOWN: "tidak diketahui",
}

MONTHS = (
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
)


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: 0 is Bahasa Indonesia, 1 English."""

    place: int

    @property
    def _pages(self) -> tongue.Tongue:
        """The language as the other pages have it."""
        return (tongue.BAHASA, tongue.ENGLISH)[self.place]

    @property
    def lang(self) -> str:
        """As HTML names it."""
        return self._pages.lang

    @property
    def own_name(self) -> str:
        """What it calls itself."""
        return self._pages.name

    @property
    def home(self) -> str:
        """Where the reports of this language are."""
        return f"{self._pages.root}/laporan"

    def say(self, key: str, *parts: object) -> str:
        """The words of a key."""
        return self._pages.say(PLANE[key]).format(*parts)

    def count(self, counted: Counted) -> str:
        return self._pages.say(COUNTS[counted])

    def cause(self, cause: Cause) -> str:
        return self._pages.say(CAUSES[cause])

    def reason(self, reason: Reason) -> str:
        """Why, in words."""
        return self._pages.why(reason)

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
        return f"{self._pages.say(MONTHS[month.number - 1])} {month.year}"

    def moment(self, at: int, zone: ZoneInfo, *, seconds: bool = False) -> str:
        """``1 November 2026 00.00 WIB`` of milliseconds; of the zone's calendar and clock."""
        local = instant(at).astimezone(zone)
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        if not self.place:
            clock = clock.replace(":", ".")
        month = self._pages.say(MONTHS[local.month - 1])
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
