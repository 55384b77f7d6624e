"""Shelf: the folder in which recordings are kept. For threads: all of it waits for the disk.

    shelf = Shelf(folder, key)
    size = shelf.write(part, size, stereo)    `size`: how much of the file is sound; 0: a new one
    shelf.parts("CA1")                        the files of a call, in order of time
    shelf.sound(path)                         the sound of one in pieces, opened if it is sealed
    shelf.opened(name, chunks)                the same of a file's bytes, as a bucket gives them
    shelf.wav(path)                           all of one as a WAV file
    shelf.files()                             all recordings, of all calls
    shelf.forget(["CA1"]), shelf.sweep(now)   how many files are gone
    shelf.others(["CA1"])                     the files of all other calls

A file is a stretch of a call on one line: a caller who was cut off and came back has two. Its name
has the call, unix ms at which it begins, and the unix time at which it is to be deleted (0: never).
Without a key it is a WAV file (mu-law, 8000 Hz, caller left, agent right) whose head is right after
each write, so a node that dies leaves one that plays. With a key it is sealed: pieces of AES-GCM,
each bound to its file and to its place in it (`aybiza.actors.recordings.sound`). What was written
only in part is written again in its place.

Files are 0600, in a folder that is made with 0700. Errors: `OSError`; `SealError` for a file that
is not opened by the key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aybiza.actors.recordings.part_names import SEALED, WAV, began, call_name, expires
from aybiza.actors.recordings.sound import (
    HEAD_BYTES,
    SIDES,
    SealError,
    chunks_of,
    head,
    opened,
    sealed,
)
from aybiza.config.private_files import check_private, private_file, private_folder
from aybiza.config.settings import Settings
from aybiza.speech.playout import BYTES_A_SECOND

KEY_BYTES: Final = 32
__all__ = ["KEY_BYTES", "Part", "SealError", "Shelf", "shelf"]


class Part(NamedTuple):
    """A stretch of a call's recording: it begins at unix time `began` and is deleted at `expires`,
    0: never."""

    call_id: str
    began: float
    expires: float

    @property
    def name(self) -> str:
        """Of its file, without the ending."""
        return f"{call_name(self.call_id)}.{int(self.began * 1000)}.{int(self.expires)}"


class Shelf:
    """See the module."""

    def __init__(self, folder: Path, key: bytes | None = None) -> None:
        self.folder = folder
        self._seal = AESGCM(key) if key is not None else None

    def __repr__(self) -> str:
        return f"Shelf({str(self.folder)!r}, sealed={self._seal is not None})"

    def write(self, part: Part, size: int, stereo: bytes) -> int:
        """See the module; returns how large the file is by now."""
        path = self.folder / (part.name + (WAV if self._seal is None else SEALED))
        if size == 0:
            private_folder(self.folder)
            private_file(path)
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "r+b") as file:
            file.truncate(size)
            file.seek(size)
            if self._seal is None:
                return _append(file, size, stereo)
            file.write(sealed(part.name, size, stereo, self._seal))
            return file.tell()

    def parts(self, call_id: str) -> list[Path]:
        """See the module."""
        return sorted(self._files(f"{call_name(call_id)}.*"), key=began)

    def seconds(self, path: Path) -> float:
        """How long a recording is, as near as its file's size tells."""
        return round(path.stat().st_size / (SIDES * BYTES_A_SECOND), 1)

    def sound(self, path: Path) -> Iterator[bytes]:
        """See the module: mu-law, a byte of the caller's and one of the agent's by turns."""
        check_private(path)
        return opened(path, chunks_of(path), self._seal)

    def opened(self, path: Path, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """See the module. `path`: its name, which the seal is bound to."""
        return opened(path, chunks, self._seal)

    def wav(self, path: Path) -> bytes:
        """See the module; for short ones."""
        stereo = b"".join(self.sound(path))
        return head(len(stereo)) + stereo

    def files(self) -> list[Path]:
        """See the module."""
        return self._files("*")

    def forget(self, call_ids: Iterable[str]) -> int:
        """See the module."""
        return sum(_remove(path) for call_id in call_ids for path in self.parts(call_id))

    def others(self, call_ids: Iterable[str]) -> list[Path]:
        """See the module."""
        known = {call_name(call_id) for call_id in call_ids}
        return [path for path in self._files("*") if path.stem.split(".")[0] not in known]

    def sweep(self, now: float) -> int:
        """See the module."""
        return sum(_remove(path) for path in self._files("*") if 0 < expires(path) <= now)

    def _files(self, pattern: str) -> list[Path]:
        found = self.folder.glob(pattern)
        return [path for path in found if expires(path) >= 0]


def shelf(settings: Settings) -> Shelf:
    """The one that the settings name; they have to name one."""
    assert settings.recordings is not None
    secret = settings.recordings_key
    key = bytes.fromhex(secret.get_secret_value()) if secret is not None else None
    return Shelf(settings.recordings, key)


def _append(file: BinaryIO, size: int, stereo: bytes) -> int:
    end = max(size, HEAD_BYTES) + len(stereo)
    file.write((head(0) if size == 0 else b"") + stereo)
    file.seek(0)
    file.write(head(end - HEAD_BYTES))
    return end


def _remove(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True
