"""What the documentation site is laid out of: its pages, its navigation, nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from aybiza.dialogue.conversation import Phase
from docs.draw_turns import arrows

ROOT = Path(__file__).parents[2]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))


def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "docs/site.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    site().lay(folder)
    return folder


def named(nav: Any) -> list[str]:
    match nav:
        case str():
            return [nav]
        case list():
            return [name for each in nav for name in named(each)]
    return [name for each in nav.values() for name in named(each)]


def test_the_navigation_names_every_page_and_no_other(laid: Path) -> None:
    pages = {str(path.relative_to(laid)) for path in laid.rglob("*.md")}
    alarms = {page for page in pages if page.startswith("docs/alarms/Aybiza")}
    assert set(named(CONFIG["nav"])) == pages - alarms


def test_links_between_pages_lead_to_pages(laid: Path) -> None:
    for page in laid.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_turn_machine_is_drawn_and_no_page_has_a_diagram_s_source(laid: Path) -> None:
    for page in laid.rglob("*.md"):
        assert "```mermaid" not in page.read_text(encoding="utf-8"), page.name
    assert "](turns.svg)" in (laid / "docs/turns.md").read_text(encoding="utf-8")
    drawn = ElementTree.parse(laid / "docs/turns.svg")
    sign = "{http://www.w3.org/2000/svg}"
    titles = {each.text for each in drawn.iterfind(f"{sign}path/{sign}title")}
    assert titles == {f"{one} to {to}: {', '.join(why)}" for (one, to), why in arrows().items()}
    assert {each.text for each in drawn.iterfind(f"{sign}text")} == {*Phase.__members__}


def test_every_alarm_has_a_page(laid: Path) -> None:
    rules = [rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]]
    assert {path.stem for path in (laid / "docs/alarms").glob("*.md")} == {"index", *rules}
    assert (laid / "docs/alarms/AybizaNodeDown.md").read_text().startswith("# AybizaNodeDown\n")


def test_every_module_of_the_reference_is_there() -> None:
    for modules in site().REFERENCE.values():
        for module in modules:
            assert (ROOT / "src" / f"{module.replace('.', '/')}.py").is_file(), module


def test_nothing_comes_from_another_host_and_every_broken_link_is_told() -> None:
    assert CONFIG["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript"} & set(CONFIG)
    # The theme fetches what draws Mermaid from elsewhere, so pages of the site have none.
    assert "pymdownx.superfences" in CONFIG["markdown_extensions"]
    assert set(CONFIG["validation"]["links"].values()) == {"warn"}
    build = next(
        line
        for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
        if "mkdocs build" in line
    )
    # Where it is quiet, its warnings are not counted either.
    assert "--strict" in build and "quiet" not in build and "-q" not in build
