"""The sound of a recording, read and written a piece at a time."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aybiza.actors.recordings.sound import (
    MOST_PIECE,
    SealError,
    chunks_of,
    head,
    opened,
    save,
    sealed,
)

SEAL = AESGCM(bytes(32))
NAME = Path("x.1.0.sealed")
PIECES = [bytes([number]) * 3_000 for number in range(4)]


def file() -> bytes:
    made = b""
    for piece in PIECES:
        made += sealed(NAME.stem, len(made), piece, SEAL)
    return made


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_pieces_are_the_same_however_the_file_comes(size: int) -> None:
    data = file()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(opened(NAME, chunks, SEAL)) == PIECES
    plain = head(12_000) + b"".join(PIECES)
    chunks = [plain[at : at + size] for at in range(0, len(plain), size)]
    assert b"".join(opened(Path("x.1.0.wav"), chunks, None)) == b"".join(PIECES)


def test_no_more_is_read_than_is_asked_for() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield head(0)
        while True:
            read += 1
            yield bytes(1_000)

    next(opened(Path("x.1.0.wav"), endless(), None))
    assert read < 100


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (NAME, b"<html>"),
        (Path("x.1.0.wav"), b"<html>please log in, whoever you are and whatever you want</html>"),
        (NAME, b"AYBIZA1\n" + (MOST_PIECE + 1).to_bytes(4, "little") + bytes(99)),
        (NAME, b"AYBIZA1\n" + (5).to_bytes(4, "little") + bytes(5)),
    ],
)
def test_what_is_no_recording_or_was_changed_is_refused(name: Path, data: bytes) -> None:
    with pytest.raises(SealError):
        list(opened(name, [data], SEAL))


def test_what_is_saved_is_a_wav_of_both_sides() -> None:
    out = io.BytesIO()
    save(iter(PIECES), out)
    assert out.getvalue() == head(12_000) + b"".join(PIECES)
    # It is mu-law, and else a WAV file.
    with pytest.raises(wave.Error, match="7"), wave.open(io.BytesIO(out.getvalue())):
        pass


def test_a_file_is_read_in_chunks(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(150_000))
    assert [len(chunk) for chunk in chunks_of(path)] == [65_536, 65_536, 18_928]
