"""Aligned PER (ITU-T X.691), as much of it as H.225.0 asks for; sans-I/O.

Reading costs time and memory in proportion to the bytes that are there, whatever they claim.
"""

from __future__ import annotations

from vcmon.errors import ProbeError
from vcmon.model.result import Blame, Reason

_SMALL_BITS = 6  # a "normally small" number; larger ones take another form that H.225.0 never needs


class Reader:
    """Takes bits and octets in order. Every method raises ProbeError ``protocol`` at their end."""

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0  # bits
        self._end = len(data) * 8

    def bits(self, count: int) -> int:
        """The next ``count`` bits as a number."""
        begin, end = self._at, self._at + count
        if end > self._end:
            raise wrong(f"{len(self._data)} bytes that end within a field")
        self._at = end
        taken = int.from_bytes(self._data[begin >> 3 : (end + 7) >> 3], "big")
        return taken >> (-end % 8) & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.bits(1) == 1

    def flags(self, count: int) -> tuple[bool, ...]:
        """The next ``count`` bits, one by one: what a sequence says of its optional parts."""
        value = self.bits(count)
        return tuple(bool(value >> place & 1) for place in reversed(range(count)))

    def octets(self, count: int) -> bytes:
        """``count`` octets from the next octet boundary on."""
        begin = (self._at + 7) >> 3
        if begin + count > len(self._data):
            raise wrong(f"{len(self._data)} bytes that end within a field")
        self._at = (begin + count) * 8
        return self._data[begin : begin + count]

    def number(self, octets: int) -> int:
        """A number of a range that fills whole octets, such as 0 to 65535."""
        return int.from_bytes(self.octets(octets), "big")

    def length(self) -> int:
        """A length without an upper bound, below 16,384: nothing of ours comes in fragments."""
        first = self.number(1)
        if first < 0x80:
            return first
        if first >= 0xC0:
            raise wrong("a field in fragments of 16,384 octets")
        return (first & 0x3F) << 8 | self.number(1)

    def counted(self) -> bytes:
        """An octet string, or any field that is told by its length."""
        return self.octets(self.length())

    def choice(self, alternatives: int) -> int:
        """Which alternative follows, of an extensible choice with so many in its root.

        One at ``alternatives`` or above is an extension, and an open type: see :meth:`open`.
        """
        if self.flag():
            return alternatives + self._small()
        index = self.bits((alternatives - 1).bit_length())
        if index >= alternatives:
            raise wrong(f"alternative {index} of {alternatives}")
        return index

    def open(self) -> Reader:
        """A reader of the open type that follows."""
        return Reader(self.counted())

    def skip_extensions(self) -> None:
        """Pass over the additions of a sequence whose extension bit was set."""
        count = self.length() if self.flag() else self.bits(_SMALL_BITS) + 1
        for _ in range(self.bits(count).bit_count()):
            self.counted()

    def _small(self) -> int:
        if self.flag():
            raise wrong("a number of more than 63 where a small one belongs")
        return self.bits(_SMALL_BITS)


class Writer:
    """Puts bits and octets in order; what is too large for its field is the caller's mistake."""

    __slots__ = ("_bits", "_octets")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._bits = 0  # used of the last octet; 0: it is full

    def bits(self, value: int, count: int) -> None:
        """``value`` in ``count`` bits."""
        for place in reversed(range(count)):
            if self._bits == 0:
                self._octets.append(0)
            self._octets[-1] |= (value >> place & 1) << (7 - self._bits)
            self._bits = (self._bits + 1) % 8

    def octets(self, data: bytes) -> None:
        """``data`` from the next octet boundary on."""
        self._octets += data
        self._bits = 0

    def number(self, value: int, octets: int) -> None:
        """A number of a range that fills whole octets."""
        self.octets(value.to_bytes(octets, "big"))

    def counted(self, data: bytes) -> None:
        """``data`` after its length; at most 16,383 bytes."""
        size = len(data)
        self.octets(bytes([size]) if size < 0x80 else (size | 0x8000).to_bytes(2, "big"))
        self.octets(data)

    def extensions(self, known: int, present: dict[int, bytes]) -> None:
        """The additions of a sequence: ``known`` of them (at most 64), some present, encoded."""
        self.bits(known - 1, 1 + _SMALL_BITS)
        for index in range(known):
            self.bits(index in present, 1)
        for index in sorted(present):
            self.counted(present[index])

    def encoded(self) -> bytes:
        """Everything, the last octet filled with zeros."""
        return bytes(self._octets)


def wrong(found: str) -> ProbeError:
    """What every parser of H.323 raises."""
    return ProbeError(Reason.PROTOCOL, Blame.REMOTE, f"expected an H.323 message, found {found}")
