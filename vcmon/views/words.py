"""What the pages say, in Bahasa Indonesia, and what no language changes: cleaning, zones, RFC 3339.

:mod:`vcmon.views.tongue` has the other languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from math import isfinite
from zoneinfo import ZoneInfo

from vcmon.model.endpoint import Role
from vcmon.model.memory import Cause, Deed
from vcmon.model.result import Blame, Outcome, Reason
from vcmon.model.status import State

STATES: Mapping[State, str] = {
    State.UP: "Terhubung",
    State.DEGRADED: "Terganggu",
    State.DOWN: "Terputus",
    State.UNREACHABLE: "Tak terjangkau",
    State.UNKNOWN: "Tidak diketahui",
}

SITE = "Vicon Pusat–Daerah"
"""The end of every page's title."""

MAINTENANCE = "Pemeliharaan"
SCOPES: Mapping[str, str] = {
    "province": "",
    "endpoint": "",
    "provider": "penyedia",
    "island": "wilayah",
}
"""Before the name of what a maintenance window is for."""

UNTIL = "sampai"

UNMONITORED = "Belum dipantau"

BESIDE = "Terhubung, tetapi ada titik"
"""Before a state: the conference runs, something beside it does not."""


ELSEWHERE = "{what} di {place} {word}: {why}"
"""An endpoint, the province it stands in, its state and the reason."""

LOST_SHARE = "hilang {share}"

MORE = "dan {n} titik lagi"

REASONS: Mapping[Reason, str] = {
    Reason.OK: "normal",
    Reason.TIMEOUT: "tidak ada jawaban sampai batas waktu",
    Reason.REFUSED: "sambungan ditolak oleh tujuan",
    Reason.RESET: "sambungan diputus oleh tujuan",
    Reason.NET_UNREACHABLE: "jaringan tujuan tidak terjangkau, kata router di jalur",
    Reason.HOST_UNREACHABLE: "perangkat tidak terjangkau, kata router di jalur",
    Reason.TTL_EXCEEDED: "paket berputar-putar di jalur (TTL habis)",
    Reason.FILTERED: "dilarang oleh tembok api di jalur",
    Reason.MTU: "paket besar hilang di jalur (MTU)",
    Reason.DNS_NXDOMAIN: "namanya tidak terdaftar di DNS",
    Reason.DNS_FAILURE: "namanya tidak dapat dicari di DNS",
    Reason.TLS_HANDSHAKE: "jabat tangan TLS gagal",
    Reason.TLS_CERTIFICATE: "sertifikat TLS tidak sah",
    Reason.TLS_CERTIFICATE_EXPIRED: "sertifikat TLS kedaluwarsa",
    Reason.TLS_CERTIFICATE_NOT_YET_VALID: "sertifikat TLS belum berlaku",
    Reason.TLS_CERTIFICATE_HOSTNAME: "sertifikat TLS bukan untuk nama ini",
    Reason.TLS_CERTIFICATE_SELF_SIGNED: "sertifikat TLS ditandatangani sendiri",
    Reason.TLS_CERTIFICATE_UNTRUSTED: "penerbit sertifikat TLS tidak dipercaya",
    Reason.TLS_CERTIFICATE_WEAK: "sertifikat TLS memakai kunci lemah",
    Reason.TLS_CERTIFICATE_EXPIRING: "sertifikat TLS segera kedaluwarsa",
    Reason.PROTOCOL: "jawaban tidak sesuai protokol",
    Reason.STATUS: "kode jawaban menyatakan gagal",
    Reason.CONTENT: "isi jawaban bukan yang diharapkan",
    Reason.AUTH: "autentikasi ditolak",
    Reason.BUSY: "sedang dipakai, atau sibuk",
    Reason.STALL: "pemantau tersendat",
    Reason.NO_ROUTE: "pemantau tidak punya rute ke tujuan",
    Reason.FD_EXHAUSTED: "pemantau kehabisan deskriptor berkas",
    Reason.BUFFERS: "penyangga jaringan pemantau penuh",
    Reason.PERMISSION: "pemantau tidak diizinkan mengirim",
    Reason.BUG: "kesalahan di dalam pemantau",
    Reason.SERVICE: "perangkat menjawab ping, layanannya tidak menjawab",
    Reason.LOSS: "kehilangan paket melewati ambang batas",
    Reason.JITTER: "jitter melewati ambang batas",
    Reason.RTT: "waktu pergi-pulang melewati ambang batas",
    Reason.PARENT: "yang dilaluinya terputus",
    Reason.PARTIAL: "sebagian perangkat konferensi tidak terhubung",
    Reason.ON_BACKUP: "beralih ke jalur cadangan",
    Reason.FLAPPING: "tidak stabil, berulang kali terputus dan tersambung",
    Reason.STALE: "hasil terakhir terlalu lama",
    Reason.BLIND: "sisi pusat terganggu, jadi tidak terukur",
    Reason.GAP: "pemantau tidak mengamati",
    Reason.NO_DATA: "belum ada hasil pemeriksaan",
}

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.UP: "menjawab",
    Outcome.DOWN: "gagal",
    Outcome.UNKNOWN: "tidak terukur",
}
"""What is believed of one check."""

