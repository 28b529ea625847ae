"""What valid settings amount to, in a few lines; and what is allowed but worth a look."""

from __future__ import annotations

from collections.abc import Iterator

from vcmon.config.settings import Settings
from vcmon.config.web import in_the_clear
from vcmon.model.endpoint import CONFERENCE_ROLES


def summary(settings: Settings) -> Iterator[str]:
    """Files, counts and probing rate, a line each."""
    checks = [check for endpoint in settings.endpoints for check in endpoint.checks]
    kinds = sorted({check.kind for check in checks})
    rate = sum(1 / check.interval for check in checks)
    watched = {endpoint.province for endpoint in settings.endpoints}
    provinces = watched - {"pusat"}
    yield f"files:     {', '.join(map(str, settings.files))}"
    yield f"provinces: {len(provinces)} of 38{', and the Centre' if 'pusat' in watched else ''}"
    yield f"endpoints: {len(settings.endpoints)}"
    yield f"checks:    {len(checks)} ({', '.join(kinds)})"
    yield f"probes:    {rate:.1f} a second"


def notes(settings: Settings) -> Iterator[str]:
    """What is no error, but may be an oversight."""
    if not settings.canaries:
        yield "no canaries: a fault of our own uplink is only guessed; name two hosts near us"
    if in_the_clear(settings.web):
        yield "passwords travel in the clear: set web.tls_certificate_file, or a proxy with TLS"
    watched = {endpoint.province for endpoint in settings.endpoints}
    meeting = {each.province for each in settings.endpoints if each.role in CONFERENCE_ROLES}
    provinces = [slug for slug in settings.provinces if slug != "pusat"]
    if empty := [slug for slug in provinces if slug not in watched]:
        yield f"provinces without endpoints ({len(empty)}): {', '.join(empty)}"
    if idle := [slug for slug in provinces if slug in watched - meeting]:
        yield f"provinces without a conference endpoint ({len(idle)}): {', '.join(idle)}"
