"""The runners: what is recorded holds, and what differs is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import functions, puppet
from tests.conformance.__main__ import formats
from tests.conformance.kit import NotThere, Options, Result

GOLDEN = Path(__file__).parents[1] / "golden"
FORMATS = formats()
FILES = sorted(path for path in GOLDEN.glob("*.json") if not path.name.startswith("supervisor_"))


def play(file: dict[str, Any]) -> list[Result]:
    return list(FORMATS[file["format"]](file, Options()))


def recorded(name: str) -> dict[str, Any]:
    file: dict[str, Any] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    return file


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_recorded_case_holds(path: Path) -> None:
    results = play(recorded(path.name))
    assert results
    assert [result for result in results if result.differences] == []


@pytest.mark.parametrize("name", ["gen_server.json", "registry.json"])
def test_a_return_a_log_or_an_operation_that_differs_is_told(name: str) -> None:
    file = recorded(name)
    one, other, last = file["scenarios"][:3]
    one["steps"][-1]["return"] = "something else"
    other["steps"][0]["do"]["op"] = "no such operation"
    last["steps"] = last["steps"][:1]
    file["scenarios"] = [one, other, last]
    differs, unknown, holds = play(file)
    assert 'expected "something else"' in differs.differences[0]
    assert "cannot be played" in unknown.differences[0]
    assert not holds.differences


def test_a_callback_that_was_not_called_is_told() -> None:
    file = recorded("gen_server.json")
    scenario = file["scenarios"][0]
    scenario["steps"][0]["log"].append(["handle_info", "never sent"])
    file["scenarios"] = [scenario]
    (result,) = play(file)
    assert "log" in result.differences[0]


def test_a_stimulus_of_a_dead_parent_is_nothing() -> None:
    file = recorded("gen_server.json")
    scenario = file["scenarios"][0]
    steps: list[dict[str, Any]] = [
        {"do": {"op": "parent_dies", "reason": "boom"}, "return": "ok", "log": []},
        {"do": {"op": "parent_signal", "reason": "boom"}, "return": "ok", "log": []},
    ]
    file["scenarios"] = [scenario | {"steps": steps}]
    (result,) = play(file)
    assert not result.differences


@pytest.mark.parametrize("name", ["agent.json", "process_misc.json", "timers.json"])
def test_a_case_whose_step_differs_or_is_unknown_is_told(name: str) -> None:
    file = recorded(name)
    one, other = file["cases"][:2]
    one["steps"][-1]["return"] = "something else"
    other["steps"][0]["do"]["op"] = "no such operation"
    file["cases"] = [one, other]
    differs, unknown = play(file)
    assert "something else" in differs.differences[0]
    assert "cannot be played" in unknown.differences[0]


def test_a_death_or_a_message_that_was_not_recorded_is_told() -> None:
    file = recorded("process_misc.json")
    case = next(case for case in file["cases"] if case["name"] == "link_exit_trapped")
    for missing in ("down", "mail"):
        changed = json.loads(json.dumps(case))
        del changed["steps"][-2][missing]
        file["cases"] = [changed]
        (result,) = play(file)
        assert missing in result.differences[0]


def test_a_trace_of_a_state_machine_that_differs_is_told() -> None:
    file = recorded("gen_statem.json")
    case = next(case for case in file["cases"] if case["name"].startswith("postpone_with_change"))
    changes: dict[str, Any] = {
        "later": lambda case: case["trace"][1].__setitem__(0, 60),
        "missing": lambda case: case["trace"].pop(),
        "more": lambda case: case["trace"].append([80, "down", "boom"]),
        "data": lambda case: case["final"]["data"].append("x"),
        "start": lambda case: case.__setitem__("start", "ignore"),
        "unknown": lambda case: case["machine"]["clauses"][0]["do"].__setitem__("r", "fly"),
    }
    cases = []
    for name, change in changes.items():
        cases.append(json.loads(json.dumps(case)) | {"name": name})
        change(cases[-1])
    file["cases"] = [case, *cases]
    holds, *differ = play(file)
    assert not holds.differences
    assert [result.name for result in differ if result.differences] == list(changes)


def test_an_event_of_a_breaker_that_differs_is_told() -> None:
    file = recorded("circuit_breaker.json")
    sequence = file["sequences"][0]
    sequence["after"][0]["state"] = "broken"
    file["sequences"] = [sequence, sequence | {"events": ["explode"]}]
    differs, unknown = play(file)
    assert "event 1" in differs.differences[0]
    assert "explode" in unknown.differences[0]


def vectors(function: str, *cases: dict[str, Any]) -> dict[str, Any]:
    return {"format": "function-vectors/1", "function": function, "cases": list(cases)}


def test_a_function_without_a_twin_is_said_to_have_none() -> None:
    with pytest.raises(NotThere) as missing:
        play(vectors("no_such_function", {"input": {}, "output": 1}, {"input": {}, "output": 2}))
    assert missing.value.count == 2


def test_a_wrong_answer_an_error_and_a_missing_error_are_told() -> None:
    text = {"text": "One. Two."}
    wrong, raised, silent = play(
        vectors(
            "extract_complete_sentences",
            {"input": text, "output": {"sentences": [], "remaining": ""}},
            {"input": {"no_text": 1}, "output": {}},
            {"input": text, "raises": "KeyError"},
        )
    )
    assert "expected" in wrong.differences[0]
    assert "raised" in raised.differences[0]
    assert "expected to raise KeyError" in silent.differences[0]


def test_doubles_may_differ_in_their_last_digits_only() -> None:
    assert functions.close(0.1 + 0.2, 0.3)
    assert not functions.close(0.3, 0.3001)
    assert not functions.close(1.0, True)
    assert not functions.close("1.0", 1.0)


def test_the_guidelines_are_shown_by_their_name() -> None:
    shown = functions.plain({"a": ("x RULES", 1)}, "RULES")
    assert shown == {"a": ["x <voice guidelines>", 1]}


def test_terms_sort_as_erlang_sorts_them() -> None:
    terms = ["b", ["a", 1], None, 2, "a", 1.5, ["z"]]
    assert sorted(terms, key=puppet.order) == [1.5, 2, None, ["z"], ["a", 1], "a", "b"]
