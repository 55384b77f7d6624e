"""Phone scripts: calls as people make them, with what must be heard and within which limits.

    script = load(path)
    verdict = played(script)          on a node of its own, in virtual time
    verdict = judged(script, report)  by the report of a telephone that has called some node

A script is a plan (`aybiza.faults.plan`) and a table of what is expected; each row may be left out:

    [expect]
    heard = ["We are open", "noon"]    what the caller hears, in this order
    not_heard = ["One moment"]
    turns = ["What are your hours?"]   what the agent takes for turns of the caller, all of them
    response_ms = 1000                 most, from the caller's last sound to the agent's next
    silence_ms = 4500                  most, while the caller waits for a word; this is the default
    clears = 0                         how often the agent's voice is cut off
    requests = 1                       how often the model is asked, at most
    dialled = ["+14155550199 busy"]    who is dialled, and what comes of it
    written = 1                        how often a tool writes

`turns`, `requests` and `written` are known only of a node in virtual time, where everything that
holds of every call is judged too (`aybiza.faults.invariants`).

Errors: `PlanError` names the file, the place in it and what is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from aybiza.config.kinds import refusal
from aybiza.config.text_file import text_of
from aybiza.config.toml_file import TomlError, table_of
from aybiza.dialogue.journal import CallerTurn
from aybiza.emulators.phone import Report
from aybiza.faults import vocabulary
from aybiza.faults.caller import NOISE
from aybiza.faults.plan import Plan, PlanError, of_table
from aybiza.faults.trial import Outcome, tried

SCRIPTS: Final = Path(__file__).with_name("scripts")
SILENCE_MS: Final = 4500.0


@dataclass(frozen=True)
class Expect:
    """See the module; None: it is not judged."""

    heard: Sequence[str] = ()
    not_heard: Sequence[str] = ()
    turns: Sequence[str] | None = None
    response_ms: float | None = None
    silence_ms: float = SILENCE_MS
    clears: int | None = None
    requests: int | None = None
    dialled: Sequence[str] | None = None
    written: int | None = None


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "heard": (list,),
    "not_heard": (list,),
    "turns": (list,),
    "response_ms": (int, float),
    "silence_ms": (int, float),
    "clears": (int,),
    "requests": (int,),
    "dialled": (list,),
    "written": (int,),
}


@dataclass(frozen=True)
class PhoneScript:
    """See the module."""

    name: str
    plan: Plan
    expect: Expect


@dataclass
class Verdict:
    """What became of a script. Times are milliseconds; None where nothing was to be measured.
    `skipped`: why it was not played."""

    name: str
    title: str
    response_ms: float | None = None
    silence_ms: float = 0.0
    wrong: list[str] = field(default_factory=list)
    heard: str = ""
    skipped: str = ""

    @property
    def ok(self) -> bool:
        """Whether all that is expected held; of a script that was not played nothing is known."""
        return not self.wrong and not self.skipped

    @property
    def result(self) -> str:
        """In a word."""
        return "skipped" if self.skipped else "ok" if self.ok else "WRONG"


def names() -> list[str]:
    """The scripts that come with the project."""
    return sorted(path.stem for path in SCRIPTS.glob("*.toml"))


def load(name_or_path: str | Path) -> PhoneScript:
    """The script of a file, or of a name of those that come with the project. Raises PlanError."""
    path = Path(name_or_path)
    if not path.suffix and not path.is_file():
        path = SCRIPTS / f"{name_or_path}.toml"
        if not path.is_file():
            near = vocabulary.nearest(str(name_or_path), names())
            raise PlanError(f"there is no phone script {str(name_or_path)!r}; {near}")
    text = text_of(path, PlanError)
    try:
        return parse(text, path.stem)
    except PlanError as error:
        raise PlanError(f"{path}: {str(error).removeprefix(f'{path.stem}: ')}") from None


def parse(text: str, name: str = "script") -> PhoneScript:
    """The script that stands in a text. Raises PlanError."""
    try:
        table = table_of(text, name)
    except TomlError as error:
        raise PlanError(str(error)) from None
    expect = table.pop("expect", {})
    if not isinstance(expect, Mapping):
        raise PlanError(f"{name}: expect is a table, not {expect!r:.80}")
    return PhoneScript(name, of_table(table, name), _expect(expect, f"{name}, expect"))


def _expect(table: Mapping[str, Any], where: str) -> Expect:
    for key, value in table.items():
        if key not in _TYPES:
            raise PlanError(f"{where}: unknown {key!r}; {vocabulary.nearest(key, _TYPES)}")
        if why := refusal(value, _TYPES[key]):
            raise PlanError(f"{where}: {key} = {value!r:.80} {why}")
        for one in value if isinstance(value, list) else ():
            if why := refusal(one, str):
                raise PlanError(f"{where}: {key} = {value!r:.80}: each {why}")
    return Expect(**table)


def played(script: PhoneScript) -> Verdict:
    """The verdict on a call to a node of its own in virtual time."""
    outcome = tried(replace(script.plan, frames=1))
    verdict = judged(script, outcome.report)
    verdict.wrong += [line for line in outcome.broken if line not in verdict.wrong]
    verdict.wrong += _wrong_inside(script.expect, outcome)
    return verdict


def judged(script: PhoneScript, report: Report, *, slack_ms: float = 0.0) -> Verdict:
    """The verdict by what a telephone can tell; `slack_ms` is added to the limits of time."""
    verdict = Verdict(script.name, script.plan.title)
    verdict.heard = " ".join(report.heard_text.split())
    verdict.response_ms = longest_response(report)
    verdict.silence_ms = longest_silence(report)
    if not report.ok:
        verdict.wrong.append(report.failure)
    verdict.wrong += _wrong(script.expect, report, verdict, slack_ms)
    return verdict


def _wrong(expect: Expect, report: Report, verdict: Verdict, slack_ms: float) -> Iterator[str]:
    at = 0
    for words in expect.heard:
        found = verdict.heard.find(" ".join(words.split()), at)
        if found < 0:
            yield f"not heard (in its place): {words!r}; heard: {verdict.heard!r}"
            break
        at = found + len(words)
    for words in expect.not_heard:
        if words in verdict.heard:
            yield f"heard: {words!r}"
    limit, response = expect.response_ms, verdict.response_ms
    if limit is not None and (response is None or response > limit + slack_ms):
        told = "nothing was answered" if response is None else f"answered after {response:.0f} ms"
        yield f"{told}, at most {limit:g} are allowed"
    if verdict.silence_ms > expect.silence_ms + slack_ms:
        yield f"{verdict.silence_ms:.0f} ms of silence, at most {expect.silence_ms:g} are allowed"
    if expect.clears is not None and report.clears != expect.clears:
        yield f"the agent was cut off {report.clears} times, and should be {expect.clears} times"
    dialled = [f"{number} {outcome}" for number, outcome in report.dialled]
    if expect.dialled is not None and dialled != list(expect.dialled):
        yield f"dialled: {dialled}, and should be {list(expect.dialled)}"


def _wrong_inside(expect: Expect, outcome: Outcome) -> Iterator[str]:
    taken = [entry.text for _, entry in outcome.entries if isinstance(entry, CallerTurn)]
    turns = [text for text in taken if text]
    if expect.turns is not None and turns != list(expect.turns):
        yield f"turns of the caller: {turns}, and should be {list(expect.turns)}"
    if expect.requests is not None and len(outcome.requests) > expect.requests:
        yield f"asked {len(outcome.requests)} times, at most {expect.requests} allowed"
    if expect.written is not None and len(outcome.written) != expect.written:
        yield f"written {len(outcome.written)} times, and should be {expect.written} times"


def longest_response(report: Report) -> float | None:
    """The longest time to an answer, of turns with words or keys; ms. A sound without words that
    comes before the answer takes nothing from it."""
    times: list[float] = []
    said: float | None = None
    for turn in report.turns:
        if turn.said != NOISE:
            said = turn.end_ms
        if said is not None and turn.first_audio_ms is not None:
            times.append(turn.first_audio_ms - said)
            said = None
    return max(times, default=None)


def longest_silence(report: Report) -> float:
    """The longest silence of a caller who waits for a word; ms.

    Who has said something waits until the agent has said the last it has to say to that; where
    nothing is said to it, until the caller goes on or the call is over.
    """
    longest = 0.0
    turns = [one for one in report.turns if one.end_ms is not None and one.said != NOISE]
    ends = [*(turn.start_ms for turn in turns[1:]), report.duration_ms]
    for turn, until in zip(turns, ends, strict=False):
        since = turn.end_ms or 0.0
        sounds = [one for one in report.heard if one.until_ms > since and one.at_ms < until]
        if not sounds:
            longest = max(longest, until - since)
            continue
        longest = max(longest, sounds[0].at_ms - since)
        for one, following in pairwise(sounds):
            longest = max(longest, following.at_ms - one.until_ms)
    return longest
