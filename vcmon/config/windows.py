"""The maintenance windows of a settings file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vcmon.config.document import Document, dotted
from vcmon.config.fields import duration
from vcmon.config.profiles import LIMITS
from vcmon.config.provinces import province_slug, province_words, provinces
from vcmon.config.recurrence import check_rule
from vcmon.config.report import Report
from vcmon.config.schema import WindowFields
from vcmon.config.source import Source
from vcmon.config.text import clean, printable, shown
from vcmon.model.endpoint import Endpoint
from vcmon.model.memory import Maintenance

ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
"""What people say, beside the names of the IANA database."""

KINDS = ("province", "endpoint", "provider", "island")

_START = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d)[:.](\d\d)(?:[:.](\d\d))?")


@lru_cache(maxsize=700)
def parse_zone(text: str) -> ZoneInfo:
    """The zone of an IANA name, or of WIB, WITA or WIT. Raises ValueError.

    Each file of the zone database is read once: what is remembered here, ZoneInfo() finds again
    without reading, on the loop, too.
    """
    try:
        return ZoneInfo(ZONES.get(text.upper(), text))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what = "expected a time zone, as Asia/Jayapura, WIB, WITA or WIT"
        raise ValueError(f"{what}; found {shown(text)}") from None


def parse_start(text: str, zone: ZoneInfo) -> float:
    """Wall seconds of ``2026-11-22 22:00`` (a ``T`` and dots are taken, too). Raises ValueError."""
    match = _START.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
        at = datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        what = "expected a local time as 2026-11-22 22:00"
        raise ValueError(f"{what}; found {shown(text)}") from None
    if not 0 < at < 4e9:
        raise ValueError(f"expected a time of our days, found {shown(text)}")
    return at


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a window can be for. ``complete`` False: some of the inventory could not be read."""

    endpoints: Collection[str]
    providers: Collection[str]
    complete: bool = True

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], *, complete: bool = True) -> Scopes:
        """The scopes that this inventory knows."""
        ids = {endpoint.id for endpoint in endpoints}
        providers = {endpoint.provider for endpoint in endpoints if endpoint.provider}
        return cls(ids, providers, complete)

    def parse(self, text: str, report: Report) -> str:
        """The scope in its one form: ``province:16`` is ``province:sumatera-selatan``.

        Raises ValueError; ``report`` is only asked what the nearest known word is.
        """
        kind, colon, name = text.strip().partition(":")
        name = name.strip()
        if not colon or kind not in KINDS or not name:
            what = ", ".join(f"{each}:..." for each in KINDS)
            raise ValueError(f"expected one of {what}; found {shown(text)}")
        if kind == "province":
            slug = province_slug(name)
            if slug is None:
                near = report.nearest(name, province_words())
                raise ValueError(f"expected a province, found {shown(name)}{near}")
            return f"province:{slug}"
        known = {
            "endpoint": self.endpoints,
            "provider": self.providers,
            "island": {province.island for province in provinces().values()},
        }[kind]
        if name not in known and (self.complete or kind == "island"):
            near = report.nearest(name, known)
            raise ValueError(f"no {kind} of that name here: {shown(name)}{near}")
        return f"{kind}:{name}"


Wrong = Callable[[str, ValueError], None]
"""Takes note of a key and what is wrong with its value."""


def build_windows(
    written: Sequence[WindowFields], scopes: Scopes, at: tuple[Document, Source, Report]
) -> tuple[Maintenance, ...]:
    """The windows of the settings, with id 0; what is wrong goes into the report."""
    document, source, report = at
    made = []
    for index, fields in enumerate(written):

        def wrong(key: str, error: ValueError, index: int = index) -> None:
            loc = ("maintenance", index, key)
            report.add(source.at(document.line(loc), dotted(loc)), str(error))

        made.append(_window(fields, scopes, report, wrong))
    return tuple(made)


class PlanError(ValueError):
    """What is wrong with what somebody plans: the keys of the values, and all of it in words."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        self.keys = tuple(wrong)
        super().__init__("; ".join(f"{key}: {what}" for key, what in wrong.items()))


def window_of(fields: WindowFields, scopes: Scopes) -> Maintenance:
    """The window that somebody plans, with id 0. Raises PlanError."""
    told: dict[str, str] = {}

    def wrong(key: str, error: ValueError) -> None:
        told[key] = printable(str(error))

    window = _window(fields, scopes, Report(), wrong)
    low, high = LIMITS["duration"]
    if not low <= fields.duration <= high:
        told["duration"] = f"expected {duration(low)} to {duration(high)}"
    if told:
        raise PlanError(told)
    return window


def begins(start: str, zone: str, wrong: Wrong) -> tuple[ZoneInfo, float]:
    """The zone, and the first time in it as wall seconds; for what is wrong Jakarta, and 0."""
    found, at = ZoneInfo("Asia/Jakarta"), 0.0
    try:
        found = parse_zone(zone)
    except ValueError as error:
        wrong("zone", error)
    try:
        at = parse_start(start, found)
    except ValueError as error:
        wrong("start", error)
    return found, at


def look_at_rule(rule: str, start: float, zone: ZoneInfo, wrong: Wrong) -> None:
    """Say what is wrong with a recurrence rule from this start on; "" is none."""
    try:
        if rule:
            check_rule(rule, datetime.fromtimestamp(start or 1.8e9, zone))
    except ValueError as error:
        wrong("repeat", error)


def _window(fields: WindowFields, scopes: Scopes, report: Report, wrong: Wrong) -> Maintenance:
    scope = fields.scope
    try:
        scope = scopes.parse(fields.scope, report)
    except ValueError as error:
        wrong("scope", error)
    zone, start = begins(fields.start, fields.zone, wrong)
    look_at_rule(fields.repeat, start, zone, wrong)
    title = clean(fields.title)
    if not title:
        wrong("title", ValueError("expected a few words, found nothing"))
    return Maintenance(0, scope, title, start, fields.duration, zone.key, fields.repeat)
