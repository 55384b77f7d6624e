"""What commands tell of recordings: which there are, and why one cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.actors.memory.store import Row
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.config.settings import load
from aybiza.console.cli import app
from aybiza.console.recordings import forgotten, recorded, unclaimed
from tests.actors.recordings.bucket_kit import NAME, bucket_of, emulated


def rows(how: str) -> list[Row]:
    return [Row("CA1", 1, 1, 1.0, {"type": "recording_consent", "how": how})]


def test_of_a_call_its_stretches_and_its_consent_are_told(tmp_path: Path) -> None:
    settings = load({"AYBIZA_RECORDINGS": str(tmp_path)})
    assert recorded(settings, "CA1", []) == ""
    assert recorded(settings, "CA1", rows("refused")) == "the caller has not agreed"
    for began in (1.0, 2.0):
        Shelf(tmp_path).write(Part("CA1", began, 0.0), 0, bytes(32_000))
    assert recorded(settings, "CA1", rows("agreed")) == "2 s + 2 s, the caller has agreed"
    assert forgotten(settings, ["CA1"]) == 2
    assert forgotten(load({}), ["CA1"]) == 0


def test_what_is_in_the_bucket_is_told_fetched_and_forgotten_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulated(monkeypatch) as services:
        variables = {
            "AYBIZA_RECORDINGS": str(tmp_path / "shelf"),
            "AYBIZA_RECORDINGS_BUCKET": f"s3://{NAME}/recordings",
            "AYBIZA_RECORDINGS_ENDPOINT": services.url,
        }
        settings = load(variables)
        shelf = Shelf(tmp_path / "shelf")
        for began in (1.0, 2.0):
            shelf.write(Part("CA1", began, 0.0), 0, bytes([int(began)]) * 32_000)
        first, second = shelf.parts("CA1")
        wavs = [first.read_bytes(), second.read_bytes()]
        bucket_of(services).put(first)
        first.unlink()
        assert recorded(settings, "CA1", []) == f"2 s, 1 in s3://{NAME}/recordings/"
        for part, wav in enumerate(wavs, 1):
            to = tmp_path / f"{part}.wav"
            command = ["calls", "recording", "CA1", "--to", str(to), "--part", str(part)]
            assert CliRunner().invoke(app, command, env=variables).exit_code == 0
            assert to.read_bytes() == wav
        assert unclaimed(settings, ["CA2"]) == 2
        assert forgotten(settings, ["CA1"]) == 2
        assert services.buckets.objects[NAME] == {}
    assert "cannot be asked" in recorded(settings, "CA1", [])
    with pytest.raises(OSError, match="cannot be asked"):
        forgotten(settings, ["CA1"])


def test_what_cannot_be_written_to_its_end_is_not_left_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf", bytes(32))
    size = shelf.write(Part("CA1", 1.0, 0.0), 0, bytes(32_000))
    shelf.write(Part("CA1", 1.0, 0.0), size, bytes(32_000))
    (path,) = shelf.parts("CA1")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    to = tmp_path / "a.wav"
    environment = {"AYBIZA_RECORDINGS": str(shelf.folder), "AYBIZA_RECORDINGS_KEY": "00" * 32}
    command = ["calls", "recording", "CA1", "--to", str(to)]
    result = CliRunner().invoke(app, command, env=environment)
    assert result.exit_code == 1
    assert "has been changed" in " ".join(result.output.split())
    assert not to.exists()


@pytest.mark.parametrize("variables", [{}, {"AYBIZA_RECORDINGS": "."}])
def test_a_recording_that_there_is_not_is_named(tmp_path: Path, variables: dict[str, str]) -> None:
    own = {name: str(tmp_path) for name in variables}
    command = ["calls", "recording", "CA1", "--to", str(tmp_path / "a.wav")]
    result = CliRunner().invoke(app, command, env=own)
    assert result.exit_code == 1
    assert "CA1 has 0 recordings in" in result.output
