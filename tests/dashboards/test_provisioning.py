"""The files that give Grafana its data sources and dashboards, as far as can be told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from ruamel.yaml import YAML

from dashboards.rules.plan import PRODUCTION
from tests.dashboards.grafana_files import ROOT

FOLDER = ROOT / "dashboards" / "provisioning"


class Strict(BaseModel):
    """Grafana ignores a key that it does not know: here it is refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class SourceOptions(Strict):
    http_method: Literal["POST"] | None = None
    prometheus_type: Literal["Prometheus"] | None = None
    time_interval: str | None = None
    manage_alerts: bool | None = None
    alertmanager_uid: str | None = None
    implementation: Literal["prometheus"] | None = None
    handle_grafana_managed_alerts: bool | None = None


class Source(Strict):
    name: str
    uid: str
    type: Literal["prometheus", "alertmanager"]
    access: Literal["proxy"]
    url: str
    is_default: bool = False
    editable: Literal[False]
    json_data: SourceOptions


class Sources(Strict):
    api_version: Literal[1]
    datasources: list[Source]


class ProviderOptions(Strict):
    path: str
    folders_from_files_structure: bool


class Provider(Strict):
    name: str
    org_id: Literal[1]
    folder: str
    folder_uid: str
    type: Literal["file"]
    disable_deletion: Literal[True]
    allow_ui_updates: Literal[False]
    update_interval_seconds: int
    options: ProviderOptions


class Providers(Strict):
    api_version: Literal[1]
    providers: list[Provider]


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


def sources() -> list[Source]:
    return Sources.model_validate(read(FOLDER / "datasources" / "vcmon.yml")).datasources


def test_the_sources_are_what_grafana_takes() -> None:
    """Known keys, one default, uids that differ, addresses with a scheme, none of them secret."""
    all_of_them = sources()
    assert sum(each.is_default for each in all_of_them) == 1
    assert len({each.uid for each in all_of_them}) == len(all_of_them)
    assert all(re.fullmatch(r"https?://[\w.:-]+", each.url) for each in all_of_them)


def test_prometheus_knows_its_alertmanager() -> None:
    """The uid that it names is that of a data source here."""
    alertmanagers = {each.uid for each in sources() if each.type == "alertmanager"}
    named = {uid for each in sources() if (uid := each.json_data.alertmanager_uid)}
    assert named == alertmanagers == {"vcmon-alertmanager"}


def test_rates_look_back_over_the_interval_that_is_scraped_with() -> None:
    """Rules are evaluated as often as vcmon is scraped; Grafana is told the same."""
    intervals = {each.json_data.time_interval for each in sources() if each.type == "prometheus"}
    assert intervals == {PRODUCTION.evaluation}


def test_the_provider_is_what_grafana_takes() -> None:
    """One folder, nothing that Grafana could change or delete, no second folder by the files."""
    (it,) = Providers.model_validate(read(FOLDER / "dashboards" / "vcmon.yml")).providers
    assert it.options.path.startswith("/")
    assert not it.options.folders_from_files_structure
    assert it.update_interval_seconds >= 10
