"""The JSON faces: the whole picture, and one province in detail.

Durations are in milliseconds, times in RFC 3339 UTC, states and reasons the strings of the model.
What is not known is ``null``; NaN, infinities and lone surrogates never leave here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from vcmon import __version__
from vcmon.model.province import Province
from vcmon.model.result import Blame, Direction, Echo, Outcome, Reason, Result
from vcmon.model.status import (
    CheckStatus,
    EndpointStatus,
    ProvinceStatus,
    Snapshot,
    Standing,
    State,
)
from vcmon.views.directions import streams_object
from vcmon.views.freshness import believed, is_current, is_stale, mos_of
from vcmon.views.sources import Sources
from vcmon.views.words import rfc3339

CONTENT_TYPE = "application/json; charset=utf-8"

TEXT_MAX = 1000
"""Characters of a text that came from outside: a banner explains itself in far fewer."""

_SURROGATE = re.compile("[\ud800-\udfff]")

NO_DATA = Standing(State.UNKNOWN, Reason.NO_DATA)


def dumps(value: Any) -> str:
    """JSON in ASCII without spaces. Raises ValueError for a NaN or infinity."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def plain(value: str | float | bool) -> str | float | bool | None:
    """A value of a probe's detail, fit for JSON: text cut and with a UTF-8, figures finite."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value[:TEXT_MAX])
    return None if isinstance(value, float) and not isfinite(value) else value


def milliseconds(seconds: float | None) -> float | None:
    """Milliseconds to the microsecond; None stays None, and so does what is no number."""
    return None if seconds is None or not isfinite(seconds) else round(seconds * 1000, 3)


def share(ratio: float | None) -> float | None:
    """A ratio from 0 to 1 to four places, or None."""
    return None if ratio is None or not isfinite(ratio) else round(ratio, 4)


def score(mos: float | None) -> float | None:
    """A MOS to two places, or None."""
    return None if mos is None or not isfinite(mos) else round(mos, 2)


def check_object(status: CheckStatus, stale: bool) -> dict[str, Any]:
    """One check as ``/api/v1/status`` tells it."""
    last, current = status.last, is_current(status, stale)
    echo: Echo | None = last.echo if last and current else None
    return {
        "name": plain(status.check.id.name),
        "kind": status.check.kind,
        "outcome": status.outcome if current else Outcome.UNKNOWN,
        "reason": status.reason if current else Reason.STALE,
        "at": rfc3339(last.at) if last else None,
        "duration_ms": milliseconds(last.duration) if last else None,
        "rtt_ms": milliseconds(echo.rtt) if echo else None,
        "loss": share(echo.loss) if echo else None,
        "jitter_ms": milliseconds(echo.jitter) if echo else None,
        "streams": streams_object(last.streams if last and current else None),
    }


def _standing(standing: Standing, stale: bool, at: float) -> dict[str, Any]:
    if stale:  # unknown since nobody has looked any more
        standing = Standing(State.UNKNOWN, Reason.STALE, Blame.LOCAL, since=at)
    return {
        "state": standing.state,
        "since": rfc3339(standing.since),
        "reason": standing.reason,
        "blame": standing.blame,
    }


def endpoint_object(status: EndpointStatus, stale: bool, at: float) -> dict[str, Any]:
    """One endpoint as ``/api/v1/status`` tells it."""
    return {
        "id": plain(status.endpoint.id),
        "role": status.endpoint.role,
        **_standing(status.standing, stale, at),
        "parent": plain(status.standing.parent) if status.standing.parent and not stale else None,
        "checks": [check_object(check, stale) for check in status.checks],
    }


def _province_head(status: ProvinceStatus, stale: bool, at: float) -> dict[str, Any]:
    province, parent = status.province, status.standing.parent
    return {
        "slug": province.slug,
        "code": province.code,
        "name": plain(province.name_id),
        **_standing(status.standing, stale, at),
        "parent": plain(parent) if parent and not stale else None,
        "maintenance": status.maintenance,
    }


def counts(snapshot: Snapshot, stale: bool) -> dict[str, int]:
    """Monitored provinces by state; ``maintenance`` counts the overlay, beside the states."""
    seen = [status for status in snapshot.provinces if status.endpoints]
    states = Counter(believed(status.standing.state, stale) for status in seen)
    figures = {state.value: states[state] for state in State}
    return {**figures, "maintenance": sum(status.maintenance for status in seen)}


def _join(parts: Iterator[str]) -> Iterator[str]:
    for index, part in enumerate(parts):
        yield f",{part}" if index else part


def _province_pieces(status: ProvinceStatus, stale: bool, at: float) -> Iterator[str]:
    head = dumps(_province_head(status, stale, at))
    yield f'{head[:-1]},"endpoints":['
    yield from _join(dumps(endpoint_object(one, stale, at)) for one in status.endpoints)
    yield "]}"


class Api:
    """Writes JSON in pieces of an endpoint each, so that 10,000 of them don't stop the loop."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def status(self) -> Iterator[str]:
        """``/api/v1/status``: every monitored province with its endpoints and checks."""
        snapshot = self._sources.snapshot()
        stale = is_stale(self._sources, snapshot)
        head = {
            "generated_at": rfc3339(snapshot.at),
            "version": __version__,
            "revision": snapshot.version,  # grows with every change
            "vantage": plain(self._sources.settings().vantage),
            "blind": snapshot.uplink.blind,
            "counts": counts(snapshot, stale),
        }
        yield f'{dumps(head)[:-1]},"provinces":['
        seen = (status for status in snapshot.provinces if status.endpoints)
        for index, status in enumerate(seen):
            yield "," if index else ""
            yield from _province_pieces(status, stale, snapshot.at)
        yield "]}\n"

    def province(self, slug: str) -> Iterator[str] | None:
        """``/api/v1/provinces/<slug>``; None for a slug that is no province."""
        snapshot = self._sources.snapshot()
        for status in snapshot.provinces:
            if status.province.slug == slug:
                return self._detail(status, snapshot.at, is_stale(self._sources, snapshot))
        province = self._sources.settings().provinces.get(slug)
        if province is None:
            return None
        nothing = ProvinceStatus(province, NO_DATA, ())
        return self._detail(nothing, snapshot.at, stale=False)

    def _detail(self, status: ProvinceStatus, at: float, stale: bool) -> Iterator[str]:
        standing = status.standing
        head = {
            **_province_head(status, stale, at),
            "generated_at": rfc3339(at),
            "blame": standing.blame,
            "known_at": rfc3339(standing.known_at),
            **_place(status.province),
        }
        yield f'{dumps(head)[:-1]},"endpoints":['
        yield from _join(dumps(_endpoint_detail(one, stale, at)) for one in status.endpoints)
        yield "]}\n"


