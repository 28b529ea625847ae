"""Check profiles, and the checks that an inventory cell asks for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vcmon.config.asks import ProbeParams
from vcmon.config.kinds import KINDS, NEVER, PARAMS
from vcmon.config.report import Place, Report
from vcmon.config.schema import needs_port, takes_port
from vcmon.config.secrets import Secret
from vcmon.config.text import shown
from vcmon.model.endpoint import Check, CheckId

MAX_CHECKS = 32
"""Checks on one endpoint; each is a probe every interval, so more is a mistake."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind with its parameters as written; what a check name stands for."""

    name: str
    kind: str
    interval: float  # seconds
    timeout: float  # seconds
    decides: bool | None = None  # None: by the kind and what stands beside it
    written: Mapping[str, Any] = field(default_factory=dict)  # valid against the kind's model
    secrets: Mapping[str, Secret] = field(default_factory=dict)  # by parameter, read


@dataclass(frozen=True, slots=True)
class Wanted:
    """One token of a ``checks`` cell, understood."""

    profile: Profile
    port: int | None
    params: ProbeParams


@dataclass(frozen=True, slots=True)
class Target:
    """The endpoint that checks are made for."""

    id: str
    province: str
    address: str


class Catalogue:
    """Every check name that can be used here: the kinds themselves and the file's profiles."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        self.profiles = profiles
        self._params: dict[
            tuple[str, int | None], ProbeParams
        ] = {}  # shared: most endpoints are alike

    def files(self) -> tuple[Path, ...]:
        """Every file that a secret was read from."""
        secrets = (each for one in self.profiles.values() for each in one.secrets.values())
        return tuple(dict.fromkeys(Path(each.path) for each in secrets))

    def checks(
        self, cell: str, target: Target, at: Place, report: Report
    ) -> tuple[Check[Any], ...]:
        """The checks that ``cell`` (``icmp sip:5070``) asks for; what is wrong is reported.

        A name that stands there once is the check's name; of a name that stands there more than
        once, each check is called name-port.
        """
        tokens = cell.split()
        if len(tokens) > MAX_CHECKS:
            report.add(at, f"expected at most {MAX_CHECKS} checks, found {len(tokens)}")
            return ()
        wanted = [each for token in tokens if (each := self._wanted(token, at, report))]
        named = dict(_named(wanted, at, report))
        if wanted and not any(decides(each, wanted) for each in wanted):
            report.add(at, "no check here decides, so this could never be down: let one decide")
        return tuple(
            Check(
                id=CheckId(target.id, name),
                province=target.province,
                kind=each.profile.kind,
                address=target.address,
                params=each.params,
                interval=each.profile.interval,
                timeout=each.profile.timeout,
                decides=decides(each, wanted),
                opening=each.params.opening,
            )
            for name, each in named.items()
        )

    def _wanted(self, token: str, at: Place, report: Report) -> Wanted | None:
        name, colon, written = token.partition(":")
        profile = self.profiles.get(name)
        if profile is None:
            report.add(at, self._unknown(name, report))
            return None
        port = None
        if colon:
            if not takes_port(profile.kind):
                report.add(at, f"{profile.kind} has no port: write {shown(name)}")
                return None
            if not (written.isascii() and written.isdigit() and 1 <= int(written[:9]) <= 65535):
                what = f"expected a port of 1 to 65535 after {shown(name + ':')}"
                report.add(at, f"{what}, found {shown(written)}")
                return None
            port = int(written)
        elif needs_port(profile.kind) and "port" not in profile.written:
            report.add(at, f"{shown(name)} needs a port: write it as {name}:1720")
            return None
        risk = KINDS[profile.kind].opt_in
        if risk and not profile.written:
            report.add(at, f"{shown(name)} can't stand here as it is: {risk}")
            return None
        params = self._make(profile, port)
        return Wanted(profile, getattr(params, "port", None), params)

    def _unknown(self, name: str, report: Report) -> str:
        known = ", ".join(self.profiles)
        return f"unknown check {shown(name)}; known are {known}" + report.nearest(
            name, self.profiles
        )

    def _make(self, profile: Profile, port: int | None) -> ProbeParams:
        key = (profile.name, port)
        if key not in self._params:
            written = dict(profile.written) | ({} if port is None else {"port": port})
            model = PARAMS[profile.kind]
            params = model.model_validate_json(json.dumps(written), strict=True)
            self._params[key] = params.model_copy(update=profile.secrets)
        return self._params[key]


def decides(one: Wanted, beside: list[Wanted]) -> bool:
    """Whether a check decides: as its profile says; else where no other does that goes before it.

    Services go before ICMP, that goes before STAMP; a kind of rank NEVER waits to be told.
    """
    if one.profile.decides is not None:
        return one.profile.decides
    rank = KINDS[one.profile.kind].rank
    return rank != NEVER and not any(
        each.profile.decides
        or (each.profile.decides is None and KINDS[each.profile.kind].rank < rank)
        for each in beside
        if rank > 0
    )


def _named(wanted: list[Wanted], at: Place, report: Report) -> Iterator[tuple[str, Wanted]]:
    times = Counter(each.profile.name for each in wanted)
    taken: set[str] = set()
    for each in wanted:
        name = each.profile.name
        if times[name] > 1 and each.port is not None:
            name = f"{name}-{each.port}"
        if name in taken:
            report.add(at, f"check {shown(name)} stands here twice: keep one")
            continue
        taken.add(name)
        yield name, each
