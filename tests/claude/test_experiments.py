"""Which calls try what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.experiments import (
    INLINE,
    Arm,
    Assignment,
    Experiment,
    SelectionError,
    assign,
    parse,
)

HAIKU = "global.anthropic.claude-haiku-5-5"
HALVES = Experiment(
    name="halves", arm=(Arm(name="a", rule="current"), Arm(name="b", rule="spec-3x"))
)
CALLS = [f"CA{number:032x}" for number in range(4_000)]


def shares(experiments: list[Experiment]) -> dict[str, float]:
    """What part of the calls is in each arm."""
    found = Counter(
        f"{arm.experiment}/{arm.arm}" if arm else "none"
        for arm in (assign(experiments, call) for call in CALLS)
    )
    return {name: count / len(CALLS) for name, count in found.items()}


class TestAssign:
    def test_a_call_stays_in_its_arm(self) -> None:
        assert [assign([HALVES], call) for call in CALLS] == [
            assign([HALVES], call) for call in CALLS
        ]

    def test_the_arm_does_not_change_with_python_or_its_version(self) -> None:
        arms = [assign([HALVES], call) for call in CALLS[:16]]
        assert "".join(arm.arm for arm in arms if arm) == "bbbaabababbababa"
        assert assign([HALVES], CALLS[0]) == Assignment("halves", "b", rule="spec-3x")

    def test_arms_get_their_weights(self) -> None:
        arms = (
            Arm(name="a", weight=1, rule="current"),
            Arm(name="b", weight=2, model=HAIKU),
            Arm(name="c", weight=1, rule="spec-4"),
        )
        found = shares([Experiment(name="x", arm=arms)])
        assert found == pytest.approx({"x/a": 0.25, "x/b": 0.5, "x/c": 0.25}, abs=0.03)

    def test_experiments_get_their_shares_and_a_call_is_in_one_at_most(self) -> None:
        first = Experiment(name="one", share=0.2, arm=(Arm(name="a", rule="current"),))
        second = Experiment(name="two", share=0.3, arm=(Arm(name="a", rule="spec-4"),))
        found = shares([first, second])
        assert found == pytest.approx({"one/a": 0.2, "two/a": 0.3, "none": 0.5}, abs=0.03)

    def test_two_experiments_do_not_divide_the_calls_alike(self) -> None:
        other = HALVES.model_copy(update={"name": "other"})
        arms = Counter(
            (one.arm, two.arm)
            for one, two in ((assign([HALVES], c), assign([other], c)) for c in CALLS)
            if one and two
        )
        assert all(count / len(CALLS) == pytest.approx(0.25, abs=0.03) for count in arms.values())

    def test_without_experiments_a_call_is_in_none(self) -> None:
        assert assign([], "CA1") is None

    @given(st.text())
    def test_any_id_has_its_arm(self, call_id: str) -> None:
        assert assign([HALVES], call_id) is not None


class TestParse:
    @pytest.mark.parametrize(
        "rule", ["configured", "current", " spec-3x ", "spec-4", "spec-4-best"]
    )
    def test_a_rule_alone(self, rule: str) -> None:
        assert parse(rule) == (rule.strip(), ())

    def test_arms_in_the_setting_itself(self) -> None:
        rule, (experiment,) = parse(f"current=80, {HAIKU} = 20")
        assert rule == "current"
        assert experiment == Experiment(
            name=INLINE,
            arm=(
                Arm(name="current", weight=80, rule="current"),
                Arm(name=HAIKU, weight=20, model=HAIKU),
            ),
        )

    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "selection.toml"
        path.write_text(
            'rule = "spec-3x"\n[[experiment]]\nname = "haiku"\nshare = 0.2\n'
            '[[experiment.arm]]\nname = "control"\nrule = "current"\n'
            f'[[experiment.arm]]\nname = "small"\nweight = 3\nmodel = "{HAIKU}"\n'
        )
        arms = (
            Arm(name="control", rule="current"),
            Arm(name="small", weight=3, model=HAIKU),
        )
        assert parse(str(path)) == ("spec-3x", (Experiment(name="haiku", share=0.2, arm=arms),))

    @pytest.mark.parametrize(
        ("selection", "says"),
        [
            ("curent", "there is no rule 'curent'; .*; did you mean current?"),
            ("current=0", "'current=0': must be a rule or a model id, =, and a weight above 0"),
            ("current=much", "'current=much': must be"),
            ("current=1,=2", "'=2': must be"),
            ("current=1,current=2", "inline: two arms have one name"),
            ("nowhere.toml", "nowhere.toml: cannot be read: No such file"),
        ],
    )
    def test_what_cannot_be_used_is_named(self, selection: str, says: str) -> None:
        with pytest.raises(SelectionError, match=says):
            parse(selection)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("rule = ", "is not TOML"),
            ('rule = "best"', "there is no rule 'best'"),
            ('rul = "current"', "rul is unknown"),
            ('[[experiment]]\nname = "x"\narm = []', "experiment.0.arm = "),
            ('[[experiment]]\nname = "x"', "experiment.0.arm is missing"),
            (
                '[[experiment]]\nname = "x"\nshare = 1.5\n[[experiment.arm]]\nname = "a"',
                r"experiment.0.share = 1.5",
            ),
            (
                '[[experiment]]\nname = "x"\n[[experiment.arm]]\nname = "a"',
                "x, arm a: needs a rule or a model, and not both",
            ),
            (
                '[[experiment]]\nname = "x"\n[[experiment.arm]]\nname = "a"\nrule = "y"',
                "x, arm a: there is no rule 'y'",
            ),
            (
                '[[experiment]]\nname = "x"\nshare = 0.7\narm = [{name = "a", rule = "current"}]\n'
                '[[experiment]]\nname = "x"\nshare = 0.7\narm = [{name = "a", rule = "current"}]\n',
                "two experiments have one name: x, x\nthe experiments' shares are 1.4 together",
            ),
        ],
    )
    def test_what_is_wrong_in_a_file_is_named(self, tmp_path: Path, text: str, says: str) -> None:
        path = tmp_path / "selection.toml"
        path.write_text(text)
        with pytest.raises(SelectionError, match=says):
            parse(str(path))

    def test_a_file_that_is_no_text_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "selection.toml"
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(SelectionError, match="is not UTF-8 text"):
            parse(str(path))
