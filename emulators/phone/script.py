"""Caller scripts: a TOML file that says what the caller does and when.

    title = "Books an appointment"
    voice = "rms"                      # the flite voice of the recordings
    from = "+15550100001"              # optional: the numbers that the agent is told
    to = "+15550100000"
    limit_s = 90                       # optional: the longest the call may take
    parameters = { tenant = "clinic" } # optional: extra customParameters

    [[steps]]                          # a step does one thing, or none: then it only listens
    label = "ask"                      # optional, for the report
    say = "../recordings/book.wav"     # a WAV file beside this one, for audio mode
    text = "I'd like to book."         # its words; in text mode they themselves are sent
    dtmf = "42#"                       # keys to press
    drop = true                        # break the stream's TCP connection, stay on the line
    hangup = true                      # `stop`, then close; "without_stop" leaves it out;
                                       # if the agent hangs up first, that will do
    wait_close = true                  # stay until the agent hangs up

    after_quiet_ms = 700               # when: the agent spoke and has been quiet for so long
    after_ms = 200                     # or: so long after the step before
    when_agent_speaking_ms = 1500      # or: after so much of the agent's speech (barge-in)
    expect = "(?i)which day"           # and: what was heard since the step before matches
    expect_audio = true                # and: the agent was heard since the step before
    timeout_s = 20                     # or else the call has failed

Without a condition a step waits for 700 ms of quiet, and `wait_close` for nothing. `expect` needs
text; in audio mode it is taken as `expect_audio`. Errors: `ScriptError`, naming file and step.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from aybiza.config.numbers import finite
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.emulators import textaudio
from aybiza.emulators.phone.audio import SILENCE_CODES, Utterance, utterance_of_wav
from aybiza.speech.wav import AudioError

Mode = Literal["audio", "text"]
Act = Literal["listen", "speak", "press", "drop", "hangup", "wait_close"]
When = Literal["quiet", "elapsed", "agent_speaking"]
T = TypeVar("T")

SCRIPTS: Final = Path(__file__).parent / "scripts"
DEFAULT_QUIET_MS: Final = 700.0
DEFAULT_TIMEOUT_S: Final = 20.0
DEFAULT_LIMIT_S: Final = 120.0
DEFAULT_VOICE: Final = "rms"
DEFAULT_FROM: Final = "+15550100001"
DEFAULT_TO: Final = "+15550100000"

_KEYS = frozenset("0123456789*#ABCD")
_ACTS: Final[Mapping[str, Act]] = {
    "say": "speak",
    "text": "speak",
    "dtmf": "press",
    "drop": "drop",
    "hangup": "hangup",
    "wait_close": "wait_close",
}
_WHENS: Final[Mapping[str, When]] = {
    "after_quiet_ms": "quiet",
    "after_ms": "elapsed",
    "when_agent_speaking_ms": "agent_speaking",
}
_STEP_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "label": (str,),
    "say": (str,),
    "text": (str,),
    "dtmf": (str,),
    "drop": (bool,),
    "hangup": (bool, str),
    "wait_close": (bool,),
    "after_quiet_ms": (int, float),
    "after_ms": (int, float),
    "when_agent_speaking_ms": (int, float),
    "expect": (str,),
    "expect_audio": (bool,),
    "timeout_s": (int, float),
}
_SCRIPT_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "title": (str,),
    "voice": (str,),
    "from": (str,),
    "to": (str,),
    "limit_s": (int, float),
    "parameters": (dict,),
    "steps": (list,),
}


class ScriptError(Exception):
    """A caller script that cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: when `when` holds for `ms`, and the expectations too, do `act`."""

    label: str
    act: Act
    when: When
    ms: float
    text: str = ""
    recording: Path | None = None
    utterance: Utterance | None = None
    keys: str = ""
    with_stop: bool = True
    expect: re.Pattern[str] | None = None
    expect_audio: bool = False
    timeout_ms: float = DEFAULT_TIMEOUT_S * 1000


@dataclass(frozen=True, slots=True)
class Script:
    """A caller script, its recordings read and cut; may be shared by any number of phones."""

    name: str
    title: str
    mode: Mode
    steps: tuple[Step, ...]
    voice: str = DEFAULT_VOICE
    from_number: str = DEFAULT_FROM
    to_number: str = DEFAULT_TO
    limit_s: float = DEFAULT_LIMIT_S
    parameters: Mapping[str, str] = field(default_factory=dict)


def names() -> list[str]:
    """The scripts that come with the phone."""
    return sorted(path.stem for path in SCRIPTS.glob("*.toml"))


def load(name_or_path: str | Path, mode: Mode | None = None) -> Script:
    """Read a script by path, or by the name of one that comes with the phone.

    `mode` says what to send: recordings ("audio") or letters ("text", for the scripted speech
    emulator). Without it a script that has recordings speaks them. Blocks: reads files.
    """
    path = Path(name_or_path)
    if not path.suffix and not path.is_file():
        path = SCRIPTS / f"{name_or_path}.toml"
        if not path.is_file():
            raise ScriptError(
                f"no caller script named {str(name_or_path)!r}; there are: {', '.join(names())}"
            )
    try:
        _, document = read_toml(path)
    except TomlError as error:
        raise ScriptError(str(error)) from None
    return parse(document, path, mode)


def parse(document: Mapping[str, Any], path: Path, mode: Mode | None = None) -> Script:
    """A script from its parsed TOML; recordings are looked up relative to `path`'s folder."""
    _check_types(document, _SCRIPT_TYPES, str(path))
    tables = document.get("steps", [])
    if not tables:
        raise ScriptError(f"{path}: no [[steps]], so there is nothing to do")
    for number, table in enumerate(tables, 1):
        if not isinstance(table, dict):
            raise ScriptError(f"{path}, step {number}: must be a table, [[steps]]")
        _check_types(table, _STEP_TYPES, f"{path}, step {number}")
    mode = mode or ("audio" if any("say" in table for table in tables) else "text")
    parameters = document.get("parameters", {})
    if not all(isinstance(value, str) for value in parameters.values()):
        raise ScriptError(f"{path}: parameters must be strings")
    steps = tuple(_step(table, path, number, mode) for number, table in enumerate(tables, 1))
    for number, step in enumerate(steps[:-1], 1):
        if step.act in ("hangup", "wait_close"):
            raise ScriptError(f"{path}, step {number}: {step.act} ends the call, but steps follow")
    return Script(
        name=path.stem,
        title=document.get("title", path.stem),
        mode=mode,
        steps=steps,
        voice=document.get("voice", DEFAULT_VOICE),
        from_number=document.get("from", DEFAULT_FROM),
        to_number=document.get("to", DEFAULT_TO),
        limit_s=float(document.get("limit_s", DEFAULT_LIMIT_S)),
        parameters=dict(parameters),
    )


