"""T26: kill -9 at any moment, again and again: what was acknowledged is there, the file whole."""

from __future__ import annotations

import os
import random
import select
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.figures import record
from tests.fakes.memory import no_packets, transition
from vcmon.clock import SystemClock
from vcmon.history import upkeep
from vcmon.history.base import ms
from vcmon.history.recorder import Recorder
from vcmon.history.scribe import Rules
from vcmon.history.store import Store
from vcmon.history.writer import Writer
from vcmon.model.status import State, Uplink

SERIES = 8
LIFE = 0.12  # seconds a child may write after its first acknowledgement
BIRTH = 5.0  # seconds it has until then


def writes_until_killed(path: Path, out: int) -> None:
    """The child: a change a tick, and each one's time told once its transaction is done."""
    clock = SystemClock()
    writer = Writer(Rules(path, reserve=4096), clock)
    writer.start()
    writer.opened(BIRTH)
    recorder = Recorder(writer, clock)
    assert writer.recovered is not None
    recorder.adopt(writer.recovered, writer.recovered.current.keys())
    number = 0
    while True:
        number += 1
        series = f"endpoint:e{number % SERIES}"
        state = list(State)[number // SERIES % 4]  # never the one that it was
        recorder.transition(transition(series, state, clock.wall()))
        recorder.tick(Uplink(), no_packets)
        beat = recorder.current()[series].start
        while writer.figures().written_at < beat or writer.figures().waiting:
            time.sleep(0.0002)
        os.write(out, struct.pack("!Bd", number % SERIES, beat))


@dataclass
class Toll:
    """What 200 kills did."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    corrupt: int = 0


def one_life(path: Path, rng: random.Random) -> list[tuple[str, float]]:
    """Let a child write for a random while, kill it; all that it acknowledged."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        try:
            writes_until_killed(path, theirs)
        finally:
            os._exit(1)
    os.close(theirs)
    try:
        ready, _, _ = select.select([ours], [], [], BIRTH)
        assert ready, "the child wrote nothing"
        time.sleep(rng.random() * LIFE)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    said = b""
    while piece := os.read(ours, 65536):
        said += piece
    os.close(ours)
    size = struct.calcsize("!Bd")
    whole = len(said) // size * size
    return [(f"endpoint:e{n}", at) for n, at in struct.iter_unpack("!Bd", said[:whole])]


def judge(path: Path, said: list[tuple[str, float]], toll: Toll) -> None:
    """Look for what was acknowledged, and at the file."""
    store = Store.open(path)
    starts = {
        series: {ms(i.start) for i in store.intervals(series, said[0][1] - 1, 1e11)}
        for series in {series for series, _ in said}
    }
    toll.lost += sum(ms(at) not in starts[series] for series, at in said)
    toll.acknowledged += len(said)
    toll.corrupt += bool(upkeep.faults(store) + upkeep.overlaps(store))
    toll.kills += 1
    store.close()


def killed(path: Path, times: int) -> Toll:
    rng, toll = random.Random(26), Toll()
    for _ in range(times):
        judge(path, one_life(path, rng), toll)
    return toll


@pytest.mark.catalogue("T26")
def test_200_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """200 times kill -9 while a change a tick is written: 0 acknowledged lost, none corrupt."""
    path = tmp_path / "m.db"
    toll = killed(path, 200)
    figure = f"{toll.lost} lost of {toll.acknowledged}, {toll.corrupt} corrupt, {toll.kills} kills"
    record("T26", figure, "0 lost, 0 corrupt, 200 kills", toll.lost == toll.corrupt == 0)
    assert toll.acknowledged > 1000
    assert (toll.lost, toll.corrupt) == (0, 0)
