"""The named check profiles of a settings file, made whole with its defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from vcmon.config.asks import ProbeParams
from vcmon.config.checks import Catalogue, Profile
from vcmon.config.document import Document, Loc, dotted
from vcmon.config.fields import Duration, duration
from vcmon.config.kinds import KINDS, PARAMS
from vcmon.config.params_web import PLATFORMS
from vcmon.config.report import Report
from vcmon.config.schema import PROFILES, ProfileFields
from vcmon.config.secrets import Secret, read_secret, secret_fields
from vcmon.config.settings import Defaults
from vcmon.config.source import Source
from vcmon.config.text import shown
from vcmon.config.validate import validate

LIMITS: Mapping[str, tuple[float, float]] = {
    "interval": (0.2, 86_400.0),  # faster is a flood; slower than daily is not monitoring
    "timeout": (0.01, 60.0),
    "retry": (0.1, 3_600.0),
    "grace": (0.0, 86_400.0),
    "up_gap": (0.0, 86_400.0),
    "spacing": (0.001, 1.0),
    "t1": (0.05, 10.0),
    "rto": (0.05, 10.0),
    "talk": (4.0, 30.0),  # what is shorter measures nothing; what is longer holds the room up
    "expiry_warning": (0.0, 3_650 * 86_400.0),
    "shortest_outage": (0.0, 86_400.0),  # who calls a day's outage short has mistyped
    "jitter": (0.001, 60.0),
    "rtt": (0.001, 60.0),
    # a report needs whole months, and a month is frozen a few days after its end
    "keep": (62 * 86_400.0, 36_500 * 86_400.0),
    "keep_hours": (2 * 86_400.0, 3_660 * 86_400.0),
    "keep_minutes": (86_400.0, 400 * 86_400.0),
    "window": (60.0, 86_400.0),
    "calm": (0.0, 86_400.0),  # of a meeting; that of flapping is a number
    "checkpoints": (0.0, 86_400.0),  # a list: config/meetings.py holds each against this
    "together": (0.0, 3_600.0),
    "reopen": (0.0, 86_400.0),
    "session": (300.0, 30 * 86_400.0),  # a wallboard signs in once a month
    "duration": (60.0, 31 * 86_400.0),  # of maintenance; longer than a month is no window
}
"""Seconds, lowest and highest, of every duration that a settings file may hold."""

_DURATION: TypeAdapter[float] = TypeAdapter(Duration)


def refuse_extremes(data: Any, loc: Loc, at: tuple[Document, Source, Report]) -> None:
    """Report every duration, at any depth of ``data``, that is outside :data:`LIMITS`."""
    document, source, report = at
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in entries:
        here = (*loc, key)
        if isinstance(value, dict | list):
            refuse_extremes(value, here, at)
        elif isinstance(key, str) and key in LIMITS and isinstance(value, str):
            low, high = LIMITS[key]
            seconds = _seconds(value)
            if seconds is not None and not low <= seconds <= high:
                expected = f"expected {duration(low)} to {duration(high)}, found {shown(value)}"
                report.add(source.at(document.line(here), dotted(here)), expected)


def _seconds(value: str) -> float | None:
    try:
        return _DURATION.validate_strings(value)
    except ValidationError:
        return None  # told by the model already


def built_in(defaults: Defaults) -> Catalogue:
    """Every kind by its own name, and the platforms."""
    kinds = {kind: _plain(kind, kind, defaults) for kind in PARAMS}
    platforms = {
        name: replace(_plain(name, kind, defaults), written=written)
        for name, (kind, written) in PLATFORMS.items()
    }
    return Catalogue(kinds | platforms)


def _plain(name: str, kind: str, defaults: Defaults) -> Profile:
    return Profile(name, kind, *_times(kind, defaults))


NOBODYS: tuple[str, Mapping[str, Any]] = ("", {})


def _own_kind(name: str) -> str | None:
    """The kind of what is built in under this name."""
    return name if name in PARAMS else PLATFORMS.get(name, (None,))[0]


def _times(kind: str, defaults: Defaults) -> tuple[float, float]:
    own = KINDS[kind]
    return own.interval or defaults.interval, own.timeout or defaults.timeout


@dataclass(frozen=True, slots=True)
class ProfileReader:
    """Reads the ``checks`` of one settings file."""

    document: Document
    source: Source
    report: Report
    defaults: Defaults

    def catalogue(self, checks: Mapping[str, Mapping[str, Any]]) -> Catalogue:
        """What is built in, and every profile; broken ones are reported."""
        named = {name: self._profile(name, raw) for name, raw in checks.items()}
        return Catalogue({**built_in(self.defaults).profiles, **named})

    def _profile(self, name: str, raw: Mapping[str, Any]) -> Profile:
        kind = raw.get("kind")
        for what in self._wrong_kind(name, kind):
            self._wrong((name, "kind"), what)
        if not isinstance(kind, str) or kind not in PROFILES:
            # A stand-in, so that the inventory is not blamed as well; the problem stands.
            return _plain(name, "https", self.defaults)
        at = (self.document, self.source, self.report)
        made = validate(PROFILES[kind], dict(raw), ("checks", name), at)
        if made is None or not isinstance(made, ProfileFields):
            return _plain(name, "https" if KINDS[kind].opt_in else kind, self.defaults)
        interval, timeout = _times(kind, self.defaults)
        written = self._parameters(name, raw)
        profile = Profile(
            name=name,
            kind=kind,
            interval=interval if made.interval is None else made.interval,
            timeout=timeout if made.timeout is None else made.timeout,
            decides=made.decides,
            written={**PLATFORMS.get(name, NOBODYS)[1], **written},
            secrets=self._secrets(name, kind, written),
        )
        self._check_times(profile, made)
        return profile

    def _wrong_kind(self, name: str, kind: Any) -> Iterator[str]:
        known = ", ".join(PARAMS)
        if kind is None:
            yield f"needed, but missing: one of {known}"
        elif not isinstance(kind, str) or kind not in PARAMS:
            hint = self.report.nearest(str(kind), PARAMS)
            yield f"expected one of {known}; found {shown(kind)}{hint}"
        elif (own := _own_kind(name)) not in {None, kind}:
            yield f"a profile called {name} must be of kind {own}, found {kind}: rename the profile"

    def _parameters(self, name: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        written = {key: raw[key] for key in raw if key not in {"kind", *ProfileFields.model_fields}}
        for key in [key for key in written if key.endswith("_file") and written[key]]:
            path = self.source.path.parent / str(written[key])
            written[key] = str(path.absolute())
            if not path.is_file():
                self._wrong((name, key), f"no such file: {path}")
        return written

    def _secrets(self, name: str, kind: str, written: Mapping[str, Any]) -> Mapping[str, Secret]:
        found = {}
        for key in secret_fields(PARAMS[kind]):
            path = Path(written.get(key) or "")
            if path.is_file():  # where it is not, that is told already
                try:
                    found[key] = read_secret(path)
                except ValueError as error:
                    self._wrong((name, key), str(error))
        return found

    def _check_times(self, profile: Profile, made: ProfileFields) -> None:
        key = "interval" if made.timeout is None else "timeout"
        said = made.timeout is not None or made.interval is not None
        if said and profile.timeout > profile.interval:
            what = f"the timeout ({duration(profile.timeout)}) is longer than the interval "
            self._wrong((profile.name, key), what + f"({duration(profile.interval)})")
        params = cast("ProbeParams", made)  # every profile is its kind's parameters, and more
        for where, what in params.unfit(profile.interval, profile.timeout):
            self._wrong((profile.name, where), what)

    def _wrong(self, loc: Loc, what: str) -> None:
        whole = ("checks", *loc)
        self.report.add(self.source.at(self.document.line(whole), dotted(whole)), what)
