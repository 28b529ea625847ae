"""Hostile bytes without a coverage-guided engine: seeded, so that a find can be had again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tests.fuzz.target import Target

EDGES = (0x00, 0x01, 0x0A, 0x0D, 0x20, 0x7F, 0x80, 0x81, 0xC0, 0xFE, 0xFF)
"""Bytes where lengths, signs and text begin and end."""

CHANGES_MAX = 6
"""Changes to one input: with more, hardly any gets past the first field."""

RAW_SHARE = 0.02
"""Inputs that begin from nothing but chance."""

_Change = Callable[[random.Random, bytearray], None]


def inputs(target: Target, seed: int) -> Iterator[bytes]:
    """Endless inputs: the seeds as they are, then changed ones."""
    chance = random.Random(seed)
    yield b""
    yield from target.seeds
    while True:
        yield _changed(target, chance)


def _changed(target: Target, chance: random.Random) -> bytes:
    if chance.random() < RAW_SHARE:
        return chance.randbytes(chance.randrange(min(target.longest, 600) + 1))
    data = bytearray(chance.choice(target.seeds))
    for _ in range(chance.randint(1, CHANGES_MAX)):
        if data and chance.random() < 0.1:
            other = chance.choice(target.seeds)
            data[chance.randrange(len(data)) :] = other[chance.randrange(len(other) + 1) :]
        elif data:
            chance.choice(_CHANGES)(chance, data)
        else:
            data += chance.randbytes(3)
    return bytes(data[: target.longest])


def _flip(chance: random.Random, data: bytearray) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _edge(chance: random.Random, data: bytearray) -> None:
    data[chance.randrange(len(data))] = chance.choice(EDGES)


def _step(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    data[at] = (data[at] + chance.choice((-2, -1, 1, 2))) % 256


def _insert(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.randbytes(chance.randint(1, 6))


def _cut(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.randint(1, 12)]


def _end(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data)) :]


def _repeat(chance: random.Random, data: bytearray) -> None:
    """A piece again and again: what a bound is for."""
    at = chance.randrange(len(data))
    piece = data[at : at + chance.randint(1, 40)]
    data[at:at] = piece * chance.choice((1, 1, 2, 3, 30, 500))


_CHANGES: tuple[_Change, ...] = (_flip, _flip, _edge, _edge, _step, _insert, _cut, _end, _repeat)
