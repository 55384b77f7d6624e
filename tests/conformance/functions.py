"""Runs function vectors: each pure function of the specification against its twin here.

A twin has the function's name and stands in one of `PACKAGES`; it is called with
the keys of the case's input. Where its shape differs from the vectors' JSON, `ADAPTERS` says how.
`<voice guidelines>` in a vector stands for the `VOICE_GUIDELINES` of the twin's module.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance.kit import NotThere, Options, Result, Runner, compare, shown

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "claude", "speech", "dialogue")
CLOSE = 1e-12
GUIDELINES = "<voice guidelines>"

Function = Callable[..., Any]


def twin_of(name: str) -> Function | None:
    """The function of this project that is called `name`."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).glob("*.py")):
            if re.search(rf"^def {re.escape(name)}\(", path.read_text(encoding="utf-8"), re.M):
                found: Function = getattr(
                    importlib.import_module(f"aybiza.{package}.{path.stem}"), name
                )
                return found
    return None


def _sentences(twin: Function, text: str) -> Any:
    sentences, remaining = twin(text)
    return {"sentences": sentences, "remaining": remaining}


def _stream(twin: Function, chunks: list[Any]) -> Any:
    accumulator = importlib.import_module("aybiza.claude.sentences").StreamAccumulator
    every: dict[str, list[Any]] = {}
    for rules in ("printed", "specification"):
        acc, every[rules] = accumulator(), []
        for number, chunk in enumerate(chunks):
            clock = partial(int, number)
            events, acc = twin(chunk, acc, 0.0, {}, rules=rules, clock=clock)
            every[rules].append([{k: v for k, v in e.items() if k != "context"} for e in events])
    return {
        "events_per_chunk": every["printed"],
        "intended_events_per_chunk": every["specification"],
        "final": {
            "buffer": acc.buffer,
            "sentence_count": acc.sentence_count,
            "first_token_chunk": acc.first_token_at,
        },
    }


def _one_map(twin: Function, **given: Any) -> Any:
    return twin(given)


def _result(twin: Function, **given: Any) -> Any:
    ((kind, value),) = given.items()
    return twin((kind, value), {})


def _without_messages(twin: Function, **given: Any) -> Any:
    payload = twin("", **given)
    return {name: value for name, value in payload.items() if name != "messages"}


def _cost(twin: Function, model_id: str, **given: Any) -> Any:
    rules = given.pop("rules", "specification")
    return twin(model_id, given, rules=rules)


ADAPTERS: dict[str, Function] = {
    "build_enhanced_payload": _without_messages,
    "calculate_cost": _cost,
    "extract_complete_sentences": _sentences,
    "handle_bedrock_error": _result,
    "select_best_model": _one_map,
    "throttling_fallback": _one_map,
    "process_streaming_chunk": _stream,
}


def check(case: Mapping[str, Any], call: Function, guidelines: str | None, **how: Any) -> list[str]:
    """The differences between what a case records and what the twin does, called with `how`."""
    recorded = case["spec_bug_output"] if how else case.get("output")
    title = f"input {shown(case['input'])}"
    try:
        got = plain(call(**case["input"], **how), guidelines)
    except Exception as error:
        if "raises" in case:
            return []
        return [f"{title}\n  expected {shown(recorded)}\n  raised   {error!r}"]
    if "raises" in case:
        return [f"{title}\n  expected to raise {case['raises']}\n  got      {shown(got)}"]
    if close(recorded, got):
        return []
    return compare(title, recorded, got)


def plain(value: Any, guidelines: str | None = None) -> Any:
    """`value` as JSON has it, with the name of the guidelines in place of their text."""
    if isinstance(value, str) and guidelines:
        return value.replace(guidelines, GUIDELINES)
    if isinstance(value, Mapping):
        return {str(key): plain(each, guidelines) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each, guidelines) for each in value]
    return value


def close(one: Any, other: Any) -> bool:
    """Whether two values are the same but for the last digits of a double."""
    return (
        isinstance(one, float)
        and isinstance(other, float | int)
        and not isinstance(other, bool)
        and math.isclose(one, other, rel_tol=CLOSE)
    )


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Call the twin with every case of `file`."""
    name = file["function"]
    twin = twin_of(name)
    if twin is None:
        raise NotThere("no twin yet", len(file["cases"]))
    adapter = ADAPTERS.get(name)
    call = partial(adapter, twin) if adapter else twin
    guidelines = getattr(importlib.import_module(twin.__module__), "VOICE_GUIDELINES", None)
    for number, case in enumerate(file["cases"], 1):
        differences = check(case, call, guidelines)
        if "spec_bug_output" in case:
            differences += check(case, call, guidelines, rules="printed")
        yield Result(f"case {number}", differences)


FORMATS: dict[str, Runner] = {"function-vectors/1": run}
