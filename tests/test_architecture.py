"""The house of docs/architecture.md, held up by reading the code's own syntax trees."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vcmon"

ROWS = (
    {"errors", "clock"},
    {"model"},
    {"config"},
    {"wire"},
    {"net"},
    {"probes"},
    {"engine"},
    {"state"},
    {"history"},
    {"readiness"},
    {"views"},
    {"systemd", "logs"},
    {"app"},
    {"lab"},
    {"commands"},
    {"cli"},
    {"__main__"},
)
"""From the ground up: a part imports from itself and from the rows before its own."""

FILE_MAX = 400  # lines
FUNCTION_MAX = 60  # lines; what is over FUNCTION_SOFT is named in the output
FUNCTION_SOFT = 30
PARAMETERS_MAX = 5  # besides self

NOW = {
    *(f"time.{name}" for name in ("time", "time_ns", "monotonic", "monotonic_ns")),
    *(f"time.{name}" for name in ("perf_counter", "perf_counter_ns", "clock_gettime")),
    *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
    "datetime.date.today",
}
DEADLINES = {"asyncio.timeout", "asyncio.timeout_at", "asyncio.wait_for"}
SPAWNS = {"create_task", "ensure_future"}


@dataclass(frozen=True)
class Module:
    """One file of the package, read."""

    path: Path
    tree: ast.Module
    lines: int

    @property
    def parts(self) -> tuple[str, ...]:
        """``("net", "deadline")`` of vcmon/net/deadline.py, ``("net",)`` of the package itself."""
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @property
    def name(self) -> str:
        return ".".join(("vcmon", *self.parts))

    def at(self, node: ast.AST) -> str:
        """Where a node is, clickable."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found.append(Module(path, ast.parse(text, str(path)), len(text.splitlines())))
    return tuple(found)


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: what stands under ``if TYPE_CHECKING`` is for people and mypy."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from nodes(other)
        else:
            yield from nodes(child)


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every module of vcmon that ``module`` imports, as a full dotted name."""
    known = {each.name for each in modules()}
    package = module.name if module.path.stem == "__init__" else module.name.rpartition(".")[0]
    for node in nodes(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                kept = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*kept, *([base] if base else [])])
            # "from vcmon.probes import dns" imports a module, "from vcmon.errors import X" a name.
            deeper = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in known else base for name in deeper]
        else:
            continue
        for name in names:
            if name == "vcmon" or name.startswith("vcmon."):
                yield node, name


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """``time.time`` of an expression, its first word looked up among the file's imports."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(words)])


def imported_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: ``dt`` -> ``datetime.datetime``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    return names


def uses(module: Module, forbidden: set[str]) -> list[str]:
    """Where ``module`` mentions one of the forbidden dotted names, under whatever alias."""
    names = imported_names(module.tree)
    return [
        f"{module.at(node)}: {name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node, names)) in forbidden
    ]


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def inside(module: Module, *places: str) -> bool:
    """Whether a module is one of the places, or within one."""
    return any(f"{'.'.join(module.parts)}.".startswith(f"{place}.") for place in places)


def no(problems: list[str], rule: str) -> None:
    assert not problems, rule + ":\n  " + "\n  ".join(problems)


def test_every_part_has_its_row() -> None:
    """A new part of the house is put on its row here, and in docs/architecture.md."""
    placed = set().union(*ROWS)
    no(sorted({m.parts[0] for m in modules() if m.parts} - placed), "parts without a row")


def test_imports_go_down_only() -> None:
    """A module imports from its own part and from the rows before it, from nowhere else."""
    row = {part: number for number, parts in enumerate(ROWS) for part in parts}
    problems = []
    for module in modules():
        if not module.parts:
            continue
        mine = module.parts[0]
        for node, name in imports(module):
            theirs = name.split(".")[1] if "." in name else ""
            if theirs and theirs != mine and row.get(theirs, 99) >= row.get(mine, -1):
                problems.append(f"{module.at(node)}: {mine} imports {name}")
    no(problems, "imports that go up")


