"""``/sd/prometheus``: who is to be scraped, for Prometheus's http_sd_configs."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, RootModel

from vcmon.config.address import parse_address, split_listen
from vcmon.config.settings import Settings
from vcmon.config.vantages import Vantage
from vcmon.views.api import CONTENT_TYPE
from vcmon.views.client import client_of
from vcmon.views.sources import Sources


class TargetGroup(BaseModel):
    """One target with its labels; ``__scheme__`` is Prometheus's own word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: tuple[str, ...]
    labels: dict[str, str]


class TargetGroups(RootModel[tuple[TargetGroup, ...]]):
    """All vantages that the settings name, or this one."""


class Discovery:
    """The handler."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/sd/prometheus", self.prometheus)

    async def prometheus(self, request: web.Request) -> web.Response:
        """A list, empty where nobody is known: any other answer keeps Prometheus's old targets."""
        settings = self._sources.settings()
        known = settings.vantages
        if known is None:
            known = itself(settings, request.host, tls=client_of(request).secure)
        body = told(known).model_dump_json()
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=f"{body}\n".encode(), headers=headers)


def itself(settings: Settings, asked: str, *, tls: bool) -> tuple[Vantage, ...]:
    """The one asked, under the name that it was ``asked`` by (the Host): who asked reaches that.

    Nobody where that is no address.
    """
    try:
        if ":" in asked:
            split_listen(asked)
        else:
            parse_address(asked)
    except ValueError:
        return ()
    return (Vantage(vantage=settings.vantage, target=asked, region=settings.region, tls=tls),)


def told(vantages: tuple[Vantage, ...]) -> TargetGroups:
    """As Prometheus reads it. ``region`` is there when empty, too: one label set for all."""
    return TargetGroups(
        tuple(
            TargetGroup(
                targets=(each.target,),
                labels={
                    "vantage": each.vantage,
                    "region": each.region,
                    "__scheme__": "https" if each.tls else "http",
                },
            )
            for each in vantages
        )
    )
