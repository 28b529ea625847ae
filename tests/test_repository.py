"""What stands around the code: it tells the truth, and leads where it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest

from vcmon import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HOMES = re.compile(r"/(?:home/[a-z]|root/|Users/[A-Za-z])")
REGISTRIES = re.compile("|".join((r"pypi\." + "org", "pythonhosted" + r"\.", "npmjs" + r"\.")))


@cache
def files() -> tuple[Path, ...]:
    """Everything that is, or could be, committed."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    run = subprocess.run([*command, "--exclude-standard"], capture_output=True, check=False)
    if run.returncode == 0:
        names = os.fsdecode(run.stdout).split("\0")
        return tuple(ROOT / name for name in names if name and (ROOT / name).is_file())
    made = {".venv", ".git", "build", "dist", "__pycache__", ".mypy_cache", ".ruff_cache"}
    return tuple(
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not made & set(path.relative_to(ROOT).parts)
    )


def texts() -> list[tuple[Path, str]]:
    """The text files among them; pictures and the like have no words to check."""
    found = []
    for path in files():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def slug(heading: str) -> str:
    """The anchor that a forge makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_documented_make_commands_exist() -> None:
    """Every ``make x`` that a page tells people to type is in the Makefile."""
    told: dict[str, str] = {}
    for path, text in texts():
        if path.suffix == ".md":
            for name in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE):
                told[name] = path.name
    assert {"demo", "test"} <= set(told)
    assert {name: page for name, page in told.items() if name not in targets()} == {}


def test_make_help_lists_what_there_is() -> None:
    """``make`` alone lists every target that is meant for people."""
    run = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make ([a-z-]+)", run.stdout, re.MULTILINE))
    assert targets() - listed == {"install", "install-dev", "peers"}


def test_every_link_leads_somewhere() -> None:
    """Links between pages name files and headings that exist."""
    broken = []
    for path, text in texts():
        if path.suffix != ".md":
            continue
        for link in LINK.findall(text):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            there = (path.parent / name).resolve() if name else path
            if not there.exists():
                broken.append(f"{path.relative_to(ROOT)}: {link}")
            elif anchor and anchor not in map(
                slug, re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            ):
                broken.append(f"{path.relative_to(ROOT)}: no heading for {link}")
    assert broken == []


def test_the_changelog_tells_this_version() -> None:
    """The version of the code has its section in CHANGELOG.md."""
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_names_the_machine_it_was_made_on() -> None:
    """No file carries this checkout's path, somebody's home, or a registry's host name."""
    found = []
    for path, text in texts():
        if str(ROOT) in text and str(ROOT) not in {"/", "/opt", "/tmp", "/srv"}:
            found.append(f"{path.relative_to(ROOT)}: {ROOT}")
        found += [f"{path.relative_to(ROOT)}: {m}" for m in HOMES.findall(text)]
        found += [f"{path.relative_to(ROOT)}: {m}" for m in REGISTRIES.findall(text)]
    assert found == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_and_hashes_all(name: str) -> None:
    """Each line of a lock is one version with its hashes; no option, no address of a registry."""
    text = (ROOT / name).read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 20
    loose = [
        x for x in lines if not re.match(r"[a-z0-9-]+==\S+( +--hash=sha256:[0-9a-f]{64})+$", x)
    ]
    assert loose == []
    assert "://" not in text


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    """A dependency added to pyproject.toml without ``make lock`` is found here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = {
        LOCKS[0]: [*project["dependencies"], *optional["demo"], "hatchling", "editables"],
        LOCKS[1]: [*project["dependencies"], *optional["demo"], *optional["dev"]],
    }
    for name, requirements in wanted.items():
        pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text(), re.MULTILINE))
        asked = {re.split(r"[<>=\[; ]", each)[0].lower() for each in requirements} - {"vcmon"}
        assert {each.replace(".", "-").replace("_", "-") for each in asked} <= pinned, name


def test_both_locks_agree() -> None:
    """What is tested is what runs: the development lock has the same versions."""
    pins = [
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE)) for name in LOCKS
    ]
    assert pins[0] <= pins[1]


def test_the_wheel_holds_data_pages_and_licence(tmp_path: Path) -> None:
    """A built wheel has every file of the package, the licence, and nothing of the tests."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"vcmon-{__version__}-py3-none-any.whl"
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {str(p.relative_to(ROOT)) for p in files() if p.is_relative_to(ROOT / "vcmon")}
    assert package <= held
    assert {"vcmon/data/provinces.csv", "vcmon/py.typed"} <= held
    assert any(name.startswith("vcmon/views/templates/") for name in held)
    assert any(name.startswith("vcmon/views/static/") for name in held)
    assert any(name.endswith("/LICENSE") for name in held)
    assert not any(name.startswith("tests") for name in held)


GUARDED = """
import asyncio, socket
import vcmon

SOURCE = compile("import time; time.sleep(0.001)", vcmon.__file__, "exec")
KEPT = []

async def test_blocks_and_swallows_the_alarm():
    try:
        exec(SOURCE)
    except Exception:
        pass

async def test_leaves_a_task():
    KEPT.append(asyncio.get_running_loop().create_task(asyncio.sleep(60)))

async def test_leaves_a_socket():
    KEPT.append(socket.socket())

async def test_is_clean():
    await asyncio.create_task(asyncio.sleep(0))
"""


def test_the_guards_of_conftest_bite(tmp_path: Path) -> None:
    """Blocking the loop from vcmon's code, a task or a socket left behind: each fails its test."""
    (tmp_path / "test_guarded.py").write_text(GUARDED)
    options = [
        "-q",
        "-p",
        "tests.conftest",
        "-c",
        str(ROOT / "pyproject.toml"),
        f"--rootdir={ROOT}",
    ]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_guarded.py")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    failed = set(re.findall(r"^ERROR .*::(test_\w+)", run.stdout, re.MULTILINE))
    assert failed == {
        "test_blocks_and_swallows_the_alarm",
        "test_leaves_a_task",
        "test_leaves_a_socket",
    }, run.stdout


def test_ci_hides_nothing() -> None:
    """.ci/run is the checks and the tests, in words that a reader sees at once."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = [x for x in script.read_text().splitlines() if not x.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "make check", "make test"]
