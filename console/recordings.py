"""`aybiza calls recording`: a call's recordings, and what other commands tell of them.

What is recorded stands in the folder of `AYBIZA_RECORDINGS`, and in the bucket of
`AYBIZA_RECORDINGS_BUCKET` when it is whole; no node is asked. Sealed recordings are opened by
`AYBIZA_RECORDINGS_KEY`.

Exit codes: 0; 1 if there is no recording, or it cannot be opened; 2 for a file that is there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from aybiza.console import USAGE_ERROR
from aybiza.console.page import say
from aybiza.console.setup import settings_or_exit

if TYPE_CHECKING:
    from aybiza.actors.recordings.bucket import Bucket
    from aybiza.actors.recordings.shelf import Shelf
    from aybiza.config.settings import Settings

_MOST_STEPS: Final = 20 * 3600
_CONSENTS: Final = {
    "told": "the caller was told",
    "agreed": "the caller has agreed",
    "refused": "the caller has not agreed",
}


def recording(
    call_id: Annotated[str, typer.Argument(help="The call's id.")],
    to: Annotated[Path, typer.Option(help="A WAV file that is not there yet.")],
    part: Annotated[int, typer.Option(min=1, help="Which, of a call on several lines.")] = 1,
) -> None:
    """Write a call's recording to a WAV file: the caller left, the agent right."""
    from aybiza.actors.recordings.shelf import SealError

    settings = settings_or_exit()
    try:
        parts = _parts(settings, call_id)
        if part > len(parts):
            _refuse(f"{call_id} has {len(parts)} recordings in {_where(settings)}", 1)
        sound = parts[part - 1][1]()
    except (OSError, SealError) as error:
        _refuse(str(error), 1)
    _save(sound, to)
    of = f", {part} of {len(parts)}" if len(parts) > 1 else ""
    say(f"{to}{of}", 4)


def _save(sound: Iterable[bytes], to: Path) -> None:
    """Write it piece by piece; what cannot be written to its end is not left there."""
    from aybiza.actors.recordings.shelf import SealError
    from aybiza.actors.recordings.sound import save
    from aybiza.config.private_files import private_file

    if to.exists():
        _refuse(f"--to: {to} is there already; name a new file")
    try:
        private_file(to)
    except OSError as error:
        _refuse(f"--to: {error}")
    try:
        with to.open("r+b") as file:
            save(sound, file)
    except BaseException as error:
        to.unlink(missing_ok=True)
        if not isinstance(error, OSError | SealError):
            raise
        _refuse(f"{to} is not written: {error}", 1)


def recorded(settings: Settings, call_id: str, journal: Iterable[Any]) -> str:
    """What there is to say of a call's recordings, with the consent that its journal has."""
    consents = [row.entry.get("how") for row in journal if _is_consent(row.entry)]
    shelf = _shelf(settings)
    seconds = [shelf.seconds(path) for path in shelf.parts(call_id)] if shelf is not None else []
    told = [" + ".join(f"{each:.0f} s" for each in seconds)] if seconds else []
    told += _in_bucket(settings, call_id)
    told += [_CONSENTS[consents[-1]]] if consents and consents[-1] in _CONSENTS else []
    return ", ".join(told)


def waveforms(settings: Settings, call_id: str) -> list[dict[str, Any]]:
    """How loud both sides were, as far as the folder has it and it can be opened: of each part the
    unix time `at` of its end, and a byte each `STEP_SECONDS`, 0 to 100, in base64; an hour at most.
    For threads."""
    from aybiza.actors.recordings.part_names import began
    from aybiza.actors.recordings.shelf import SealError
    from aybiza.speech.loudness import STEP_SECONDS

    told: list[dict[str, Any]] = []
    shelf, room = _shelf(settings), _MOST_STEPS
    if shelf is None:
        return told
    for path in shelf.parts(call_id):
        try:
            sides = _loudness(shelf.sound(path), room)
        except (OSError, SealError):
            continue
        room -= len(sides[0])
        caller, agent = (base64.b64encode(side).decode() for side in sides)
        end = began(path) / 1000 + len(sides[0]) * STEP_SECONDS
        told.append({"at": end, "caller": caller, "agent": agent})
    return told


def _loudness(sound: Iterable[bytes], most: int) -> list[bytes]:
    """How loud each side was, a byte a step, `most` steps of it."""
    from aybiza.speech.loudness import STEP_BYTES, peaks

    sides, rest = [bytearray(), bytearray()], b""
    for piece in sound:
        rest += piece
        steps = min(len(rest) // (2 * STEP_BYTES), most - len(sides[0]))
        whole, rest = rest[: 2 * STEP_BYTES * steps], rest[2 * STEP_BYTES * steps :]
        for number, side in enumerate(sides):
            side.extend(peaks(whole[number::2]))
        if len(sides[0]) == most:
            break
    return [bytes(side) for side in sides]


def forgotten(settings: Settings, call_ids: Iterable[str]) -> int:
    """Delete the recordings of these calls; how many there were. Raises OSError."""
    known = list(call_ids)
    return sum(place.forget(known) for place in _places(settings))


def unclaimed(settings: Settings, call_ids: Iterable[str]) -> int:
    """How many recordings there are of calls that are none of these. Raises OSError."""
    known = list(call_ids)
    return sum(len(place.others(known)) for place in _places(settings))


def _is_consent(entry: dict[str, Any]) -> bool:
    return entry.get("type") == "recording_consent"


def _places(settings: Settings) -> list[Shelf | Bucket]:
    return [place for place in (_shelf(settings), _bucket(settings)) if place is not None]


def _parts(settings: Settings, call_id: str) -> list[tuple[int, Callable[[], Iterator[bytes]]]]:
    """When each recording of a call began, and what gets it, in order of time. What is put into
    the bucket at this moment is one."""
    from aybiza.actors.recordings.part_names import began

    shelf, bucket = _shelf(settings), _bucket(settings)
    found: dict[str, tuple[int, Callable[[], Iterator[bytes]]]] = {}
    if shelf is None:
        return []
    if bucket is not None:
        for name in bucket.parts(call_id):
            found[name] = (began(Path(name)), partial(_fetched, shelf, bucket, name))
    for path in shelf.parts(call_id):
        found[path.name] = (began(path), partial(shelf.sound, path))
    return sorted(found.values(), key=lambda part: part[0])


def _fetched(shelf: Shelf, bucket: Bucket, name: str) -> Iterator[bytes]:
    return shelf.opened(Path(name), bucket.get(name))


def _in_bucket(settings: Settings, call_id: str) -> list[str]:
    """What the bucket has of a call, or why that is not known."""
    bucket = _bucket(settings)
    if bucket is None:
        return []
    try:
        count = len(bucket.parts(call_id))
    except OSError as error:
        return [str(error)]
    return [f"{count} in {bucket.where}"] if count else []


def _where(settings: Settings) -> str:
    names = [str(settings.recordings or "AYBIZA_RECORDINGS, which is not set")]
    bucket = _bucket(settings)
    return " and ".join([*names, str(bucket.where)] if bucket is not None else names)


def _bucket(settings: Settings) -> Bucket | None:
    from aybiza.actors.recordings.bucket import bucket

    return bucket(settings)


def _shelf(settings: Settings) -> Shelf | None:
    from aybiza.actors.recordings.shelf import shelf

    return shelf(settings) if settings.recordings is not None else None


def _refuse(why: str, code: int = USAGE_ERROR) -> NoReturn:
    say(f"aybiza: {why}", 8, err=True)
    raise typer.Exit(code)