BLAMES: Mapping[Blame, str] = {
    Blame.NONE: "",
    Blame.REMOTE: "di sisi tujuan",
    Blame.PATH: "di jalur",
    Blame.LOCAL: "di sisi pemantau",
}

CAUSES: Mapping[Cause, str] = {
    Cause.PROVIDER: "penyedia sambungan",
    Cause.CABLE: "kabel",
    Cause.POWER: "listrik",
    Cause.DEVICE: "perangkat",
    Cause.PLANNED: "pekerjaan terencana",
    Cause.CENTRE: "sisi Pusat",
    Cause.UNKNOWN: "belum diketahui",
}

OWNERS: Mapping[str, str] = {"island": "wilayah", "provider": "penyedia", "medium": "media"}

COUNTRY = "seluruh Indonesia"

DEEDS: Mapping[Deed, str] = {
    Deed.ACK: "mengakui",
    Deed.NOTE: "mencatat",
    Deed.CAUSE: "menetapkan penyebab",
    Deed.CLOSE: "menutup",
}
"""What somebody did to an incident, after their name."""

ROLES: Mapping[Role, str] = {
    Role.CODEC: "Kodek",
    Role.ROOM: "Ruang konferensi video",
    Role.MCU: "MCU",
    Role.PROXY: "Proksi SIP",
    Role.PLATFORM: "Platform konferensi",
    Role.GATEWAY: "Gerbang konferensi",
    Role.TURN: "Server TURN",
    Role.ROUTER: "Router",
    Role.LINK: "Jalur utama",
    Role.LINK_BACKUP: "Jalur cadangan",
}

MEDIA: Mapping[str, str] = {
    "fibre": "serat optik",
    "submarine": "kabel laut",
    "satellite": "satelit (VSAT)",
    "mobile": "seluler",
}

UNSTABLE = "tidak stabil, {n}x dalam {minutes} menit"

USUAL = "RTT {now}, biasanya {usual}"

SPREAD = "RTT rata-rata {mean} ({low} sampai {high}), puncak {peak}"

SCORE = "perkiraan MOS {mos}"

LASTING = (
    (60, "{a} dtk", 1, 1),
    (3600, "{a} mnt", 60, 1),
    (86400, "{a} jam {b} mnt", 3600, 60),
)
"""Below how many seconds a duration is told how: text, its larger and its smaller unit."""

DAYS = "{a} hari {b} jam"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")

WIB = ZoneInfo("Asia/Jakarta")
ZONES = (WIB, ZoneInfo("Asia/Makassar"), ZoneInfo("Asia/Jayapura"))
"""WIB, WITA, WIT. While these live, ZoneInfo() gives them again without reading a file."""

NOTHING = "–"

LONGEST = 200
"""Characters of a name that a page shows; an inventory's own are far shorter."""

# Controls, direction marks and overrides, line separators, BOM, lone surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)


def clean(text: str, longest: int = LONGEST) -> str:
    """The text on one line without what steers a page or has no UTF-8, cut to ``longest``."""
    if len(text) <= longest and text.isprintable():
        return text
    # Only so much is looked at: a name of megabytes costs no more than a long one.
    line = " ".join(_UNSAFE.sub(" ", text[: 4 * longest]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def sentence(text: str) -> str:
    """With a capital first letter; the others stay as they are (``TLS``)."""
    return text[:1].upper() + text[1:]


def local_time(at: float, zone: tzinfo) -> datetime | None:
    """The moment on a clock in the zone; None where no calendar has it."""
    try:
        return datetime.fromtimestamp(at, zone)
    except (ValueError, OverflowError, OSError):
        return None


def hours(zone: tzinfo) -> int:
    """Whole hours ahead of UTC, the same all year in Indonesia."""
    local = local_time(0.0, zone)
    return int(((local and local.utcoffset()) or timedelta()).total_seconds()) // 3600


def rfc3339(at: float) -> str | None:
    """``2026-11-23T02:41:07.000Z``; None for no time at all (0 or less, or beyond a calendar)."""
    utc = local_time(at, UTC) if isfinite(at) and at > 0 else None
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z" if utc else None