def _step(table: Mapping[str, Any], path: Path, number: int, mode: Mode) -> Step:
    where = f"{path}, step {number}"
    act = _one_of(table, _ACTS, where, "does one thing") or "listen"
    when = _one_of(table, _WHENS, where, "has one moment")
    key = next((key for key in _WHENS if key in table), None)
    if when is None:
        when, ms = ("elapsed", 0.0) if act == "wait_close" else ("quiet", DEFAULT_QUIET_MS)
    else:
        ms = float(table[key]) if key else 0.0
    recording = path.parent / table["say"] if "say" in table else None
    text = table.get("text", "")
    keys = table.get("dtmf", "")
    if act == "press" and (not keys or set(keys) - _KEYS):
        raise ScriptError(f"{where}: dtmf = {keys!r}: keys are 0-9 * # A-D")
    hangup = table.get("hangup", True)
    if hangup not in (True, "without_stop"):
        raise ScriptError(f'{where}: hangup = {hangup!r}: must be true or "without_stop"')
    expect = _pattern(table, where)
    timeout_s = float(table.get("timeout_s", DEFAULT_TIMEOUT_S))
    if ms < 0 or timeout_s <= 0:
        raise ScriptError(f"{where}: times must not be negative, timeout_s must be above 0")
    return Step(
        label=table.get("label", f"step {number}"),
        act=act,
        when=when,
        ms=ms,
        text=text,
        recording=recording,
        utterance=_utterance(recording, text, mode, where) if act == "speak" else None,
        keys=keys,
        with_stop=hangup is True,
        expect=expect if mode == "text" else None,
        expect_audio=table.get("expect_audio", expect is not None and mode == "audio"),
        timeout_ms=timeout_s * 1000,
    )


def _utterance(recording: Path | None, text: str, mode: Mode, where: str) -> Utterance:
    try:
        if mode == "text":
            if not text:
                raise ScriptError(f"{where}: has no text to send in text mode")
            return Utterance.of(textaudio.encode(text), SILENCE_CODES)
        if recording is None:
            raise ScriptError(f"{where}: has no recording to say in audio mode")
        return utterance_of_wav(recording)
    except (AudioError, ValueError) as error:
        raise ScriptError(f"{where}: {error}") from error


def _one_of(table: Mapping[str, Any], kinds: Mapping[str, T], where: str, rule: str) -> T | None:
    given = [key for key in kinds if key in table and table[key] is not False]
    if len({kinds[key] for key in given}) > 1:
        raise ScriptError(f"{where}: a step {rule}, this one has {' and '.join(given)}")
    return kinds[given[0]] if given else None


def _pattern(table: Mapping[str, Any], where: str) -> re.Pattern[str] | None:
    if "expect" not in table:
        return None
    try:
        return re.compile(table["expect"])
    except re.error as error:
        raise ScriptError(f"{where}: expect = {table['expect']!r}: {error}") from error


def _check_types(
    table: Mapping[str, Any], types: Mapping[str, tuple[type, ...]], where: str
) -> None:
    for key, value in table.items():
        if key not in types:
            near = get_close_matches(key, types, 1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known: {', '.join(types)}"
            raise ScriptError(f"{where}: unknown key {key!r}{hint}")
        allowed = types[key]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            kinds = " or ".join(kind.__name__ for kind in allowed)
            raise ScriptError(f"{where}: {key} = {value!r} must be {kinds}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and finite(value) is None:
            raise ScriptError(f"{where}: {key} = {value!r:.40} is no number to wait for")
