"""Every text of the pages in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from vcmon.views import words
from vcmon.views.tongue import BAHASA, LOCALE, TONGUES

VIEWS = Path(words.__file__).parent
OTHERS = [lang for lang in TONGUES if lang != BAHASA.lang]
FIELDS = re.compile(r"{(\w*)}")


def _strings(node: ast.expr) -> Iterator[str]:
    """The texts of a literal, however deep; a mapping's keys are none."""
    if isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    elif isinstance(node, ast.Tuple | ast.List):
        for each in node.elts:
            yield from _strings(each)
    elif isinstance(node, ast.Dict):
        for each in node.values:
            yield from _strings(each)


def _said(path: Path) -> Iterator[str]:
    """What a module hands to ``say``; of reports only what isn't a key of their own table."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "say"
            and node.args
        ):
            yield from _strings(node.args[0])


def _tables() -> Iterator[str]:
    """The texts of ``words``, and the messages that pages are made of elsewhere."""
    for path, wanted in (
        (VIEWS / "words.py", re.compile(r"[A-Z_]+")),
        (VIEWS / "door_words.py", re.compile(r"[A-Z_]+")),
        (VIEWS / "meeting_words.py", re.compile(r"[A-Z_]+")),
        (VIEWS / "meeting_list.py", re.compile("DONE")),
        (VIEWS / "path_words.py", re.compile("SENTENCES|DIVERTED|DIVERTED_AT_ONCE|SILENT")),
        (VIEWS / "web.py", re.compile("TROUBLES")),
        (VIEWS / "report_words.py", re.compile("PLANE|COUNTS|CAUSES|MONTHS")),
        (VIEWS / "incident_face.py", re.compile("WHY")),
    ):
        for node in ast.parse(path.read_text("utf-8")).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            target = node.target if isinstance(node, ast.AnnAssign) else target
            named = isinstance(target, ast.Name) and wanted.fullmatch(target.id)
            if named and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                yield from _strings(node.value)
    for call in ast.walk(ast.parse((VIEWS / "report_face.py").read_text("utf-8"))):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Refusal":
            yield from (text for each in call.args for text in _strings(each))


def _templates() -> Iterator[str]:
    environment = Environment(autoescape=True)
    for path in (VIEWS / "templates").glob("*.html"):
        if path.name == "report.html":
            continue  # it says keys of report_words.PLANE
        for call in environment.parse(path.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                first = call.args[0]
                if isinstance(first, nodes.Const):
                    yield first.value


def texts() -> set[str]:
    """Every Indonesian text that may stand on a page."""
    modules = (path for path in VIEWS.glob("*.py") if not path.name.startswith("report_"))
    said = (text for path in modules for text in _said(path))
    known = {"–", *words.STATES}  # what is no text
    return {text for text in (*said, *_tables(), *_templates()) if text and text not in known}


def translations(lang: str) -> Mapping[str, str]:
    with (LOCALE / lang / "LC_MESSAGES" / "vcmon.po").open("rb") as file:
        messages = list(read_po(file, locale=lang))
    assert not [one.id for one in messages if one.id and one.fuzzy]
    return {str(one.id): str(one.string) for one in messages if one.id}


@pytest.mark.parametrize("lang", OTHERS)
def test_no_text_is_missing_and_none_is_left_over(lang: str) -> None:
    """What the pages say and what the catalogue has are the same, to the letter."""
    found = {text for text, said in translations(lang).items() if said}
    assert sorted(texts() - found) == []
    assert sorted(found - texts()) == []


@pytest.mark.parametrize("lang", OTHERS)
def test_what_is_filled_in_is_the_same(lang: str) -> None:
    """A translation names the same figures as the original, or a page would break on it."""
    for text, said in translations(lang).items():
        assert sorted(FIELDS.findall(text)) == sorted(FIELDS.findall(said)), text


@pytest.mark.parametrize("lang", OTHERS)
def test_states_and_reasons_stay_apart(lang: str) -> None:
    """No two states, and no two reasons, share their words."""
    tongue = TONGUES[lang]
    for table in (words.STATES, words.REASONS, words.ROLES):
        told = [tongue.say(text) for text in table.values()]
        assert len(set(told)) == len(told)
