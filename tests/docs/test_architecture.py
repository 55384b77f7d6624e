"""The picture of the supervision tree names every process that a node's supervisors are given."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/architecture.md"
STARTED = (
    *(
        "supervisors/application.py",
        "supervisors/call_session.py",
        "supervisors/model_supervisor.py",
    ),
    *("gateway/gateway.py", "console/node*.py"),
)
"""Where a node's tree is put together."""
CHILD = re.compile(r"\bchild\(\s*([A-Z]\w+)")


def picture() -> list[str]:
    """The names that stand in the page's tree, from above."""
    text = PAGE.read_text(encoding="utf-8")
    tree = text[text.index("    Application ") : text.index("A node is one OS process")]
    return [
        name
        for line in tree.splitlines()
        if (row := re.match(r"[ │├└─]*((?:[A-Z]\w+(?:, )?)+)", line))
        for name in row[1].split(", ")
    ]


def test_every_child_of_a_nodes_supervisors_stands_in_the_picture() -> None:
    given = {
        name
        for pattern in STARTED
        for path in ROOT.glob(pattern)
        for name in CHILD.findall(path.read_text(encoding="utf-8"))
    }
    assert len(given) > 20
    assert sorted(given - set(picture())) == []


def test_the_children_of_the_application_stand_in_the_order_in_which_they_start() -> None:
    source = (ROOT / "supervisors/application.py").read_text(encoding="utf-8")
    started = CHILD.findall(source[: source.index("async def count_calls")])
    drawn = [name for name in picture() if name in started]
    # The page has the door's actors below, and places calls ahead of them.
    assert drawn == started
