"""What the pages say, in Bahasa Indonesia: words, times and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from math import isfinite
from zoneinfo import ZoneInfo

from vcmon.model.endpoint import Role
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State

STATES: Mapping[State, str] = {
    State.UP: "Terhubung",
    State.DEGRADED: "Terganggu",
    State.DOWN: "Terputus",
    State.UNREACHABLE: "Tak terjangkau",
    State.UNKNOWN: "Tidak diketahui",
}

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

OF = "di"
"""Between an endpoint and the province it stands in."""

MORE = "dan {} titik lagi"

REASONS: Mapping[Reason, str] = {
    Reason.OK: "normal",
    Reason.TIMEOUT: "tidak ada jawaban sampai batas waktu",
    Reason.REFUSED: "sambungan ditolak oleh tujuan",
    Reason.RESET: "sambungan diputus oleh tujuan",
    Reason.NET_UNREACHABLE: "jaringan tujuan tidak terjangkau, kata router di jalur",
    Reason.HOST_UNREACHABLE: "perangkat tidak terjangkau, kata router di jalur",
    Reason.TTL_EXCEEDED: "paket berputar-putar di jalur (TTL habis)",
    Reason.FILTERED: "dilarang oleh tembok api di jalur",
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

BLAMES: Mapping[Blame, str] = {
    Blame.NONE: "",
    Blame.REMOTE: "di sisi tujuan",
    Blame.PATH: "di jalur",
    Blame.LOCAL: "di sisi pemantau",
}

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
}

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


def reason(standing: Standing) -> str:
    """The reason in words; of what flaps ``tidak stabil, 7x dalam 30 menit``."""
    if standing.reason is not Reason.FLAPPING or not standing.changes:
        return REASONS[standing.reason]
    return f"tidak stabil, {standing.changes}x dalam {standing.within / 60:.0f} menit"


def sentence(text: str) -> str:
    """With a capital first letter; the others stay as they are (``TLS``)."""
    return text[:1].upper() + text[1:]


def _local(at: float, zone: tzinfo) -> datetime | None:
    """The moment on a clock in the zone; None where no calendar has it."""
    try:
        return datetime.fromtimestamp(at, zone)
    except (ValueError, OverflowError, OSError):
        return None


def clock(at: float, zone: tzinfo = WIB) -> str:
    """``09.41.07 WIB``."""
    local = _local(at, zone)
    return f"{local:%H.%M.%S} {local.tzname()}" if local else NOTHING


def moment(at: float, now: float, zone: tzinfo = WIB) -> str:
    """``09.41.07 WIB`` today, ``22 Nov 09.41 WIB`` this year, else with the year; of the zone."""
    local, today = _local(at, zone), _local(now, zone)
    if local is None or today is None or at <= 0:
        return NOTHING
    return clock(at, zone) if local.date() == today.date() else day(at, now, zone)


def day(at: float, now: float, zone: tzinfo = WIB) -> str:
    """``28 Nov 22.00 WIT``, with the year in another one; today ``22.00 WIT``."""
    local, today = _local(at, zone), _local(now, zone)
    if local is None or today is None:
        return NOTHING
    if local.date() == today.date():
        return f"{local:%H.%M} {local.tzname()}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {MONTHS[local.month - 1]}{year} {local:%H.%M} {local.tzname()}"


def rfc3339(at: float) -> str | None:
    """``2026-11-23T02:41:07.000Z``; None for no time at all (0 or less, or beyond a calendar)."""
    utc = _local(at, UTC) if isfinite(at) and at > 0 else None
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z" if utc else None


def lasting(seconds: float) -> str:
    """``12 dtk``, ``4 mnt``, ``2 jam 5 mnt``, ``3 hari 4 jam``: two units at most, rounded down."""
    if not isfinite(seconds) or seconds < 0:
        return NOTHING
    whole = int(seconds)
    if whole < 60:
        return f"{whole} dtk"
    if whole < 3600:
        return f"{whole // 60} mnt"
    if whole < 86400:
        return f"{whole // 3600} jam {whole % 3600 // 60} mnt"
    return f"{whole // 86400} hari {whole % 86400 // 3600} jam"


def milliseconds(seconds: float | None) -> str:
    """``43 ms``, below ten ``4,3 ms``."""
    if seconds is None or not isfinite(seconds):
        return NOTHING
    value = seconds * 1000
    return f"{value:.1f} ms".replace(".", ",") if value < 10 else f"{value:.0f} ms"


def percent(share: float | None) -> str:
    """``0 %``, ``1,3 %``: of a share from 0 to 1."""
    if share is None or not isfinite(share):
        return NOTHING
    return f"{share * 100:.1f}".removesuffix(".0").replace(".", ",") + " %"
