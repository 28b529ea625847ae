"""When planned work took a province out of the figure. Pure.

A province is in maintenance while a window for itself or its island group is on, and while every
one of its conference endpoints is covered, by a window for it, for its provider, or for something
that it depends on: planned work on one of two codecs excuses no outage of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from vcmon.history.spans import Span, Spans, merged, milliseconds, overlap
from vcmon.model.endpoint import CONFERENCE_ROLES, Endpoint
from vcmon.model.memory import Maintenance, Occasion
from vcmon.model.province import Province


def occasions(windows: Iterable[Maintenance], start: float, stop: float) -> Iterator[Occasion]:
    """Every time that one of the windows is on within ``[start, stop)`` (wall seconds)."""
    for window in windows:
        ended = float("inf") if window.ended_at is None else window.ended_at
        for begun in _beginnings(window, start, min(stop, ended)):
            over = min(begun + window.seconds, ended)
            if begun < stop and over > start and over > begun:
                yield Occasion(window, begun, over)


def _beginnings(window: Maintenance, start: float, stop: float) -> Iterator[float]:
    if not window.rule:
        yield window.start
        return
    zone = ZoneInfo(window.zone)
    # By the zone's wall clock: 22.00 stays 22.00 wherever clocks are put forward.
    first, since, until = (
        datetime.fromtimestamp(at, UTC).astimezone(zone).replace(tzinfo=None)
        for at in (window.start, start - window.seconds, stop)
    )
    if until < first:
        return
    margin = timedelta(hours=3)
    for local in rrulestr(window.rule, dtstart=first).between(since - margin, until + margin):
        yield local.replace(tzinfo=zone).timestamp()


def maintenance_of(
    province: Province, endpoints: Mapping[str, Endpoint], occasions: Sequence[Occasion]
) -> Spans:
    """When a province was in maintenance; ``endpoints`` are all that there are, by id."""
    own = (f"province:{province.slug}", f"island:{province.island}")
    whole = merged(_span(each) for each in occasions if each.maintenance.scope in own)
    mine = [each for each in endpoints.values() if each.province == province.slug]
    deciding = [each for each in mine if each.role in CONFERENCE_ROLES] or mine
    if not deciding:
        return whole
    covered = [_covering(each, endpoints, occasions) for each in deciding]
    all_of_them = covered[0]
    for spans in covered[1:]:
        all_of_them = overlap(all_of_them, spans)
    return merged((*whole, *all_of_them))


def _span(occasion: Occasion) -> Span:
    return milliseconds(occasion.start), milliseconds(occasion.stop)


def _covering(
    endpoint: Endpoint, endpoints: Mapping[str, Endpoint], occasions: Sequence[Occasion]
) -> Spans:
    scopes = set()
    for each in _way(endpoint, endpoints):
        scopes |= {f"endpoint:{each.id}", f"provider:{each.provider}"}
    scopes.discard("provider:")
    return merged(_span(each) for each in occasions if each.maintenance.scope in scopes)


def _way(endpoint: Endpoint, endpoints: Mapping[str, Endpoint]) -> Iterator[Endpoint]:
    """The endpoint and all that it depends on, each once."""
    found, waiting = {endpoint.id}, [endpoint]
    while waiting:
        each = waiting.pop()
        yield each
        for name in each.depends_on:
            if name in endpoints and name not in found:
                found.add(name)
                waiting.append(endpoints[name])
