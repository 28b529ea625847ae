#!/usr/bin/env python3
"""Makes .venv from a lock file: install.py run|dev [VENV].

Every package is checked against its hash, and nothing is compiled here. A stamp in the
environment says what it was made from, so the second time costs nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
OLDEST = (3, 11)
BUILDERS = ("setuptools==",)
SOURCE_ONLY = "forbiddenfruit"  # pure Python that is published without a wheel; blockbuster's
SAFELY = (
    "--require-hashes",
    "--only-binary=:all:",
    f"--no-binary={SOURCE_ONLY}",
    "--no-build-isolation",
)
GATHERED = ("Collecting", "Processing", "Requirement already")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def fail(text: str) -> None:
    sys.stderr.write(f"error: {text}\n")
    sys.exit(1)


def check_python() -> None:
    """Stop with what to do where this Python can't make the environment."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:2]))
        fail(f"vcmon needs Python 3.11 or newer, found {found}; say which: make PYTHON=python3.11")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        fail("Python's venv module is missing; run: apt-get install python3-venv")


def fingerprint(kind: str) -> str:
    """What an environment of this kind is made from: the lock, the package, Python, the place."""
    digest = hashlib.sha256()
    for name in (LOCKS[kind], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{sys.version}\0{ROOT}".encode())
    return digest.hexdigest()


def up_to_date(venv: Path, kind: str) -> bool:
    """Whether ``venv`` already holds all that ``kind`` asks for (``dev`` holds ``run`` too)."""
    stamp = venv / f"vcmon-{kind}.stamp"
    alive = (venv / "bin" / "vcmon").exists() and (venv / "bin" / "python").exists()
    return alive and stamp.exists() and stamp.read_text() == fingerprint(kind)


def pip(venv: Path, *arguments: str, total: int = 0) -> None:
    """Run pip in the environment, counting what it gathers; its words are shown if it fails."""
    command = [str(venv / "bin" / "python"), *PIP, *arguments]
    words: list[str] = []
    done = 0
    with subprocess.Popen(  # noqa: S603 - our own interpreter, with arguments written here
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            words.append(line)
            if line.startswith(GATHERED) and total:
                done += 1
                progress(done, total)
            elif line.startswith("Installing collected") and total:
                say("\n      unpacking them" if sys.stdout.isatty() else "      unpacking them")
    if process.returncode:
        fail("pip failed:\n" + "".join(words[-40:]))


def progress(done: int, total: int) -> None:
    """One line that is written over on a terminal; every tenth package elsewhere."""
    if sys.stdout.isatty():
        say(f"\r      {done} of {total} packages", end="")
    elif done % 10 == 0:
        say(f"      {done} of {total} packages")


def install(venv: Path, kind: str) -> None:
    """Make or complete the environment, telling each step."""
    begun = time.monotonic()
    version = ".".join(map(str, sys.version_info[:3]))
    lock = LOCKS[kind]
    total = sum("==" in line for line in (ROOT / lock).read_text().splitlines())
    if not works(venv):
        say(f"[1/3] making {venv.name} with Python {version}")
        make = [sys.executable, "-m", "venv", "--clear", str(venv)]
        if subprocess.run(make, check=False, stdin=subprocess.DEVNULL).returncode:  # noqa: S603 - as above
            fail("Python could not make the environment; run: apt-get install python3-venv")
    else:
        say(f"[1/3] {venv.name} is there")
    say(f"[2/3] installing {total} packages from {lock}, each checked against its hash")
    if kind == "dev":
        install_builders(venv)
    pip(venv, "install", *SAFELY, "-r", lock, total=total)
    say("[3/3] installing vcmon itself, in place")
    pip(venv, "install", "--no-deps", "--no-build-isolation", "-e", ".")
    for each in (kind, "run"):
        (venv / f"vcmon-{each}.stamp").write_text(fingerprint(each))
    say(f"ready after {time.monotonic() - begun:.0f} s")


def install_builders(venv: Path) -> None:
    """What builds the one package without a wheel: pip alone would fetch these unchecked."""
    lock = (ROOT / LOCKS["dev"]).read_text().replace("\\\n", "")
    lines = [line for line in lock.splitlines() if line.startswith(BUILDERS)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write("\n".join(lines))
        wanted.flush()
        pip(venv, "install", *SAFELY, "-r", wanted.name)


def works(venv: Path) -> bool:
    """Whether the environment was made here, by this Python: a copied or outdated one is not."""
    python, pip_script = venv / "bin" / "python", venv / "bin" / "pip"
    if not python.exists() or not pip_script.exists():
        return False
    if str(venv) not in pip_script.read_text().partition("import")[0]:
        return False
    ask = [str(python), "-c", "import sys; print(sys.version)"]
    run = subprocess.run(ask, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    return run.stdout.strip() == sys.version.strip()


def main() -> None:
    check_python()
    kind = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind not in LOCKS:
        fail("expected run or dev; use: make demo, make test")
    venv = ROOT / (sys.argv[2] if len(sys.argv) > 2 else ".venv")
    if not up_to_date(venv, kind):
        install(venv, kind)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)  # half an environment has no stamp: the next run completes it
