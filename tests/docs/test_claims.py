"""What the pages say of names and figures is so: whatever stands in code type is a name of ours or
of somebody who is known, files are there, defaults are those of the settings, anchors are headings.

A name is ours if it occurs anywhere in what is run, set or tested. So a page cannot tell of a log
event, a metric, a field or a function that there is none of.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from aybiza.config.settings import Settings
from aybiza.gateway.admission import rules
from tests.docs.test_readme import INLINE, TEXTS
from tests.test_repository import files

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
DEFAULT = re.compile(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)` \((\d[\d,.]*|on|off)(?=[ ,;)])")
FILE = re.compile(r"`([\w./-]+/[\w.-]+\.(?:py|toml|md|yaml|json|sh|conf|tf))`")
PATH = re.compile(r"`(?:(?:GET|POST|PUT|DELETE) )?(/(?!var/|etc/|dev/|proc/|usr/)[a-z_/]+)`")
OTHERS = set(
    WORD.findall(
        """SO_REUSEPORT malloc_trim system_monitor long_message_queue net_kernel register_name
        whereis_name change_callback_module net_ticktime start_phases select_replace safe_fixtable
        code_change change_code gen_event disk_log set_lock max_heap_size min_heap_size
        send_request format_status proc_lib DeepgramTTS timeout_threshold thinking_budget_tokens
        audio_complete ListBucket"""
    )
)
"""Names of Erlang, Elixir, the specification, and other people's programs."""
TOYS = {"test_y", "x/y.py", "counted_store", "toy_codec"}
"""What somebody who reads the page writes."""


def prose(page: str) -> str:
    """A page without its blocks of code, which tests of their own run."""
    return re.sub(r"```.*?```", "", TEXTS[page], flags=re.DOTALL)


@cache
def known() -> frozenset[str]:
    """Every word of what is not a page, and of the names of files."""
    words: set[str] = set()
    for path in files():
        told = path.relative_to(ROOT)
        words.update(WORD.findall(told.as_posix()))
        page = told.parts[0] == "docs" or path.suffix in (".md", ".wav", ".gz")
        if not page and told != Path("tests/docs/test_claims.py"):
            words.update(WORD.findall(path.read_text(encoding="utf-8", errors="ignore")))
    return frozenset(words | OTHERS | TOYS)


def unknown(page: str) -> list[str]:
    """The names in code type that there are none of: plain words may be anybody's."""
    named = {(word, code) for code in INLINE.findall(prose(page)) for word in WORD.findall(code)}
    # An ellipsis stands for what was named before it.
    return sorted(
        f"{word} in `{code}`"
        for word, code in named
        if (("_" in word) or not (word.islower() or word.istitle()))
        and word.removesuffix("_") not in known()
        and word not in known()
        and not (code.startswith("…") and any(one.endswith(word) for one in known()))
    )


@pytest.mark.parametrize("page", TEXTS)
def test_every_name_in_code_type_is_one(page: str) -> None:
    assert unknown(page) == []


@pytest.mark.parametrize("page", TEXTS)
def test_every_file_that_is_named_is_there(page: str) -> None:
    for name in FILE.findall(prose(page)):
        if not ({name, *WORD.findall(name)} & TOYS or name.startswith(("/", "build/"))):
            places = (ROOT / name, (ROOT / page).parent / name)
            assert any(place.exists() for place in places), name


@cache
def answered() -> str:
    """What is not a page, as one text: a path that is answered stands in it between quotes."""
    kinds = {".py", ".conf", ".yaml", ".js"}
    return "\n".join(
        path.read_text(encoding="utf-8", errors="ignore")
        for path in files()
        if path.suffix in kinds and path.relative_to(ROOT).parts[0] not in ("docs", "tests")
    )


def is_answered(path: str) -> bool:
    """Whether a path stands there whole, or its last part and what is above it do."""
    above, _, last = path.rpartition("/")
    text = answered()
    return f'"{path}' in text or (bool(above) and f'"{above}' in text and f'"{last}"' in text)


@pytest.mark.parametrize("page", TEXTS)
def test_every_path_that_is_named_is_answered(page: str) -> None:
    assert [path for path in PATH.findall(prose(page)) if not is_answered(path)] == []


def defaults() -> dict[str, object]:
    """Each setting's default; where that is none, what a guarded door takes."""
    guarded = {name: value for name, value in vars(rules).items() if name.startswith("GUARDED_")}
    names = {
        str(field.validation_alias or name).upper(): (name, field.default)
        for name, field in Settings.model_fields.items()
    }
    return {
        variable: guarded.get(f"GUARDED_{name.upper()}") if default is None else default
        for variable, (name, default) in names.items()
    }


def told(default: object) -> str:
    """A default as a page writes it."""
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, (int, float)) else str(default)


@pytest.mark.parametrize("page", TEXTS)
def test_every_default_that_is_told_is_that_of_the_setting(page: str) -> None:
    ours = defaults()
    for name, value in DEFAULT.findall(prose(page)):
        assert told(ours[name]) == value.replace(",", ""), name


def anchors(page: str) -> set[str]:
    """The headings of a page, as links name them."""
    heads = re.findall(r"^#+ (.+)$", TEXTS[page], re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.replace(" ", "-") for head in plain}


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_into_a_page_leads_to_a_heading(page: str) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", TEXTS[page]):
        there = (ROOT / page).parent / target if target else ROOT / page
        name = there.resolve().relative_to(ROOT).as_posix()
        assert anchor in anchors(name), f"{target}#{anchor}"


def test_pages_state_defaults_and_a_wrong_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(DEFAULT.search(prose(page)) for page in TEXTS)
    monkeypatch.setitem(TEXTS, "README.md", "The log has `node_gaveup_utterly` of `VM`.")
    assert unknown("README.md") == ["node_gaveup_utterly in `node_gaveup_utterly`"]
    assert is_answered("/readyz") and is_answered("/_emulator/pace")
    assert not is_answered("/metrix") and not is_answered("/_emulator/pase")
