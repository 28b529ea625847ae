"""Files in, one frozen Settings out, or every problem at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcmon.config import vantages, web
from vcmon.config.address import is_page, parse_canary
from vcmon.config.document import Document, Loc, dotted, parse_document
from vcmon.config.endpoints import Vocabulary, build_endpoints
from vcmon.config.inventory import Row, read_rows
from vcmon.config.profiles import ProfileReader, refuse_extremes
from vcmon.config.provinces import provinces
from vcmon.config.report import Place, Report
from vcmon.config.schema import QualityFields, SettingsFile
from vcmon.config.settings import QUALITY_CLASSES, History, QualityClass, Settings
from vcmon.config.source import Source, read_source
from vcmon.config.text import shown
from vcmon.config.validate import unsaid, validate
from vcmon.config.windows import Scopes, build_windows
from vcmon.errors import ConfigError, Problem
from vcmon.model.endpoint import Endpoint
from vcmon.model.memory import Maintenance


@dataclass(frozen=True, slots=True)
class Parts:
    """What the files say, read once, before the endpoints are made of it."""

    file: SettingsFile
    words: Vocabulary
    quality: Mapping[str, QualityClass]
    rows: tuple[Row, ...]
    complete: bool  # every row of every inventory could be read
    files: tuple[Path, ...]
    at: tuple[Document, Source, Report]

    def windows(self, endpoints: tuple[Endpoint, ...]) -> tuple[Maintenance, ...]:
        """The maintenance windows over these endpoints; what is wrong is reported."""
        scopes = Scopes.of(endpoints, complete=self.complete)
        return build_windows(self.file.maintenance, scopes, self.at)

    def settings(
        self, endpoints: tuple[Endpoint, ...], windows: tuple[Maintenance, ...] = ()
    ) -> Settings:
        """The settings with these endpoints and windows."""
        file = self.file
        return Settings(
            endpoints=endpoints,
            provinces=provinces(),
            vantage=file.vantage,
            region=file.region,
            vantages=file.vantages,
            language=file.language,
            web=web.placed(file.web, self.files[0].parent),
            history=self._history(),
            reports=file.reports,
            defaults=file.defaults,
            flapping=file.flapping,
            incidents=file.incidents,
            path=file.path,
            maintenance=windows,
            canaries=tuple(map(parse_canary, file.canaries)),
            quality=self.quality,
            files=self.files,
        )

    def _history(self) -> History:
        written = self.file.history
        return written.model_copy(update={"path": self._beside(written.path)})

    def _beside(self, name: str) -> str:
        """The file's absolute name, as seen from the settings file; "" stays ""."""
        return str((self.files[0].parent / name).absolute()) if name else ""


def load(path: Path) -> Settings:
    """The settings in ``path`` with every inventory that it includes; each file is read once.

    Raises ConfigError with all that is wrong in any of the files.
    """
    report = Report()
    parts = read_parts(path, report)
    endpoints = build_endpoints(parts.rows, parts.words, report, complete=parts.complete)
    windows = parts.windows(endpoints)
    report.raise_any()
    return parts.settings(endpoints, windows)


def read_parts(path: Path, report: Report) -> Parts:
    """Everything in ``path`` and its inventories; problems inside go into the report.

    Raises ConfigError where ``path`` itself can't be read or is not YAML.
    """
    source = read_source(path, Place(str(path)), report)
    document = parse_document(source, report) if source is not None else None
    if source is None or document is None:
        report.raise_any()
        raise ConfigError([Problem(str(path), 0, "", "can't be read")])
    return _Reader(document, source, report).parts()