def _place(province: Province) -> dict[str, Any]:
    return {
        "iso": province.iso,
        "name_en": plain(province.name_en),
        "capital": plain(province.capital),
        "timezone": province.timezone,
        "island": province.island,
        "latitude": plain(province.latitude),
        "longitude": plain(province.longitude),
    }


def _endpoint_detail(status: EndpointStatus, stale: bool, at: float) -> dict[str, Any]:
    it, quality, standing = status.endpoint, status.quality, status.standing
    return {
        **endpoint_object(status, stale, at),
        "known_at": rfc3339(standing.known_at),
        "maintenance": status.maintenance,
        "address": plain(it.address),
        "site": plain(it.site),
        "medium": plain(it.medium),
        "provider": plain(it.provider),
        "contact": plain(it.contact),
        "depends_on": [plain(parent) for parent in it.depends_on],
        "quality": {
            "rtt_ms": milliseconds(quality.rtt),
            "usual_rtt_ms": milliseconds(quality.usual),
            "loss": share(quality.loss),
            "jitter_ms": milliseconds(quality.jitter),
            "mos": score(mos_of(status, stale)),
            "forward": _direction(quality.forward),
            "backward": _direction(quality.backward),
        },
        "checks": [
            {**check_object(check, stale), **_run(check, check.last)} for check in status.checks
        ],
    }


def _direction(measured: Direction | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {"loss": share(measured.loss), "jitter_ms": milliseconds(measured.jitter)}


def _run(status: CheckStatus, last: Result | None) -> dict[str, Any]:
    phases: Mapping[str, float] = last.phases if last else {}
    return {
        "since": rfc3339(status.since),
        "interval_ms": milliseconds(status.check.interval),
        "failing": status.failing,
        "stale": status.stale,
        "last": {
            "outcome": last.outcome,
            "reason": last.reason,
            "blame": last.blame,
            "impaired": last.impaired,
        }
        if last
        else None,
        "phases": {plain(name): milliseconds(seconds) for name, seconds in phases.items()},
        "certificate_expiry": rfc3339(last.certificate_expiry)
        if last and last.certificate_expiry is not None
        else None,
        "detail": {str(plain(k)): plain(v) for k, v in last.detail.items()} if last else {},
    }
