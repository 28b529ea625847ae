"""The E-model, ITU-T G.107: what a narrowband telephone call over a link would be worth. Pure.

R runs from 0 to about 93, the mean opinion score (MOS) from 1 to 4.5. Both hold for narrowband
codecs with random loss and for nothing else: not for Opus or G.722, and never for video.

``r_reduced`` is the form that field tools use (R. G. Cole, J. H. Rosenbluth, "Voice over IP
performance monitoring", 2001). Its delay term is a fit that serves up to 300 ms; it is 3 too hard
at 400 ms, and 17 at 600. ``r_full`` is the algorithm of G.107 (02/2014) clause 7 itself, with all
parameters but delay, codec and loss at the defaults of clause 7.7. It goes for every delay, so it
is what vcmon shows; below 300 ms the two are within 0.9 of each other.

Delays are seconds, one way, from mouth to ear; loss is a share from 0 to 1.
"""

from __future__ import annotations

from math import exp, log10, sqrt
from typing import NamedTuple


class Codec(NamedTuple):
    """A codec by its impairments: G.113 appendix I."""

    name: str
    ie: float  # equipment impairment factor, Ie
    bpl: float  # packet-loss robustness factor, Bpl


G711_PLC = Codec("G.711 with concealment", 0.0, 25.1)
G711 = Codec("G.711 without concealment", 0.0, 4.3)
G729A = Codec("G.729A with VAD", 11.0, 19.0)

BEST = 93.2
"""R without delay and loss, all else at its default: G.107 clause 7.7."""

ADVANTAGE = 0.0
"""A: users of a fixed link forgive nothing for the sake of having it (clause 7.6)."""

SLR, RLR, STMR, LSTR, DS = 8.0, 2.0, 15.0, 18.0, 3.0
TELR, WEPL, QDU = 65.0, 110.0, 1.0
NC, NFOR, PS, PR = -70.0, -64.0, 35.0, 35.0
"""The other defaults of clause 7.7: loudness, echo, quantizing units, noises (dB, dBm0p)."""


def effective_impairment(codec: Codec, loss: float, burst: float = 1.0) -> float:
    """Ie,eff of a codec at a loss; ``burst`` is BurstR, 1 where losses fall at random.

    G.107 clause 7.5.
    """
    percent = 100 * loss
    return codec.ie + (95 - codec.ie) * percent / (percent / burst + codec.bpl)


def r_reduced(codec: Codec, delay: float, loss: float, burst: float = 1.0) -> float:
    """R by the fitted delay term; meant for delays up to 0.3 s."""
    return BEST - delay_reduced(delay) - effective_impairment(codec, loss, burst)


def delay_reduced(delay: float) -> float:
    """Id as Cole and Rosenbluth fitted it."""
    ms = 1000 * delay
    return 0.024 * ms + 0.11 * max(0.0, ms - 177.3)


def r_full(codec: Codec, delay: float, loss: float, burst: float = 1.0) -> float:
    """R by G.107 clause 7.1: Ro - Is - Id - Ie,eff + A."""
    ms = 1000 * delay
    impaired = LOUD + _sidetone(ms) + QUANTIZED + _talker_echo(ms) + _listener_echo(ms)
    return SIGNAL - impaired - _too_late(ms) - effective_impairment(codec, loss, burst) + ADVANTAGE


def mos(r: float) -> float:
    """The MOS of a rating: G.107 annex B, between 1 and 4.5.

    The polynomial dips below 1 between R = 0 and 6.5, where there is no score: 1 is told there.
    """
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6) if r > 0 else 1.0


def _noise() -> float:
    """No, all noises at the 0 dBr point, dBm0p: clause 7.2."""
    room = PS - SLR - DS - 100 + 0.004 * (PS - (SLR + RLR) - DS - 14) ** 2
    heard = PR + 10 * log10(1 + 10 ** ((10 - LSTR) / 10))
    at_ear = RLR - 121 + heard + 0.008 * (heard - 35) ** 2
    powers = (NC, room, at_ear, NFOR + RLR)
    return 10 * log10(sum(10 ** (each / 10) for each in powers))