class _Reader:
    """Reads the main file's document."""

    def __init__(self, document: Document, source: Source, report: Report) -> None:
        self._document = document
        self._source = source
        self._report = report
        self._at = (document, source, report)

    def parts(self) -> Parts:
        data = unsaid(self._document.data)
        if not isinstance(data, dict):
            what = f"expected keys, at least 'include: [inventaris.csv]', found {shown(data)}"
            self._report.add(self._source.at(1), what)
            self._report.raise_any()
        refuse_extremes(data, (), self._at)
        file = self._file(data)
        self._check_file(file)
        # Profiles and classes by what is written: a wrong one is told once, not at each use too.
        profiles = {k: v for k, v in _mapping(data, "checks").items() if isinstance(v, dict)}
        checks = ProfileReader(*self._at, file.defaults).catalogue(profiles)
        quality = _quality(file.quality)
        media = tuple(dict.fromkeys((*quality, *_mapping(data, "quality"))))
        for key, what in file.reports.oddities(media, provinces()):
            self._wrong(("reports", *key), what)
        rows, complete, files = self._inventories(file.include)
        words = Vocabulary(checks, media)
        files = (self._source.path, *files, *checks.files())
        return Parts(file, words, quality, rows, complete, files, self._at)

    def _file(self, data: dict[str, Any]) -> SettingsFile:
        whole = validate(SettingsFile, data, (), self._at)
        if whole is not None:
            return whole
        # Go on with the keys that are right, so that the inventories are checked as well.
        sound: dict[str, Any] = {"include": []}
        for key, value in data.items():
            alone = {"include": ["-"], key: value}
            if validate(SettingsFile, alone, (), (self._document, self._source, Report())):
                sound[key] = value
        if sound["include"]:
            return SettingsFile.model_validate_json(json.dumps(sound), strict=True)
        usable = SettingsFile.model_validate_json(json.dumps(sound | {"include": ["-"]}))
        return usable.model_copy(update={"include": ()})

    def _check_file(self, file: SettingsFile) -> None:
        for key, what in web.oddities(file.web):
            self._wrong(("web", *key), what)
        for key, what in vantages.oddities(file.vantages or ()):
            self._wrong(("vantages", *key), what)
        for index, canary in enumerate(file.canaries):
            self._try(("canaries", index), parse_canary, canary)
            if canary in file.canaries[:index]:
                self._wrong(("canaries", index), f"{shown(canary)} stands here twice: keep one")
        if file.history.path and not file.history.path.strip():
            self._wrong(("history", "path"), "expected the name of a file, or '' for no memory")
        if file.web.grafana and not is_page(file.web.grafana):
            self._wrong(
                ("web", "grafana"), "expected an address as https://grafana.example/, or ''"
            )
        if file.defaults.timeout > file.defaults.interval:
            self._wrong(("defaults", "timeout"), "the timeout is longer than the interval")
        if file.flapping.calm > file.flapping.changes:
            what = f"expected at most 'changes' ({file.flapping.changes})"
            self._wrong(("flapping", "calm"), f"{what}, found {file.flapping.calm}")

    def _inventories(
        self, include: tuple[str, ...]
    ) -> tuple[tuple[Row, ...], bool, tuple[Path, ...]]:
        rows: list[Row] = []
        complete = bool(include)
        files: dict[str, Path] = {}
        for index, name in enumerate(include):
            path = self._source.path.parent / name
            place = self._source.at(self._document.line(("include", index)), f"include[{index}]")
            if os.path.normpath(path) in files:
                self._report.add(place, f"{shown(name)} is included twice: keep one")
                continue
            source = read_source(path, place, self._report)
            if source is None:
                complete = False
                continue
            files[os.path.normpath(path)] = path
            found = read_rows(source, self._report)
            rows.extend(found.rows)
            complete = complete and found.complete
        if complete and not rows:
            self._wrong(("include",), "no endpoint at all in these files: add at least one row")
        return tuple(rows), complete, tuple(files.values())

    def _try(self, loc: Loc, parse: Callable[[str], object], text: str) -> None:
        try:
            parse(text)
        except ValueError as error:
            self._wrong(loc, f"{error}; found {shown(text)}")

    def _wrong(self, loc: Loc, what: str) -> None:
        self._report.add(self._source.at(self._document.line(loc), dotted(loc)), what)


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _quality(written: Mapping[str, QualityFields]) -> Mapping[str, QualityClass]:
    """The built-in classes overlaid by the file's, value by value."""
    classes = dict(QUALITY_CLASSES)
    for name, fields in written.items():
        base = classes.get(name, classes["fibre"])
        classes[name] = base.model_copy(update=fields.model_dump(exclude_none=True))
    return classes
