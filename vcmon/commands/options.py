"""A command's options as one dataclass, where there are many."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar, get_type_hints

T = TypeVar("T")


def with_options(kind: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """The command takes one ``kind``; typer sees each of its fields as an option."""

    def decorate(command: Callable[[T], None]) -> Callable[..., None]:
        def taken(**given: object) -> None:
            command(kind(**given))

        hints = get_type_hints(kind, include_extras=True)
        fields = inspect.signature(kind).parameters.values()
        parameters = [
            each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for each in fields
        ]
        taken.__name__, taken.__doc__ = command.__name__, command.__doc__
        taken.__annotations__ = {each.name: hints[each.name] for each in fields}
        taken.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # it takes
        return taken

    return decorate