NOISE = _noise()

SIGNAL = 15 - 1.5 * (SLR + NOISE)
"""Ro, the signal above the noise: clause 7.2."""


def _loud() -> float:
    """Iolr, what is impaired by too low a loudness rating: clause 7.3."""
    rating = SLR + RLR + 0.2 * (64 + NOISE - RLR)
    return float(20 * ((1 + (rating / 8) ** 8) ** (1 / 8) - rating / 8))


def _quantized() -> float:
    """Iq, what quantizing impairs: clause 7.3."""
    quality = 37 - 15 * log10(QDU)
    g = 1.07 + 0.258 * quality + 0.0602 * quality**2
    y = (SIGNAL - 100) / 15 + 46 / 8.4 - g / 9
    return 15 * log10(1 + 10**y + 10 ** (46 / 30 - g / 40))


LOUD, QUANTIZED = _loud(), _quantized()
"""With the sidetone they are Is, what is impaired together with the voice: clause 7.3."""


def _sidetone(ms: float) -> float:
    """Ist: clause 7.3."""
    side = -10 * log10(10 ** (-STMR / 10) + exp(-ms / 4) * 10 ** (-TELR / 10))
    return float(
        12 * (1 + ((side - 13) / 6) ** 8) ** (1 / 8)
        - 28 * (1 + ((side + 1) / 19.4) ** 35) ** (1 / 35)
        - 13 * (1 + ((side - 3) / 33) ** 13) ** (1 / 13)
        + 29
    )


def _talker_echo(ms: float) -> float:
    """Idte, of Id (clause 7.4); none below 1 ms."""
    if ms < 1:
        return 0.0
    echo = TELR - 40 * log10((1 + ms / 10) / (1 + ms / 150)) + 6 * exp(-0.3 * ms**2)
    difference = (-1.5 * (NOISE - RLR) - (80 + 2.5 * (echo - 14))) / 2
    return (difference + sqrt(difference**2 + 100) - 1) * (1 - exp(-ms))


def _listener_echo(ms: float) -> float:
    """Idle, of Id: the round trip of a connection of four wires is twice its delay."""
    rating = float(10.5 * (WEPL + 7) * (2 * ms + 1) ** -0.25)
    difference = (SIGNAL - rating) / 2
    return difference + sqrt(difference**2 + 169)


def _too_late(ms: float) -> float:
    """Idd, of Id: delay that is too long even without any echo; none to 100 ms."""
    if ms <= 100:
        return 0.0
    x = log10(ms / 100) / log10(2)
    return float(25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2))


# ---- what a call over a link that was measured would be worth

PACKET = 0.020
"""Seconds of speech in a packet of G.711: it is complete only when the last of it was said."""

BUFFER_LEAST, BUFFER_MOST = 0.040, 0.120
"""Seconds that a receiver holds packets back, whatever the jitter: two packets, six."""


def mouth_to_ear(rtt: float, jitter: float) -> float:
    """Seconds one way on a symmetric path: half the round trip, a packet, the jitter buffer.

    The buffer is taken to be twice the jitter, as adaptive ones come to be.
    """
    return rtt / 2 + PACKET + min(BUFFER_MOST, max(BUFFER_LEAST, 2 * jitter))


def one_way(loss: float) -> float:
    """The loss each way that makes this loss of round trips, the same both ways."""
    return 1 - sqrt(max(0.0, 1 - loss))


def estimated_mos(rtt: float, jitter: float, loss: float) -> float:
    """The MOS that a G.711 call with concealment would have: RTT and jitter in seconds, loss one
    way. An estimate: nobody has spoken.
    """
    return mos(r_full(G711_PLC, mouth_to_ear(rtt, jitter), loss))
