"""Recordings on the disk: whole after each write, sealed at choice, gone when they are to go."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from aybiza.actors.recordings.shelf import Part, SealError, Shelf
from aybiza.config.private_files import PrivateFileError

KEY, OTHER = bytes(range(32)), bytes(32)
PART = Part("CA1", 1_000.0, 5_000.0)
PIECE = bytes(range(256)) * 10


def kept(shelf: Shelf, part: Part = PART, pieces: int = 3) -> Path:
    size = 0
    for _ in range(pieces):
        size = shelf.write(part, size, PIECE)
    return shelf.folder / (part.name + (".wav" if shelf._seal is None else ".sealed"))


def head(data: bytes) -> tuple[int, int, int, int]:
    """The form, the channels, the rate and the length that a WAV file says of itself."""
    assert data[:4] == b"RIFF" and data[8:16] == b"WAVEfmt " and data[36:40] == b"data"
    file = io.BytesIO(data)
    numbers = []
    for at, length in ((20, 2), (22, 2), (24, 4), (40, 4)):
        file.seek(at)
        numbers.append(int.from_bytes(file.read(length), "little"))
    return numbers[0], numbers[1], numbers[2], numbers[3]


def test_a_file_is_a_whole_wav_after_each_write(tmp_path: Path) -> None:
    for pieces in (1, 2, 5):
        data = kept(Shelf(tmp_path), PART._replace(began=pieces), pieces).read_bytes()
        assert head(data) == (7, 2, 8_000, pieces * len(PIECE))
        assert int.from_bytes(data[4:8], "little") == len(data) - 8
        assert data[44:] == PIECE * pieces


@pytest.mark.parametrize("key", [None, KEY])
def test_what_was_written_in_part_is_written_again_in_its_place(
    tmp_path: Path, key: bytes | None
) -> None:
    shelf = Shelf(tmp_path, key)
    size = shelf.write(PART, 0, PIECE)
    (path,) = shelf.parts("CA1")
    with path.open("ab") as file:
        file.write(b"half of a piece")
    shelf.write(PART, size, PIECE)
    assert shelf.wav(path)[44:] == PIECE * 2


def test_a_sealed_one_is_opened_by_its_key_and_nothing_of_it_is_moved(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, KEY)
    path = kept(shelf)
    assert PIECE[:64] not in path.read_bytes()
    assert head(shelf.wav(path)) == (7, 2, 8_000, 3 * len(PIECE))
    for reader, why in ((Shelf(tmp_path, OTHER), "is not opened by"), (Shelf(tmp_path), "sealed")):
        with pytest.raises(SealError, match=why):
            reader.wav(path)
    moved = tmp_path / (PART._replace(call_id="CA2").name + ".sealed")
    path.rename(moved)
    with pytest.raises(SealError, match="has been changed"):
        shelf.wav(moved)


def test_of_a_sealed_one_that_was_cut_off_the_whole_pieces_are_read(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, KEY)
    path = kept(shelf)
    os.truncate(path, path.stat().st_size - 10)
    assert shelf.wav(path)[44:] == PIECE * 2
    path.write_bytes(b"something else")
    with pytest.raises(SealError, match="is no recording"):
        shelf.wav(path)


def test_a_call_is_forgotten_with_all_its_stretches_and_no_other(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    calls = ("CA1", "CA11", "CA1.2", "../CA1", "CA*", "CA[1]")
    for number, call_id in enumerate(calls):
        kept(shelf, Part(call_id, 1_000.0 + number, 0.0))
        kept(shelf, Part(call_id, 500.0 + number, 0.0))
    assert all(path.parent == tmp_path for path in tmp_path.rglob("*"))
    assert [len(shelf.parts(call_id)) for call_id in calls] == [2] * len(calls)
    assert [path.stem.split(".")[1] for path in shelf.parts("CA1")] == ["500000", "1000000"]
    assert shelf.forget(["CA*", "CA1", "CA9"]) == 4
    assert [len(shelf.parts(call_id)) for call_id in calls] == [0, 2, 2, 2, 0, 2]


def test_what_is_to_go_goes_and_other_files_stay(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept(shelf)
    kept(shelf, Part("CA2", 1.0, 0.0))
    (tmp_path / "notes.wav").write_bytes(b"")
    assert shelf.sweep(4_999.0) == 0
    assert shelf.sweep(5_000.0) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"CA2.1000.0.wav", "notes.wav"}
    assert Shelf(tmp_path / "nowhere").sweep(1.0) == 0


def test_a_link_in_the_place_of_a_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / f"{PART.name}.wav").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PrivateFileError):
        Shelf(tmp_path).write(PART, 0, PIECE)
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_the_key_is_not_shown() -> None:
    assert "sealed=True" in repr(Shelf(Path("/r"), KEY))
    assert KEY.hex() not in repr(Shelf(Path("/r"), KEY))


def test_calls_whose_ids_begin_alike_have_each_their_own(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "recordings")
    ids = ["v3:" + "/" * 124 + str(number) for number in range(2)]
    made = [kept(shelf, Part(call_id, 1000.0, 0.0)) for call_id in ids]
    assert [shelf.parts(call_id) for call_id in ids] == [[made[0]], [made[1]]]
    assert shelf.forget(ids[:1]) == 1
    assert shelf.parts(ids[1]) == [made[1]]
