"""Alert rules, the dashboard and the page about alerts name what there is, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from aybiza.actors.measures.metrics_actor import METRICS
from aybiza.config.settings import FIELDS
from aybiza.console import cli
from tests.test_floors import ROOT

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/aybiza.json").read_text())
PAGE = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
SCRAPED = {"job", "instance", "le"}
"""Labels that Prometheus and its histograms add."""
OTHERS = {"up", "process_resident_memory_bytes"}

_METRIC = re.compile(r"\b(aybiza_[a-z_]+|up|process_[a-z_]+)\b(?:\{([^}]*)\})?")
_BY = re.compile(r"\b(?:by|without|on) \(([^)]*)\)")
_LABEL = re.compile(r'([a-z_]+)\s*(?:=~|!~|!=|=)\s*"[^"]*"')


def expressions() -> Iterator[tuple[str, str]]:
    """Where an expression stands, and what it is."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]


def declared(name: str) -> str:
    """The metric that a sample's name belongs to."""
    for suffix in ("_bucket", "_count", "_sum"):
        whole = name.removesuffix(suffix)
        if whole in METRICS and METRICS[whole].kind == "histogram":
            return whole
    return name


@pytest.mark.parametrize(("where", "expr"), list(expressions()))
def test_an_expression_has_metrics_that_exist_with_labels_that_they_have(
    where: str, expr: str
) -> None:
    bare = re.sub(r'"[^"]*"', '""', expr)
    assert bare.count("(") == bare.count(")") and bare.count("{") == bare.count("}")
    named = [(found[1], found[2] or "") for found in _METRIC.finditer(_BY.sub("", expr))]
    assert named
    labels: set[str] = set()
    for name, matchers in named:
        if name in OTHERS:
            continue
        metric = METRICS[declared(name)]
        assert (metric.kind == "histogram") == (declared(name) != name), name
        known = {*metric.labels, *SCRAPED}
        assert set(_LABEL.findall(matchers)) <= known, name
        labels |= known
        if metric.kind == "counter":
            assert re.search(rf"(rate|increase)\({name}\b", expr), f"{name} is a counter"
    for grouped in _BY.findall(expr):
        assert {label.strip() for label in grouped.split(",")} <= labels


def test_an_alert_about_what_must_never_happen_knows_its_first_time() -> None:
    """A counter with labels is not there before it first counts, and so has not increased."""
    found = 0
    for rule in RULES:
        for selector, name, span in re.findall(
            r"increase\(((\w+)(?:\{[^}]*\})?)\[(\w+)\]\)\) > 0", rule["expr"]
        ):
            assert METRICS[name].labels
            first = f"{selector} unless {selector} offset {span}) > 0"
            assert first in rule["expr"], rule["alert"]
            found += 1
    assert found >= 6


def test_what_a_legend_shows_is_what_its_expression_keeps() -> None:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            shown = set(re.findall(r"\{\{([a-z_]+)\}\}", target["legendFormat"]))
            kept = {part.strip() for by in _BY.findall(target["expr"]) for part in by.split(",")}
            assert shown <= kept | {"instance"}, panel["title"]


def test_the_dashboard_can_be_read_by_grafana() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids) and DASHBOARD["schemaVersion"] >= 36
    cells = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(cells)) == len(cells)
    (variable,) = DASHBOARD["templating"]["list"]
    assert variable["name"] == "datasource"
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"]["uid"] == "${datasource}"


def test_each_alert_has_a_section_that_says_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == names
    for rule, section in zip(RULES, sections, strict=True):
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"] in section
        assert f"*{rule['labels']['severity']}.*" in section
        assert re.search(r"^1\. ", section, re.MULTILINE), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket", "info")


def test_the_page_names_settings_metrics_and_commands_that_exist() -> None:
    variables = set(re.findall(r"\b(?:AYBIZA|AWS|TWILIO)_[A-Z_]+\b", PAGE))
    assert variables and variables <= set(FIELDS)
    assert {declared(name) for name in re.findall(r"\baybiza_[a-z_]+", PAGE)} <= set(METRICS)
    commands = {command.name for command in cli.app.registered_commands}
    commands |= {group.name for group in cli.app.registered_groups}
    assert set(re.findall(r"`aybiza ([a-z]+)", PAGE)) <= commands


def test_every_metric_that_tells_of_trouble_has_an_alert() -> None:
    watched = {declared(found[1]) for rule in RULES for found in _METRIC.finditer(rule["expr"])}
    trouble = {name for name in METRICS if re.search("error|fail|crash|lost|blocked|full", name)}
    assert trouble - watched == {"aybiza_sink_failures_total"}
