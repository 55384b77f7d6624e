"""Personas: the same seed is the same caller, and what cannot be used is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config import yaml_file
from aybiza.faults.persona import Persona, PersonaError, load, names, parse

SMALLEST = '[goal]\nheard = ["yes"]\n\n[persona]\nopens = ["Hello."]\n'
WHOLE = (
    'title = "Asks"\n'
    + SMALLEST
    + """
[facts]
what = ["tea", "coffee (black)"]

[[says]]
when = 'a {what}\\?'
say = ["A {what}."]
most = 1

[[says]]
when = 'a '
say = ["Yes."]
agrees = true
"""
)


def problem(text: str) -> str:
    with pytest.raises(PersonaError) as caught:
        parse(text, "file.toml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems[0]


@pytest.mark.parametrize("name", names())
def test_those_that_come_along_can_be_used(name: str) -> None:
    path, persona = load(name)
    assert path.stem == name
    assert isinstance(persona, Persona)


def test_a_seed_is_a_caller() -> None:
    persona = parse(WHOLE)
    same = [persona.drawn(3) for _ in range(2)]
    assert same[0].facts == same[1].facts
    assert len({persona.drawn(seed).facts["what"] for seed in range(20)}) == 2


def test_the_first_rule_that_fits_and_is_not_used_up_answers() -> None:
    caller = parse(WHOLE).drawn(1)
    asked = f"Would you like a {caller.facts['what']}?"
    first = caller.rule(asked)
    assert first is not None and caller.words(first.say) == f"A {caller.facts['what']}."
    caller.use(first)
    second = caller.rule(asked)
    assert second is not None and second.agrees
    assert caller.rule("Nothing of the kind.") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[", "file.toml: is not TOML"),
        (SMALLEST, "file.toml: title is missing"),
        (WHOLE.replace("most", "msot"), "file.toml:14: says.0.msot is not known; did you mean mo"),
        (WHOLE.replace("opens", "open"), "file.toml:6: persona.open is not known; did you mean op"),
        ("title = 'x'\n" + SMALLEST.replace("opens", "#"), "file.toml:5: persona.opens is missing"),
        (WHOLE.replace("'a '", "'('"), "file.toml:17: says.1.when = '(': is no regular"),
        (WHOLE.replace("A {what}.", "A {waht}."), "file.toml: {waht} is no fact; did you mean {wh"),
        ("noise = 3\n" + WHOLE, "file.toml:1: noise is not known"),
        (WHOLE.replace("[facts]", "noise = 3\n[facts]"), "file.toml:8: persona.noise = 3"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(text: str, told: str) -> None:
    assert problem(text).startswith(told)


def test_a_persona_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match="there is no persona 'nobody'; there are: clinic"):
        load("nobody")
    with pytest.raises(PersonaError, match="cannot be read"):
        load(str(tmp_path / "none.toml"))


IN_YAML = """\
title: Looks for a wine
agent: winery
threshold: 0.9
persona:
  opens: ["I need a wine for {food}."]
  temper: hasty
facts:
  food: [a steak, beef]
says:
  - when: with what food
    say: ["With {food}."]
goal:
  heard: [pinot noir]
"""


def test_a_persona_in_yaml_is_the_same_as_in_toml(tmp_path: Path) -> None:
    (tmp_path / "wine.yaml").write_text(IN_YAML)
    _, persona = load(str(tmp_path / "wine.yaml"))
    assert persona == Persona.model_validate(yaml_file.table_of(IN_YAML, "wine.yaml"))
    assert persona.drawn(1).rule("With what food, please?") == persona.says[0]


def test_what_is_wrong_in_yaml_is_told_with_its_line() -> None:
    with pytest.raises(PersonaError) as raised:
        parse(IN_YAML.replace("temper: hasty", "tempr: hasty"), "wine.yaml")
    assert raised.value.problems == [
        "wine.yaml:6: persona.tempr is not known; did you mean temper?"
    ]
