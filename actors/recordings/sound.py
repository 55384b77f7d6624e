"""The sound of a recording, read and written a piece at a time, however long it is. For threads.

    opened(name, chunks, seal)      its stereo pieces; `chunks`: the bytes of its file, in order
    sealed(name, at, stereo, seal)  a piece as it stands at this place of a sealed file
    save(sound, file)               pieces to a WAV file
    head(size)                      the head of a WAV file with so many bytes of sound

Stereo is mu-law, a byte of the caller's and one of the agent's by turns. A file that was cut off in
the midst of a piece has the whole pieces before it.

Errors: `SealError` for what is no recording, or is not opened by the key; what `chunks` raises.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aybiza.actors.recordings.part_names import SEALED
from aybiza.speech.playout import BYTES_A_SECOND

CHUNK_BYTES: Final = 64 * 1024
SIDES: Final = 2
MAGIC: Final = b"AYBIZA1\n"
MOST_PIECE: Final = 16 * 1024 * 1024
"""No piece is so long: it is the sound of some seconds."""
_MULAW: Final = 7
_NONCE: Final = 12
_LENGTH: Final = struct.Struct("<I")
_HEAD: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
HEAD_BYTES: Final = _HEAD.size


class SealError(Exception):
    """A recording cannot be opened; the text is for people."""


class _Bytes:
    """Chunks, read as far as is wanted."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def read(self, size: int) -> bytes:
        """So many, or what is left."""
        while len(self._held) < size and (chunk := next(self._chunks, b"")):
            self._held += chunk
        found, self._held = self._held[:size], self._held[size:]
        return found


def opened(name: Path, chunks: Iterable[bytes], seal: AESGCM | None) -> Iterator[bytes]:
    """See the module. `name`: of the file, which the seal is bound to."""
    file = _Bytes(chunks)
    if name.suffix == SEALED:
        return _unsealed(name, file, seal)
    return _plain(name, file)


def chunks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _plain(name: Path, file: _Bytes) -> Iterator[bytes]:
    begin = file.read(HEAD_BYTES)
    if begin[:4] != b"RIFF" or begin[8:12] != b"WAVE":
        raise SealError(f"{name} is no recording")
    while piece := file.read(CHUNK_BYTES):
        yield piece[: len(piece) // SIDES * SIDES]


def _unsealed(name: Path, file: _Bytes, seal: AESGCM | None) -> Iterator[bytes]:
    if seal is None:
        raise SealError(f"{name} is sealed: set AYBIZA_RECORDINGS_KEY to the key it was made with")
    if file.read(len(MAGIC)) != MAGIC:
        raise SealError(f"{name} is no recording")
    changed = f"{name} is not opened by AYBIZA_RECORDINGS_KEY, or has been changed"
    at = len(MAGIC)
    while len(told := file.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(told)
        if length > MOST_PIECE:
            raise SealError(changed)
        body = file.read(length)
        if len(body) < length:
            # The node died in the midst of it.
            return
        try:
            yield seal.decrypt(body[:_NONCE], body[_NONCE:], f"{name.stem}:{at}".encode())
        except (InvalidTag, ValueError):  # a piece that is too short for any
            raise SealError(changed) from None
        at += _LENGTH.size + length


def sealed(name: str, at: int, stereo: bytes, seal: AESGCM) -> bytes:
    """See the module; behind `MAGIC` where it is the first."""
    first = MAGIC if at == 0 else b""
    nonce = os.urandom(_NONCE)
    body = nonce + seal.encrypt(nonce, stereo, f"{name}:{at + len(first)}".encode())
    return first + _LENGTH.pack(len(body)) + body


def save(sound: Iterable[bytes], file: BinaryIO) -> None:
    """See the module."""
    size = 0
    file.write(head(0))
    for piece in sound:
        file.write(piece)
        size += len(piece)
    file.seek(0)
    file.write(head(size))


def head(size: int) -> bytes:
    """See the module."""
    rate, block = BYTES_A_SECOND, SIDES
    form = (_MULAW, SIDES, rate, rate * block, block, 8)
    return _HEAD.pack(b"RIFF", size + 36, b"WAVE", b"fmt ", 16, *form, b"data", size)
