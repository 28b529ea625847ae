"""The settings once read: frozen, complete, checked. What the rest of vcmon works from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from vcmon.config.fields import Duration, Strict
from vcmon.config.reports import Reports
from vcmon.config.vantages import Vantage
from vcmon.model.endpoint import Endpoint
from vcmon.model.memory import Maintenance
from vcmon.model.province import Province


class Confirm(Strict):
    """How many results commit a change, both ways."""

    down: Annotated[int, Field(ge=1, le=20)] = 3  # DOWN in a row
    retry: Duration = 2.0  # from one DOWN to the re-run
    up: Annotated[int, Field(ge=1, le=20)] = 2  # UP in a row ...
    up_gap: Duration = 10.0  # ... at least this long from the first to the last


class Defaults(Strict):
    """What a check profile leaves unsaid."""

    interval: Duration = 10.0
    timeout: Duration = 2.0
    confirm: Confirm = Confirm()


class QualityClass(Strict):
    """Above any of these a link is degraded.

    ``loss`` and ``jitter`` hold for round trips, and for each direction where it is measured alone;
    ``rtt`` is twice what one way may take.
    """

    loss: Annotated[float, Field(gt=0, le=1)] = 0.01
    jitter: Duration = 0.030
    rtt: Duration = 0.300
    baseline: bool = True  # far above its own usual RTT it is degraded, too


QUALITY_CLASSES: Mapping[str, QualityClass] = {
    "": QualityClass(),
    "fibre": QualityClass(),
    "submarine": QualityClass(rtt=0.4),
    "satellite": QualityClass(rtt=0.8),
    "mobile": QualityClass(loss=0.02, jitter=0.05, rtt=0.5),
}
"""The classes known without being defined; "" is for endpoints without a medium. Submarine cables
detour when one is cut, a GEO satellite is far, a mobile network shares its air: what is normal
there would cry wolf under fibre's limits."""


class Web(Strict):
    """Where the pages are served, and who may look and act there. Files are as history.path."""

    listen: str = "127.0.0.1:9838"  # host:port, [::1]:port
    tokens_file: str = ""  # whose programs may act; "": nobody's
    users_file: str = ""  # who may sign in; "": nobody
    session: Duration = 43_200.0  # how long after signing in: a shift, and its handing over
    private: bool = False  # whether looking asks for sign-in, too
    public_metrics: bool = False  # whether then /metrics is still for everybody
    proxies: Annotated[tuple[str, ...], Field(max_length=16)] = ()  # whose X-Forwarded-* counts
    tls_certificate_file: str = ""  # PEM, with what stands above it; "": no TLS
    tls_key_file: str = ""
    grafana: str = ""  # where a Grafana with our dashboards is, for links; "": nowhere


class History(Strict):
    """Where the memory is kept, and for how long."""

    path: str = "vcmon.db"  # relative to the settings file; once loaded absolute; "": no memory
    keep: Duration = 1830 * 86400.0  # intervals, incidents, figures of days
    keep_hours: Duration = 400 * 86400.0  # figures of hours
    keep_minutes: Duration = 8 * 86400.0  # figures of five minutes
    backup: bool = True  # a copy each night, beside the file


class Flapping(Strict):
    """When an endpoint that falls and rises again and again is called unstable."""

    changes: Annotated[int, Field(ge=2, le=100)] = 5  # so many within the window begin it
    calm: Annotated[int, Field(ge=1, le=100)] = 3  # fewer than this end it
    window: Duration = 1800.0


class Tracing(Strict):
    """Whether the way to endpoints is traced, to see where it breaks off."""

    trace: bool = True  # once when one falls
    daily: bool = True  # and once a day while it is well, to hold that against


class Incidents(Strict):
    """What makes several losses one incident."""

    together: Duration = 120.0  # onsets this close are one fall
    reopen: Duration = 900.0  # what comes back this soon is the same


@dataclass(frozen=True, slots=True)
class Settings:
    """One complete, valid configuration."""

    endpoints: tuple[Endpoint, ...]
    provinces: Mapping[str, Province]  # by slug, the Centre included
    vantage: str = "pusat"
    region: str = ""
    vantages: tuple[Vantage, ...] | None = None  # None: nobody but this one is known
    language: Literal["id", "en"] = "id"
    web: Web = Web()
    history: History = History()
    reports: Reports = Reports()
    defaults: Defaults = Defaults()
    flapping: Flapping = Flapping()
    incidents: Incidents = Incidents()
    path: Tracing = Tracing()
    maintenance: tuple[Maintenance, ...] = ()
    canaries: tuple[str, ...] = ()  # addresses
    quality: Mapping[str, QualityClass] = field(default_factory=lambda: dict(QUALITY_CLASSES))
    files: tuple[Path, ...] = ()  # everything that was read
