"""Reads what people write in YAML, and says in one way what cannot be read.

    table = table_of(text, "mine.yaml")             what a text says; a mapping
    line_of(text, ("says", 0, "when"))              the number of the line, from 1; None

YAML 1.1 as PyYAML's safe loader has it: `yes`, `no` and `on` without quotes are no text. A key that
stands twice is a fault, and so is an alias: what is written once is meant once. So is a number in
base 60, as which 12:30 without quotes would be read: it is meant as a time, and one of a thousand
parts takes long. A text has `MOST_CHARACTERS` at most: 100,000 take a second.

Contract: pure. Errors: `YamlError`, a `ValueError` whose text begins with `where`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from yaml import AliasEvent, MappingNode, Node, SafeLoader, SequenceNode, YAMLError
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

MOST_CHARACTERS: Final = 500_000
_NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class YamlError(ValueError):
    """A text is not YAML that can be read."""


class _Loader(SafeLoader):
    """Safe, and strict about what stands twice."""

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise ComposerError(None, None, "aliases are not taken", self.get_mark())
        return super().compose_node(parent, index)

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        if ":" in value and node.tag in _NUMBERS:
            told = f"{value[:20]!r} would be a number in base 60: put quotes around it"
            raise ConstructorError(None, None, told, node.start_mark)
        return value

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[object] = set()
        for key, _ in node.value:
            if key.value in keys:
                raise ConstructorError(None, None, f"{key.value!r} stands twice", key.start_mark)
            keys.add(key.value if isinstance(key.value, str) else None)
        return super().construct_mapping(node, deep)


def table_of(text: str, where: str) -> dict[str, Any]:
    """What a text says. See the module.

    >>> table_of("title: Books\\nfacts: {what: [a table]}", "mine.yaml")
    {'title': 'Books', 'facts': {'what': ['a table']}}
    """
    if len(text) > MOST_CHARACTERS:
        raise YamlError(f"{where}: is longer than {MOST_CHARACTERS} characters")
    loader = None
    try:
        loader = _Loader(text)
        table = loader.get_single_data()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        told = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise YamlError(f"{place}: is not YAML that can be read: {told}") from None
    except (RecursionError, ValueError, OverflowError) as error:
        told = "it is too deep" if isinstance(error, RecursionError) else str(error)
        raise YamlError(f"{where}: is not YAML that can be read: {told}") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(table, dict):
        raise YamlError(f"{where}: has to be a mapping, such as `title: Books a table`")
    return {str(key): value for key, value in table.items()}


def line_of(text: str, path: Sequence[Any]) -> int | None:
    """See the module; of a path that leads nowhere the line of the last part that is there.

    >>> line_of("title: Books\\nsays:\\n- when: x\\n  say: [5]", ("says", 0, "say", 0))
    4
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    line = None
    for part in path:
        parts = {key: (mark, inner) for key, mark, inner in _inner(node)}
        if part not in parts:
            break
        line, node = parts[part]
    return line


def _inner(node: Node | None) -> Iterator[tuple[Any, int, Node]]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield number, value.start_mark.line + 1, value
