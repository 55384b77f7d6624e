"""Lays out what the documentation site is made of: `make docs` runs it, and MkDocs builds the rest.

    python -m docs.site build/docs

The folder is a copy of the repository's pages, each where it stands, so that their links hold; a
page for each alarm, cut out of `alerts.md`; a page of reference for each row of `REFERENCE`, which
mkdocstrings fills from the docstrings; and the turn machine, drawn from its table.

Errors: `SystemExit` where a page that the site names is missing.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from docs.draw_turns import on_site

ROOT: Final = Path(__file__).resolve().parents[1]
COPIED: Final = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/*.md", "deploy/README.md", "examples/*.toml"),
)
REFERENCE: Final[Mapping[str, tuple[str, ...]]] = {
    "runtime": (
        "aybiza.actors.runtime.vm",
        "aybiza.actors.runtime.gen_server",
        "aybiza.actors.runtime.gen_state_machine",
        "aybiza.actors.runtime.agent",
        "aybiza.actors.runtime.sys",
        "aybiza.actors.runtime.errors",
    ),
    "supervisors": (
        "aybiza.supervisors.child_spec",
        "aybiza.supervisors.supervisor",
        "aybiza.supervisors.dynamic_supervisor",
        "aybiza.supervisors.task_supervisor",
    ),
    "agents": ("aybiza.config.agents", "aybiza.config.settings"),
    "dialogue": ("aybiza.dialogue.journal", "aybiza.dialogue.transfer", "aybiza.dialogue.turns"),
    "diagnosis": (
        "aybiza.console.diagnosis.latency",
        "aybiza.console.diagnosis.call_tree",
        "aybiza.console.diagnosis.sip_trace",
        "aybiza.console.diagnosis.sip_rules",
        "aybiza.console.diagnosis.audio",
    ),
}
"""The pages of reference, and the modules of each."""

_LINK: Final = re.compile(r"\]\((?![a-z]+:|#)")
_ALARM: Final = re.compile(r"^## (\w+)$", re.MULTILINE)


def alarms(text: str) -> Iterator[tuple[str, str]]:
    """The name and the page of each alarm of `alerts.md`.

    >>> list(alarms("# Alerts\\n\\n## NodeDown\\n\\n*page.* Gone.\\n"))
    [('NodeDown', '# NodeDown\\n\\n*page.* Gone.\\n')]
    """
    parts = _ALARM.split(text)
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        yield name, f"# {name}\n\n{_LINK.sub('](../', body.strip())}\n"


def reference(title: str, modules: tuple[str, ...]) -> str:
    """A page of reference."""
    blocks = [f"## `{module}`\n\n::: {module}\n" for module in modules]
    return "\n".join([f"# {title.capitalize()}\n", *blocks])


def lay(folder: Path, root: Path = ROOT) -> list[Path]:
    """Lay all of it into a folder that is made anew; the pages that were made."""
    shutil.rmtree(folder, ignore_errors=True)
    made: list[Path] = []

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        made.append(path)

    for pattern in COPIED:
        found = sorted(root.glob(pattern))
        if not found:
            raise SystemExit(f"{root / pattern}: there is no such page")
        for path in found:
            write(str(path.relative_to(root)), path.read_text(encoding="utf-8"))
    names = []
    for name, page in alarms((root / "docs/alerts.md").read_text(encoding="utf-8")):
        write(f"docs/alarms/{name}.md", page)
        names.append(name)
    listed = "\n".join(f"- [{name}]({name}.md)" for name in names)
    write("docs/alarms/index.md", f"# Alarms\n\nA page for each of them.\n\n{listed}\n")
    for title, modules in REFERENCE.items():
        write(f"docs/reference/{title}.md", reference(title, modules))
    turns, drawn = on_site()
    write("docs/turns.md", turns)
    write("docs/turns.svg", drawn)
    return made


if __name__ == "__main__":
    lay(Path(sys.argv[1]))
