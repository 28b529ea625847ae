"""What the stack starts, with which arguments: Debian's programs, and our webhook."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from dashboards.stack.places import Places
from dashboards.stack.processes import Program, StackError
from dashboards.stack.settings import Timing

SEARCH_PATH = "/usr/local/bin:/usr/bin:/usr/sbin:/bin"


def found(binary: str, package: str) -> str:
    """The path of a program. Raises StackError with the command that installs it."""
    path = shutil.which(binary, path=SEARCH_PATH)
    if path is None:
        raise StackError(
            f"{binary} is missing; run: apt-get install --no-install-recommends {package}"
        )
    return path


def prometheus(places: Places, timing: Timing, settings: Path) -> Program:
    """Prometheus with two days of its own memory; what is older is in the store."""
    data = settings.parent / "prometheus-data"
    argv = (
        found("prometheus", "prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=2d",
        f"--web.listen-address={places.prometheus}",
        "--web.enable-lifecycle",
        f"--rules.alert.resend-delay={timing.resend}",
        "--log.level=warn",
    )
    return Program("prometheus", argv, f"http://{places.prometheus}/-/ready")


def alertmanagers(places: Places, timing: Timing, settings: Path) -> tuple[Program, Program]:
    """Two that tell each other what was sent."""
    first, second = (_alertmanager(places, timing, settings, number) for number in (0, 1))
    return first, second


def _alertmanager(places: Places, timing: Timing, settings: Path, number: int) -> Program:
    name, gossip = f"alertmanager-{number + 1}", places.gossip[number]
    argv = (
        found("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={settings}",
        f"--storage.path={settings.parent / name}",
        f"--web.listen-address={places.alertmanagers[number]}",
        f"--cluster.listen-address={gossip}",
        f"--cluster.advertise-address={gossip}",
        f"--cluster.peer={places.gossip[1 - number]}",
        "--cluster.settle-timeout=5s",
        "--cluster.pushpull-interval=10s",
        f"--cluster.peer-timeout={timing.peer}",
        "--log.level=warn",
    )
    return Program(name, argv, f"http://{places.alertmanagers[number]}/-/ready")


def store(places: Places, directory: Path) -> Program:
    """VictoriaMetrics; its default retention is a month."""
    argv = (
        found("victoria-metrics", "victoria-metrics"),
        f"-storageDataPath={directory / 'victoria-metrics'}",
        f"-httpListenAddr={places.store}",
        "-retentionPeriod=5y",
        "-loggerLevel=WARN",
    )
    return Program("victoria-metrics", argv, f"http://{places.store}/health")


def webhook(places: Places, directory: Path) -> Program:
    """The receiver; it keeps what arrives in ``arrivals.jsonl``."""
    keep = directory / "arrivals.jsonl"
    module = (sys.executable, "-m", "dashboards.stack.webhook")
    command = (*module, "--listen", places.webhook, "--keep", str(keep))
    return Program("webhook", command, f"http://{places.webhook}/")


def vcmon(name: str, target: str, settings: Path) -> Program:
    """One vantage."""
    argv = (sys.executable, "-m", "vcmon", "run", "--config", str(settings))
    return Program(f"vcmon-{name}", argv, f"http://{target}/-/healthy")
