"""Meetings in words: readiness, why, what to do, and times in the three zones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from zoneinfo import ZoneInfo

from vcmon.model.meeting import Doubt, Presence, Readiness, RollCall, Sitting, Verdict
from vcmon.model.status import State
from vcmon.readiness.forecast import Forecast
from vcmon.views import words
from vcmon.views.tongue import Tongue

READINESS: Mapping[Readiness, str] = {
    Readiness.READY: "Siap",
    Readiness.AT_RISK: "Berisiko",
    Readiness.NOT_READY: "Tidak siap",
    Readiness.UNMEASURED: "Belum terukur",
}

GLYPHS: Mapping[Readiness, State] = {
    Readiness.READY: State.UP,
    Readiness.AT_RISK: State.DEGRADED,
    Readiness.NOT_READY: State.DOWN,
    Readiness.UNMEASURED: State.UNKNOWN,
}
"""The sign that stands before the word: the same four that the status page has."""

PRESENCES: Mapping[Presence, str] = {
    Presence.PRESENT: "Hadir",
    Presence.ABSENT: "Tidak hadir",
    Presence.LEFT: "Keluar",
}

DOUBTS: Mapping[Doubt, str] = {
    Doubt.NONE: "",
    Doubt.DOWN: "terputus{since}",
    Doubt.UNREACHABLE: "tak terjangkau karena {endpoint} terputus{since}",
    Doubt.UNCONFIRMED: "sekarang tidak menjawab; belum pasti terputus{since}",
    Doubt.DEEP_CHECK: "pemeriksaan {check} untuk rapat ini gagal",
    Doubt.DEGRADED: "terganggu{since}",
    Doubt.LOSS: "paket hilang {value}, batasnya {limit}",
    Doubt.JITTER: "jitter {value}, batasnya {limit}",
    Doubt.RTT: "RTT {value}, batasnya {limit}",
    Doubt.CHANGED: "baru saja sempat terputus{since}",
    Doubt.MAINTENANCE: "sedang dalam pemeliharaan{since}",
    Doubt.UNKNOWN: "tidak ada yang mengukur{since}",
    Doubt.BLIND: "sisi pusat terganggu, jadi tidak terukur",
}

ADVICE: Mapping[Doubt, str] = {
    Doubt.NONE: "",
    Doubt.DOWN: "telepon narahubung: listrik dan perangkatnya menyala?",
    Doubt.UNREACHABLE: "tangani {endpoint} dahulu, atau telepon penyedia sambungannya",
    Doubt.UNCONFIRMED: "tunggu setengah menit; bila menetap, telepon narahubung",
    Doubt.DEEP_CHECK: "minta provinsi menelepon uji ke ruang rapat",
    Doubt.DEGRADED: "beri tahu provinsi; siapkan jalur cadangan atau telepon",
    Doubt.LOSS: "minta provinsi mengurangi beban jalur, atau beralih ke jalur cadangan",
    Doubt.JITTER: "minta provinsi mengurangi beban jalur, atau beralih ke jalur cadangan",
    Doubt.RTT: "tanyakan ke penyedia sambungan apakah rutenya berubah",
    Doubt.CHANGED: "pantau sampai rapat dimulai; minta provinsi tetap siaga",
    Doubt.MAINTENANCE: "minta pekerjaannya dihentikan atau diselesaikan sebelum rapat",
    Doubt.UNKNOWN: "telepon narahubung: tanyakan langsung apakah mereka siap",
    Doubt.BLIND: "periksa sambungan Pusat; jangan menelepon semua provinsi",
}

SINCE = " sejak {at}"

WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")


def reason_of(verdict: Verdict, now: float, tongue: Tongue, zone: ZoneInfo = words.WIB) -> str:
    """Why a province is not plainly ready; "" for one that is."""
    since = verdict.since
    told = tongue.say(SINCE, at=tongue.moment(since, now, zone)) if since else ""
    return tongue.say(
        DOUBTS[verdict.doubt],
        since=told,
        endpoint=words.clean(verdict.endpoint) or words.NOTHING,
        check=words.clean(verdict.check) or words.NOTHING,
        value=_amount(verdict, verdict.value, tongue),
        limit=_amount(verdict, verdict.limit, tongue),
    )


def advice_of(verdict: Verdict, tongue: Tongue) -> str:
    """What to do about it."""
    name = words.clean(verdict.endpoint) or words.NOTHING
    return tongue.say(ADVICE[verdict.doubt], endpoint=name)


def _amount(verdict: Verdict, value: float | None, tongue: Tongue) -> str:
    return tongue.percent(value) if verdict.doubt is Doubt.LOSS else tongue.milliseconds(value)


def checkpoint_of(seconds: float, tongue: Tongue) -> str:
    """``T-60``, ``T0``: minutes before the start; where they are none, ``T-30 dtk``."""
    whole = round(seconds)
    if whole == 0:
        return "T0"
    if whole % 60:
        return tongue.say("T-{n} dtk", n=whole)
    return f"T-{whole // 60}"


def date_of(at: float, tongue: Tongue, zone: ZoneInfo = words.WIB) -> str:
    """``Senin, 23 Nov 2026``."""
    local = words.local_time(at, zone)
    if local is None:
        return words.NOTHING
    day, month = tongue.say(WEEKDAYS[local.weekday()]), tongue.say(words.MONTHS[local.month - 1])
    return f"{day}, {local.day} {month} {local.year}"


def three_of(at: float, tongue: Tongue) -> str:
    """``09.00 WIB / 10.00 WITA / 11.00 WIT``; where a zone has another day, that day with it."""
    first = words.local_time(at, words.WIB)
    told = []
    for zone in words.ZONES:
        local = words.local_time(at, zone)
        if local is None or first is None:
            return words.NOTHING
        clock = f"{local:%H.%M}".replace(".", tongue.colon) + f" {local.tzname()}"
        if local.date() != first.date():
            clock += f" ({local.day} {tongue.say(words.MONTHS[local.month - 1])})"
        told.append(clock)
    return " / ".join(told)


def span_of(sitting: Sitting, tongue: Tongue) -> str:
    """``09.00–10.30 WIB``: when it takes place, by Jakarta's clock."""
    start, stop = (words.local_time(at, words.WIB) for at in (sitting.start, sitting.stop))
    if start is None or stop is None:
        return words.NOTHING
    one, other = (f"{each:%H.%M}".replace(".", tongue.colon) for each in (start, stop))
    return f"{one}–{other} WIB"


