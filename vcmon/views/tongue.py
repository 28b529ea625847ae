"""A language of the pages: words by the catalogue, times and figures as it writes them.

Bahasa Indonesia is what the program is written in; every other language is a gettext catalogue
in ``locale/``, keyed by the Indonesian text. A text without a translation stays Indonesian, and
a test sees to it that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from math import isfinite
from pathlib import Path
from types import MappingProxyType

from babel.messages.pofile import read_po

from vcmon.model.province import Province
from vcmon.model.result import Blame, Reason
from vcmon.model.status import Standing, State
from vcmon.views import words
from vcmon.views.words import NOTHING, WIB, clean, local_time

LOCALE = Path(__file__).parent / "locale"


def catalogue(language: str) -> Mapping[str, str]:
    """Each Indonesian text and what stands for it in the language."""
    with (LOCALE / language / "LC_MESSAGES" / "vcmon.po").open("rb") as file:
        messages = read_po(file, locale=language)
    return {str(one.id): str(one.string) for one in messages if one.id and one.string}


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language; all of its methods are pure."""

    lang: str  # as HTML names it
    name: str  # its own name of itself
    root: str  # where its pages are: before every path
    colon: str  # between hours and minutes
    comma: str  # of decimals
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)

    def say(self, text: str, **parts: object) -> str:
        """The text in this language, ``{names}`` filled in."""
        found = self.texts.get(text, text)
        return found.format(**parts) if parts else found

    def state(self, state: State) -> str:
        return self.say(words.STATES[state])

    def blame(self, blame: Blame) -> str:
        return self.say(words.BLAMES[blame])

    def why(self, reason: Reason) -> str:
        """A reason alone."""
        return self.say(words.REASONS[reason])

    def reason(self, standing: Standing) -> str:
        """The reason in words; of what flaps ``tidak stabil, 7x dalam 30 menit``, of an unusual
        round-trip time ``RTT 310 ms, biasanya 62 ms``.
        """
        if standing.reason is Reason.RTT and standing.usual:
            now, usual = self.milliseconds(standing.rtt), self.milliseconds(standing.usual)
            return self.say(words.USUAL, now=now, usual=usual)
        if standing.reason is not Reason.FLAPPING or not standing.changes:
            return self.why(standing.reason)
        minutes = f"{standing.within / 60:.0f}"
        return self.say(words.UNSTABLE, n=standing.changes, minutes=minutes)

    def province(self, province: Province) -> str:
        """Its name, cleaned."""
        return clean(province.name_id if self.lang == "id" else province.name_en)

    # ---- times

    def clock(self, at: float, zone: tzinfo = WIB) -> str:
        """``09.41.07 WIB``."""
        local = local_time(at, zone)
        return (
            f"{local:%H.%M.%S}".replace(".", self.colon) + f" {local.tzname()}"
            if local
            else NOTHING
        )

    def moment(self, at: float, now: float, zone: tzinfo = WIB) -> str:
        """``09.41.07 WIB`` today, ``22 Nov 09.41 WIB`` this year, else with the year."""
        local, today = local_time(at, zone), local_time(now, zone)
        if local is None or today is None or at <= 0:
            return NOTHING
        return self.clock(at, zone) if local.date() == today.date() else self.day(at, now, zone)

    def day(self, at: float, now: float, zone: tzinfo = WIB) -> str:
        """``28 Nov 22.00 WIT``, with the year in another one; today ``22.00 WIT``."""
        local, today = local_time(at, zone), local_time(now, zone)
        if local is None or today is None:
            return NOTHING
        clock = f"{local:%H.%M}".replace(".", self.colon) + f" {local.tzname()}"
        if local.date() == today.date():
            return clock
        year = "" if local.year == today.year else f" {local.year}"
        return f"{local.day} {self.say(words.MONTHS[local.month - 1])}{year} {clock}"

    def lasting(self, seconds: float) -> str:
        """``12 dtk``, ``2 jam 5 mnt``, ``3 hari 4 jam``: two units at most, rounded down."""
        if not isfinite(seconds) or seconds < 0:
            return NOTHING
        whole = int(seconds)
        for limit, text, large, small in words.LASTING:
            if whole < limit:
                return self.say(text, a=whole // large, b=whole % large // small)
        return self.say(words.DAYS, a=whole // 86400, b=whole % 86400 // 3600)

    # ---- figures

    def milliseconds(self, seconds: float | None) -> str:
        """``43 ms``, below ten ``4,3 ms``."""
        if seconds is None or not isfinite(seconds):
            return NOTHING
        value = seconds * 1000
        return f"{value:.1f} ms".replace(".", self.comma) if value < 10 else f"{value:.0f} ms"

    def percent(self, share: float | None) -> str:
        """``0 %``, ``1,3 %``: of a share from 0 to 1."""
        if share is None or not isfinite(share):
            return NOTHING
        return f"{share * 100:.1f}".removesuffix(".0").replace(".", self.comma) + " %"

    def score(self, mos: float | None) -> str:
        """``perkiraan MOS 4,3``; nothing where there is none."""
        if mos is None or not isfinite(mos):
            return ""
        return self.say(words.SCORE, mos=f"{mos:.1f}".replace(".", self.comma))


BAHASA = Tongue("id", "Bahasa Indonesia", "", ".", ",")
ENGLISH = Tongue("en", "English", "/en", ":", ".", catalogue("en"))

TONGUES: Mapping[str, Tongue] = MappingProxyType({one.lang: one for one in (BAHASA, ENGLISH)})
"""Read with the program: no file is touched once the loop runs."""


def spoken_at(path: str) -> Tongue:
    """The language that an address asks for."""
    return ENGLISH if path.startswith(f"{ENGLISH.root}/") else BAHASA
