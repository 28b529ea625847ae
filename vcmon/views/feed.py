"""The latest incidents as an Atom feed (RFC 4287), in Bahasa Indonesia. Pure.

An entry keeps its id for ever, and is updated when the incident changes: a reader tells it anew.
Nothing in it depends on the moment of asking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from vcmon.config.settings import Settings
from vcmon.model.memory import Incident
from vcmon.views import words
from vcmon.views.tongue import BAHASA

CONTENT_TYPE = "application/atom+xml; charset=utf-8"

ENTRIES = 50
"""Incidents in the feed: some weeks, so that a reader that was away misses none."""

REMARKS, PROVINCES = 20, 38
"""Remarks (the latest) and provinces told of one incident."""

_NO_XML = {0xFFFE: None, 0xFFFF: None}  # what clean() leaves and XML 1.0 has no place for


def feed(found: Sequence[Incident], settings: Settings, started: float) -> Iterator[str]:
    """The feed of these incidents, newest first; ``started`` is its time while it has none."""
    base = f"tag:vcmon.invalid,2026:{_text(settings.vantage)}"
    latest = max((changed_at(each) for each in found), default=started)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="id">\n'
    yield f"<id>{base}</id>\n<title>Gangguan konferensi video</title>\n"
    yield f"<updated>{words.rfc3339(latest)}</updated>\n"
    yield f"<author><name>vcmon {_text(settings.vantage)}</name></author>\n"
    yield '<link rel="self" type="application/atom+xml" href="/feed.atom"/>\n'
    yield '<link rel="alternate" type="text/html" href="/"/>\n'
    for each in found:
        yield _entry(each, settings, base)
    yield "</feed>\n"


def _entry(it: Incident, settings: Settings, base: str) -> str:
    state = "masih berlangsung" if it.stop is None else "selesai"
    title = f"Gangguan {it.id}: {owner_words(it.owner, settings)} ({state})"
    content = "\n".join(map(_text, _lines(it, settings)))
    return (
        f"<entry>\n<id>{base}/incident/{it.id}</id>\n<title>{_text(title)}</title>\n"
        f"<published>{words.rfc3339(it.known_at)}</published>\n"
        f"<updated>{words.rfc3339(changed_at(it))}</updated>\n"
        f'<link rel="alternate" type="application/json" href="/api/v1/incidents/{it.id}"/>\n'
        f'<category term="{it.cause}"/>\n<content type="text">{content}</content>\n</entry>\n'
    )


def changed_at(it: Incident) -> float:
    """When the incident changed last: by what happened, or by what somebody said."""
    moments = [it.start, it.known_at, *(remark.at for remark in it.remarks)]
    moments += [at for m in it.members for at in (m.start, m.stop) if at is not None]
    return max(moments if it.stop is None else [*moments, it.stop])


def _lines(it: Incident, settings: Settings) -> Iterator[str]:
    yield f"Mulai: {_moment(it.start)}"
    if it.stop is not None:
        lasting = BAHASA.lasting(max(0.0, it.stop - it.start))
        yield f"Selesai: {_moment(it.stop)} (berlangsung {lasting})"
    yield f"Gejala: {words.REASONS[it.reason]}"
    yield f"Penyebab: {words.CAUSES[it.cause]}"
    if provinces := _provinces(it, settings):
        yield f"Terdampak: {', '.join(provinces[:PROVINCES])}"
    if it.reopened:
        yield f"Terulang: {it.reopened} kali"
    if it.merged_into is not None:
        yield f"Menjadi bagian dari gangguan {it.merged_into}"
    for remark in it.remarks[-REMARKS:]:
        ticket = f", tiket {remark.ticket}" if remark.ticket else ""
        cause = f": {words.CAUSES[remark.cause]}" if remark.cause else ""
        text = f": {words.clean(remark.text, 2000)}" if remark.text else ""
        who = words.clean(remark.author)
        yield f"{_moment(remark.at)}, {who} {words.DEEDS[remark.deed]}{ticket}{cause}{text}"


def _provinces(it: Incident, settings: Settings) -> list[str]:
    names = settings.provinces
    slugs = (m.subject.removeprefix("province:") for m in it.members)
    return list(dict.fromkeys(names[slug].name_id for slug in slugs if slug in names))


def owner_words(owner: str, settings: Settings) -> str:
    """``Aceh``, ``aceh-codec (Aceh)``, ``wilayah Papua``, ``penyedia Telkom``."""
    kind, _, name = owner.partition(":")
    if kind == "country":
        return words.COUNTRY
    if kind == "province" and name in settings.provinces:
        return settings.provinces[name].name_id
    if kind == "endpoint":
        slug = next((each.province for each in settings.endpoints if each.id == name), "")
        where = settings.provinces.get(slug)
        return f"{name} ({where.name_id})" if where else name
    return f"{words.OWNERS.get(kind, kind)} {name}"


def _moment(at: float) -> str:
    try:
        local = datetime.fromtimestamp(at, words.WIB)
    except (ValueError, OverflowError, OSError):
        return words.NOTHING
    return f"{local.day} {words.MONTHS[local.month - 1]} {local.year} {local:%H.%M} WIB"


def _text(text: str) -> str:
    return escape(words.clean(text, 2500).translate(_NO_XML))
