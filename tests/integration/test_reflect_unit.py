"""The reflector's unit: systemd has nothing to say, little is exposed, it lives in there."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.fakes.figures import record
from tests.fakes.needs import needs
from tests.integration.test_systemd_units import ROOT, confined, hear_until, text

UNIT = ROOT / "systemd" / "vcmon-reflect.service"
EXPOSURE_MAX = 1.8  # of 10; a port below 1024 takes a capability, and so the host's own users


def test_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    """``systemd-analyze verify`` is silent on the unit."""
    needs("systemd-analyze", "systemd")
    unit = tmp_path / UNIT.name
    # The binary isn't installed on a build machine; all else is taken as it ships.
    unit.write_text(UNIT.read_text().replace("/opt/vcmon/bin/vcmon", sys.executable))
    assert text(["systemd-analyze", "verify", "--man=no", str(unit)]) == (0, "")


def test_little_is_exposed() -> None:
    """``systemd-analyze security`` says at most 1.8 of 10."""
    needs("systemd-analyze", "systemd")
    code, said = text(["systemd-analyze", "--no-pager", "security", "--offline=true", str(UNIT)])
    level = re.search(r"exposure level for vcmon-reflect\.service: ([\d.]+)", said)
    assert level, said
    record("reflector's exposure", level[1], f"<= {EXPOSURE_MAX}", float(level[1]) <= EXPOSURE_MAX)
    assert code == 0
    assert float(level[1]) <= EXPOSURE_MAX, said


def test_the_reflector_lives_inside_the_unit(tmp_path: Path) -> None:
    """vcmon reflect, confined: READY=1, WATCHDOG=1, the clock asked; SIGTERM ends it with 0."""
    notify = tmp_path / "notify"
    manager = {"NOTIFY_SOCKET": "/media/notify", "WATCHDOG_USEC": "4000000"}
    asked = ("-m", "vcmon", "reflect", "--listen", "127.0.0.1:18620")
    command = confined(tmp_path, *asked, unit=UNIT.name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(notify))
        notify.chmod(0o777)
        systemd.settimeout(1)
        with subprocess.Popen(command, env=os.environ | manager, stdin=subprocess.DEVNULL) as ran:
            try:
                heard = hear_until("WATCHDOG=1", systemd, ran)
                ran.terminate()
                heard += hear_until("STOPPING=1", systemd, ran)
                assert ran.wait(5) == 0
            finally:
                ran.kill()
    assert heard.index("READY=1") < heard.index("WATCHDOG=1") < heard.index("STOPPING=1")
