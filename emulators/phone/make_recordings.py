"""Makes the callers' recordings anew: `python -m aybiza.emulators.phone.make_recordings`.

The caller scripts are the list: every step that has both `say` and `text` is a recording, its
words and, by the script's `voice`, its speaker. flite speaks them at its own rate; they are cut
to a short lead-in, which gives a recogniser a moment of line noise to settle on, and hardly any
tail, since the line's own silence follows, and stored as 8000 Hz 16-bit mono. The same flite
makes the same bytes. Errors go to standard error; the exit code is 0 only if all was written.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aybiza.emulators.phone.audio import trim, write_wav
from aybiza.emulators.phone.script import DEFAULT_VOICE, SCRIPTS, ScriptError, parse
from aybiza.speech.mulaw import SAMPLE_RATE, Pcm
from aybiza.speech.wav import read_wav

LEAD_MS: Final = 120
TAIL_MS: Final = 60
FLITE_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording to be made."""

    path: Path
    text: str
    voice: str


class RecordingError(Exception):
    """A recording that cannot be made; the message says why."""


def recordings(scripts: Sequence[Path]) -> list[Recording]:
    """All recordings of these caller scripts, each once."""
    wanted: dict[Path, Recording] = {}
    for script in scripts:
        for recording in _of_script(script):
            other = wanted.setdefault(recording.path, recording)
            if other != recording:
                raise RecordingError(
                    f"{script}: {recording.path.name} is {recording.text!r} by {recording.voice} "
                    f"here and {other.text!r} by {other.voice} elsewhere"
                )
    return list(wanted.values())


def _of_script(script: Path) -> Iterator[Recording]:
    try:
        document = tomllib.loads(script.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingError(f"{script}: {error}") from error
    # Text mode reads no recordings, and there may be none yet.
    parse(document, script, "text")
    voice = document.get("voice", DEFAULT_VOICE)
    for step in document["steps"]:
        if "say" in step and "text" in step:
            yield Recording((script.parent / step["say"]).resolve(), step["text"], voice)


def speak(text: str, voice: str) -> Pcm:
    """`text` by flite, at 8000 Hz, its silent ends trimmed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "flite.wav"
        command = ["flite", "-voice", voice, "-t", text, "-o", str(path)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FLITE_TIMEOUT_S)
        except FileNotFoundError as error:
            raise RecordingError(
                "flite is not installed (Debian: apt-get install flite)"
            ) from error
        except subprocess.SubprocessError as error:
            raise RecordingError(f"flite could not say {text!r}: {error}") from error
        return trim(read_wav(path), LEAD_MS, TAIL_MS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = argparse.ArgumentParser(
        prog="python -m aybiza.emulators.phone.make_recordings",
        description="Speak the words of caller scripts into their WAV files, with flite.",
        epilog="example: python -m aybiza.emulators.phone.make_recordings my_call.toml",
    )
    options.add_argument(
        "scripts",
        nargs="*",
        type=Path,
        metavar="SCRIPT",
        help="caller scripts (default: all that come with the phone)",
    )
    given = options.parse_args(argv).scripts or sorted(SCRIPTS.glob("*.toml"))
    try:
        for recording in recordings(given):
            pcm = speak(recording.text, recording.voice)
            recording.path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(recording.path, [pcm])
            print(f"{recording.path.name}: {len(pcm) / SAMPLE_RATE:.2f} s, {recording.voice}")
    except (RecordingError, ScriptError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
