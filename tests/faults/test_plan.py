"""Plans: read, refused with their place, and written."""

from pathlib import Path

import pytest

import aybiza.faults.world  # noqa: F401
from aybiza.faults.plan import Plan, PlanError, load, parse

TEXT = """
title = "the speaker dies"
seed = 3
thinks_ms = 250

[agent]
greeting = "Hi."

[answers]
"What are \\"hours\\"?" = [{ tool = "look_up", say = "Let me see." }, "Nine."]

[[step]]
say = "What are \\"hours\\"?"
quiet_ms = 300

[[step]]
hang_up = true

[[fault]]
what = "kill"
where = "SpeakerActor"
after = "SentenceHeard(turn=1, seq=1)"
"""

REFUSED = [
    ("x =", "p: is not TOML"),
    ("titel = 'x'", "p: a plan has no field 'titel'; did you mean 'title'"),
    ("seed = 'x'", "p: seed = 'x' must be a whole number, not a text"),
    ("seed = true", "p: seed = True must be a whole number, not true or false"),
    ("thinks_ms = []", r"p: thinks_ms = \[\] must be a number, not a list"),
    ("title = 'x'", r"p: there is no \[\[step\]\]"),
    ("[[step]]\nsays = 'x'", "p, step 1: unknown 'says'; did you mean 'say'"),
    ("[[step]]\nquiet_ms = 1", "p, step 1: does one of say"),
    ("[[step]]\nhang_up = 'yes'", "p, step 1: hang_up = 'yes' must be true"),
    ("[[step]]\nsay = 3", "p, step 1: say = 3 must be a text"),
    ("[[step]]\npress = '4!'", "p, step 1: press = '4!' must be keys: 0-9"),
    ("[[step]]\ninterrupt = 'x'\nafter_ms = 'y'", "after_ms = 'y' must be a number of mill"),
    ("[[step]]\nsay = 'x'\nquiet_ms = -1", "quiet_ms = -1 must be a number of milliseconds"),
    ("[[step]]\nmumble = false", "mumble = False must be a number of milliseconds"),
    ("[agent]\ngreting = 'x'\n[[step]]\nstay = true", "p, agent: .* 'greeting'"),
    ("[[step]]\nstay = true\n[[fault]]\nwhat = 'kil'\nat = 1", "p, fault 1, what: .* 'kill'"),
    ("[[step]]\nhang_up = true\n[[step]]\nsay = 'x'", "p: .*hangup ends the call"),
    ("[answers]\nx = [3]\n[[step]]\nstay = true", "p: an answer is a text"),
    ("[answers]\nx = [{ tol = 'y' }]\n[[step]]\nstay = true", "p: .* did you mean 'tool'"),
]


def test_a_plan_is_read_and_written_without_loss() -> None:
    plan = parse(TEXT)
    assert plan.title == "the speaker dies" and plan.seed == 3
    assert plan.options()["agent"].greeting == "Hi."
    assert [step["text"] for step in plan.script()[:1]] == ['What are "hours"?']
    assert parse(plan.text()) == plan


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_is_wrong_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(PlanError, match=words):
        parse(text, "p")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"no\.toml: cannot be read"):
        load(tmp_path / "no.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(PlanError, match="is not UTF-8"):
        load(tmp_path / "bad.toml")


def test_a_plan_can_be_made_in_python() -> None:
    plan = Plan(steps=[{"say": "Hello."}, {"interrupt": "Wait.", "after_ms": 300}, {"stay": True}])
    assert [step.get("text") for step in plan.script()] == ["Hello.", "Wait.", None]
    assert parse(plan.text()).steps == plan.steps
