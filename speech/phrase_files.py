"""Kept phrases on disk: one file each in a folder, readable by their owner alone. For threads.

    write(folder, phrase, mulaw)
    for phrase, mulaw in read(folder): …

A file is written beside its place and then moved there, so what is read is whole. Of too many files
the oldest go. What is damaged, too large or no plain file is passed over.

Errors: `OSError` where the folder cannot be written; reading never fails.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from aybiza.config.private_files import private_folder
from aybiza.speech.phrases import PHRASE_BYTES, PHRASES, Phrase, file_name, packed, unpacked

_PATTERN = "*.mulaw"
# The head of a file: a voice and a text, which are short.
_HEAD_BYTES = 8192


def write(folder: Path, phrase: Phrase, mulaw: bytes) -> None:
    """Write the phrase down, in the place of what was kept of it before."""
    private_folder(folder)
    path = folder / file_name(phrase)
    new = folder / f".{path.name}.{os.getpid()}"
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(packed(phrase, mulaw))
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    for old in _newest_first(folder)[PHRASES:]:
        old.unlink(missing_ok=True)


def read(folder: Path) -> list[tuple[Phrase, bytes]]:
    """What is kept in the folder, the oldest first."""
    found = []
    for path in reversed(_newest_first(folder)[:PHRASES]):
        with contextlib.suppress(OSError), open(os.open(path, _READ), "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                continue  # nobody else puts words into an agent's mouth
            data = file.read(PHRASE_BYTES + _HEAD_BYTES + 1)
            kept = unpacked(data)
            if kept is not None:
                found.append(kept)
    return found


# Not through a link, and never waiting for the other end of a pipe.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def _newest_first(folder: Path) -> list[Path]:
    dated = []
    with contextlib.suppress(OSError):
        for path in folder.glob(_PATTERN):
            with contextlib.suppress(OSError):
                dated.append((path.lstat().st_mtime_ns, path))
    return [path for _, path in sorted(dated, reverse=True)]