def phase_of(sitting: Sitting, now: float, tongue: Tongue) -> str:
    """``mulai dalam 42 mnt``, ``berlangsung 12 mnt``, ``selesai``."""
    if now < sitting.start:
        return tongue.say("mulai dalam {age}", age=tongue.lasting(sitting.start - now))
    if now < sitting.stop:
        return tongue.say("berlangsung {age}", age=tongue.lasting(now - sitting.start))
    return tongue.say("selesai")


def tally_of(roll: RollCall, tongue: Tongue) -> str:
    """``35 dari 38 siap, 2 wajib belum``."""
    told = tongue.say("{n} dari {all} siap", n=roll.ready, all=len(roll.verdicts))
    if not roll.required_missing:
        return told
    return f"{told}, " + tongue.say("{n} wajib belum", n=roll.required_missing)


@dataclass(frozen=True, slots=True)
class Usual:
    """A forecast in words: ``biasanya siap`` ``96 % (90–99 %)`` ``52 minggu``."""

    lead: str
    figure: str
    weeks: str


def usual_of(it: Forecast, tongue: Tongue) -> Usual:
    """How likely a province is to be ready. Whole percents: the chance and the lower end cut, the
    upper end up, so that none promises more than is known.
    """
    chance, low, high = int(it.chance * 100), int(it.low * 100), ceil(it.high * 100)
    figure = f"{chance} % ({min(low, chance)}–{max(high, chance)} %)"
    return Usual(tongue.say("biasanya siap"), figure, tongue.say("{n} minggu", n=it.weeks))
