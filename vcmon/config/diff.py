"""What a reload changes; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from vcmon.config.settings import Settings
from vcmon.model.endpoint import Check, CheckId, Endpoint

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Changes:
    """Endpoints by id and checks by CheckId; what is in none of them keeps its state.

    An endpoint is changed when any column but its checks is; a check when anything of it is, its
    endpoint's address and province included. ``settings`` names the other fields of Settings
    that differ.
    """

    endpoints_added: tuple[str, ...] = ()
    endpoints_removed: tuple[str, ...] = ()
    endpoints_changed: tuple[str, ...] = ()
    checks_added: tuple[CheckId, ...] = ()
    checks_removed: tuple[CheckId, ...] = ()
    checks_changed: tuple[CheckId, ...] = ()
    settings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Changes()

    def told(self) -> dict[str, str]:
        """The same for a log line: only what there is, at most NAMED names of each."""
        parts = {
            "added": self.endpoints_added,
            "removed": self.endpoints_removed,
            "changed": self.endpoints_changed,
            "checks_added": self.checks_added,
            "checks_removed": self.checks_removed,
            "checks_changed": self.checks_changed,
            "settings": self.settings,
        }
        return {name: _few(names) for name, names in parts.items() if names}


NAMED = 10
"""Names in one field of a log line; a new inventory has thousands."""


def _few(names: Sequence[object]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return " ".join(str(name) for name in names[:NAMED]) + more


def diff(old: Settings, new: Settings) -> Changes:
    """What is added, removed and changed from ``old`` to ``new``, in the order of the files."""
    endpoints = _compare(_endpoints(old), _endpoints(new))
    checks = _compare(_checks(old), _checks(new))
    apart = {"endpoints", "files"}
    names = [each.name for each in dataclasses.fields(Settings) if each.name not in apart]
    others = tuple(name for name in names if getattr(old, name) != getattr(new, name))
    return Changes(*endpoints, *checks, others)


def _endpoints(settings: Settings) -> Mapping[str, Endpoint]:
    return {each.id: dataclasses.replace(each, checks=()) for each in settings.endpoints}


def _checks(settings: Settings) -> Mapping[CheckId, Check[Any]]:
    return {check.id: check for endpoint in settings.endpoints for check in endpoint.checks}


def _compare(
    old: Mapping[K, V], new: Mapping[K, V]
) -> tuple[tuple[K, ...], tuple[K, ...], tuple[K, ...]]:
    added = tuple(key for key in new if key not in old)
    removed = tuple(key for key in old if key not in new)
    changed = tuple(key for key in new if key in old and new[key] != old[key])
    return added, removed, changed
