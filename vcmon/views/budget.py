"""How often somebody may be wrong: a bucket each that fills again by and by."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

KEYS_MAX = 1_024
"""Peers remembered; one that was forgotten has a full bucket again, all together have not."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Budget:
    """``burst`` at once, and ``rate`` a second in the long run, for each key."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Take one; 0.0, or the seconds after which there is one to take (none is taken then)."""
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        bucket.left = min(self._burst, bucket.left + max(0.0, now - bucket.at) * self._rate)
        bucket.at = now
        self._buckets[key] = bucket  # the last used is the last to be forgotten
        if len(self._buckets) > KEYS_MAX:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        bucket.left -= 1
        return 0.0

    def give_back(self, key: str) -> None:
        """It was not wrong after all."""
        if key in self._buckets:
            self._buckets[key].left += 1


def peer_key(address: str) -> str:
    """Who a peer is: its address; of IPv6 the network of 64 bits, which is one customer's."""
    try:
        it = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(it, IPv6Address):
        mapped = it.ipv4_mapped
        return str(mapped) if mapped else f"{int(it) >> 64:x}::/64"
    return str(it)
