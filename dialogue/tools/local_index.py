"""A full-text index of one's own documents, in SQLite: knowledge search without a cloud.

    index = LocalIndex()                      # in memory; or LocalIndex("knowledge.sqlite3")
    index.add_folder("documents")             # .md and .txt
    await index.search("cancellation fee", 3)

Contract: documents are cut into passages at headings and blank lines; a search finds the passages
that hold any of the words, in any inflection that the English stemmer knows, best first. Adding a
document again replaces it. `search` works in a thread; the other methods block, and belong before
the event loop has calls to carry.
Errors: `KnowledgeError` says which file and why.
Source: SQLite FTS5, `bm25` and the tokenizers porter and unicode61.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aybiza.config.text_file import text_of
from aybiza.dialogue.tools.knowledge import Passage

SUFFIXES: Final = (".md", ".txt")
_PASSAGE_CHARACTERS: Final = 900
_MOST_WORDS: Final = 24

_SCHEMA: Final = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages"
    " USING fts5(title, text, source UNINDEXED, tokenize = 'porter unicode61')"
)
# A heading that fits says more than a text that does.
_QUERY: Final = (
    "SELECT title, text, source FROM passages WHERE passages MATCH ?"
    " ORDER BY bm25(passages, 4.0, 1.0) LIMIT ?"
)
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*#*$")
# Words that stand everywhere; left out where others are left.
_EVERYWHERE: Final = frozenset(
    _WORD.findall(
        "a about an and any are at be by can do does for from have how i in is it me my of on or"
        " our please tell that the their there they this to us was we what when where which who"
        " why will with would you your"
    )
)


class KnowledgeError(Exception):
    """The index cannot be read or written; the text is for people."""


class LocalIndex:
    """See the module. `path` is the index's own file; ":memory:" keeps it in the process."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        self.path = str(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, source: str, text: str, title: str = "") -> int:
        """Index a document in place of an earlier one of the same `source`; how many passages it
        has."""
        passages = list(passages_of(text, title or source))
        with self._using() as connection, connection:
            connection.execute("DELETE FROM passages WHERE source = ?", (source,))
            connection.executemany(
                "INSERT INTO passages VALUES (?,?,?)",
                [(heading, piece, source) for heading, piece in passages],
            )
        return len(passages)

    def add_folder(self, folder: str | Path) -> int:
        """Index the .md and .txt files of a folder and its sub-folders; how many there are."""
        root = Path(folder)
        if not root.is_dir():
            raise KnowledgeError(f"{root}: is no folder")
        files = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
        for path in files:
            text = text_of(path, KnowledgeError)
            self.add(str(path.relative_to(root)), text, path.stem.replace("_", " "))
        return len(files)

    async def search(self, query: str, limit: int) -> list[Passage]:
        """The best passages; none for a question without words."""
        return await asyncio.to_thread(self.find, query, limit)

    def find(self, query: str, limit: int) -> list[Passage]:
        """The same, and blocks."""
        wanted = expression(query)
        if not wanted:
            return []
        with self._using() as connection:
            rows = connection.execute(_QUERY, (wanted, limit)).fetchall()
        return [Passage(*row) for row in rows]

    def close(self) -> None:
        """Close the file; a later call opens it again, and an index in memory is gone."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = sqlite3.connect(self.path, check_same_thread=False)
                    self._connection.execute(_SCHEMA)
                yield self._connection
            except sqlite3.Error as fault:
                raise KnowledgeError(f"{self.path}: {fault}") from fault


def expression(query: str) -> str:
    """What FTS5 is asked: any of the words, none of its operators."""
    words = [word.lower() for word in _WORD.findall(query)]
    telling = [word for word in words if word not in _EVERYWHERE] or words
    return " OR ".join(f'"{word}"' for word in list(dict.fromkeys(telling))[:_MOST_WORDS])


def passages_of(text: str, title: str) -> Iterator[tuple[str, str]]:
    """The pieces of a document, each with the heading that it stands under."""
    heading, piece = title, ""
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        lines: list[str] = []
        for line in block.strip().splitlines():
            found = _HEADING.match(line.strip())
            if found is None:
                lines.append(line.strip())
                continue
            piece = " ".join(filter(None, (piece, *lines)))
            if piece:
                yield heading, piece
            heading, piece, lines = f"{title}: {found['title']}", "", []
        paragraph = " ".join(lines)
        if piece and len(piece) + len(paragraph) > _PASSAGE_CHARACTERS:
            yield heading, piece
            piece = ""
        piece = " ".join(filter(None, (piece, paragraph)))
        while len(piece) > _PASSAGE_CHARACTERS:
            cut = piece.rfind(" ", 0, _PASSAGE_CHARACTERS)
            cut = cut if cut > 0 else _PASSAGE_CHARACTERS
            yield heading, piece[:cut]
            piece = piece[cut:].strip()
    if piece:
        yield heading, piece