def test_there_are_no_cycles() -> None:
    """No module imports itself by a detour, within a part either."""
    graph = {m.name: {name for _, name in imports(m)} - {m.name} for m in modules()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "cycle: " + " -> ".join((*trail[trail.index(name) :], name))
        if name in done:
            return
        for other in sorted(graph.get(name, ())):
            # Importing a package's part from its own __init__ is how a table is made of files.
            visit(other, (*trail, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_only_the_clock_asks_the_time() -> None:
    """Outside clock.py nobody asks the system's time, under whatever name it is imported."""
    problems = [use for m in modules() if not inside(m, "clock") for use in uses(m, NOW)]
    no(problems, "use vcmon.clock")


def test_one_deadline() -> None:
    """asyncio.timeout and wait_for invent outages; net/deadline.py is the one deadline."""
    elsewhere = [m for m in modules() if not inside(m, "net.deadline")]
    no([use for m in elsewhere for use in uses(m, DEADLINES)], "use vcmon.net.deadline")


def test_tasks_are_made_where_they_are_supervised() -> None:
    """Tasks begin in engine/, app.py and net/deadline.py, where their ends are seen, too."""
    problems = []
    for module in modules():
        if inside(module, "engine", "app", "net.deadline"):
            continue
        forbidden = SPAWNS - {"create_task"} if inside(module, "lab") else SPAWNS
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in forbidden:
                problems.append(f"{module.at(node)}: {node.attr}")
            elif isinstance(node, ast.Name) and node.id in forbidden:
                problems.append(f"{module.at(node)}: {node.id}")
    no(problems, "tasks made where nobody supervises them")


def test_files_are_short() -> None:
    """No file is over 400 lines."""
    long = [f"{m.path.relative_to(ROOT)}: {m.lines}" for m in modules() if m.lines > FILE_MAX]
    no(long, f"files over {FILE_MAX} lines")


def test_functions_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    """No function is over 60 lines; those over 30 are named, for whoever reviews."""
    sized = [(length(f), f"{m.at(f)}: {f.name}") for m in modules() for f in functions(m)]
    longish = sorted((each for each in sized if each[0] > FUNCTION_SOFT), reverse=True)
    with capsys.disabled():
        sys.stdout.writelines(f"\n{lines:4} lines  {where}" for lines, where in longish)
        sys.stdout.write("\n" if longish else "")
    no([f"{w}: {n} lines" for n, w in longish if n > FUNCTION_MAX], "functions to be split")


def test_functions_take_few_parameters() -> None:
    """At most five parameters besides self: more want to be a dataclass."""
    problems = []
    for module in modules():
        for function in functions(module):
            spec = function.args
            names = [a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)]
            names = [name for name in names if name not in {"self", "cls"}]
            if len(names) > PARAMETERS_MAX:
                problems.append(f"{module.at(function)}: {function.name} takes {len(names)}")
    no(problems, f"more than {PARAMETERS_MAX} parameters")


def test_nothing_is_global() -> None:
    """No function rebinds a module's names: state has an owner that can be handed over."""
    problems = [
        f"{m.at(node)}: global {', '.join(node.names)}"
        for m in modules()
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Global)
    ]
    no(problems, "global statements")


def probe_files() -> dict[str, Module]:
    """The files of probes/ that hold a probe, by name."""
    return {
        m.parts[1]: m
        for m in modules()
        if m.parts[:1] == ("probes",)
        and len(m.parts) == 2
        and any(isinstance(f, ast.AsyncFunctionDef) and f.name == "probe" for f in m.tree.body)
    }


def test_one_probe_is_one_file_and_one_line() -> None:
    """Each ``async def probe`` in probes/ is in the table, and the table holds nothing else."""
    from vcmon.probes import PROBES

    tabled = {probe.__module__.rpartition(".")[2] for probe in PROBES.values()}
    assert tabled == set(probe_files())
    assert all(probe.__name__ == "probe" for probe in PROBES.values())


def test_every_kind_has_its_parameters() -> None:
    """The table of probes and the table of parameters name the same kinds."""
    from vcmon.config.kinds import PARAMS
    from vcmon.probes import PROBES

    assert set(PROBES) == set(PARAMS)


def test_every_probe_has_its_tests() -> None:
    """Each file in probes/ has a test file of its name: test_probe_<name>.py, or in unit/probes."""
    tests = ROOT / "tests"
    tested: set[str] = set()
    for path in (*tests.rglob("test_probe*_*.py"), *(tests / "unit" / "probes").glob("test_*.py")):
        tested.update(path.stem.split("_"))
    no(sorted(set(probe_files()) - tested), "probes without a test file")
