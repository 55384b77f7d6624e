"""Weighted experiments on the choice of models: which calls try what.

Contract: `parse` reads what AYBIZA_SELECTION holds into a base rule and experiments; `assign` is
pure and says in which arm a call is. It goes by a hash of the call's id alone, so that a call stays
in its arm on every node and after every restart, and it puts a call into one experiment at most.

    AYBIZA_SELECTION=current                                            a rule, no experiment
    AYBIZA_SELECTION=current=80,global.anthropic.claude-haiku-5-5=20    arms with their weights
    AYBIZA_SELECTION=/etc/aybiza/selection.toml                         a file:

        rule = "current"              # for the calls that are in no experiment

        [[experiment]]
        name = "haiku"
        share = 0.2                   # of all calls; default 1
        [[experiment.arm]]
        name = "control"
        weight = 1
        rule = "current"
        [[experiment.arm]]
        name = "small"
        weight = 1
        model = "global.anthropic.claude-haiku-5-5"

Errors: `SelectionError`, one line a problem.
Source: specification 000, "Phase 4" (A/B testing for model selection).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from aybiza.claude.rules import RULES
from aybiza.config.file_names import path_of
from aybiza.config.kinds import wanted
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml

INLINE: Final = "inline"
"""The name of an experiment that stands in the setting itself."""

_SHARES_MAY_EXCEED: Final = 1e-9


class SelectionError(ValueError):
    """The selection cannot be used; `problems` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}\Z")]


class _Frozen(BaseModel):
    model_config = TABLE


class Arm(_Frozen):
    """What some of an experiment's calls get: a rule, or one model."""

    name: _Name
    weight: Annotated[float, Field(gt=0, le=1_000_000, strict=False)] = 1.0
    rule: str | None = None
    model: str | None = None


class Experiment(_Frozen):
    """Arms that share `share` of all calls by their weights."""

    name: _Name
    share: Annotated[float, Field(gt=0, le=1, strict=False)] = 1.0
    arm: Annotated[tuple[Arm, ...], Field(min_length=1, strict=False)]


class _File(_Frozen):
    rule: str = "current"
    experiment: Annotated[tuple[Experiment, ...], Field(strict=False)] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm that a call is in. `rule` or `model` is what it gets."""

    experiment: str
    arm: str
    rule: str | None = None
    model: str | None = None


def assign(experiments: Sequence[Experiment], call_id: str) -> Assignment | None:
    """The arm of this call; None if it is in no experiment."""
    place = _place("", call_id)
    for experiment in experiments:
        if place < experiment.share:
            return _in_arm(experiment, call_id)
        place -= experiment.share
    return None


def _in_arm(experiment: Experiment, call_id: str) -> Assignment:
    left = _place(experiment.name, call_id) * sum(arm.weight for arm in experiment.arm)
    for arm in experiment.arm[:-1]:
        if left < arm.weight:
            break
        left -= arm.weight
    else:
        arm = experiment.arm[-1]
    return Assignment(experiment.name, arm.name, arm.rule, arm.model)


def _place(what: str, call_id: str) -> float:
    """A place from 0 to below 1, the same for ever."""
    digest = hashlib.blake2b(f"{what}\0{call_id}".encode("utf-8", "replace"), digest_size=6)
    return int.from_bytes(digest.digest(), "big") / 2**48


def parse(selection: str) -> tuple[str, tuple[Experiment, ...]]:
    """The base rule and the experiments of a setting; reads a file if it names one.

    Raises SelectionError.
    """
    selection = selection.strip()
    if selection.endswith(".toml"):
        rule, experiments = _of_file(path_of(selection))
    elif "=" in selection:
        rule, experiments = "current", (_inline(selection),)
    else:
        rule, experiments = selection, ()
    problems = _problems(rule, experiments)
    if problems:
        raise SelectionError(problems)
    return rule, experiments


def _inline(selection: str) -> Experiment:
    arms = []
    for part in selection.split(","):
        what, _, weight = (piece.strip() for piece in part.rpartition("="))
        try:
            kind = {"rule": what} if what in RULES else {"model": what}
            arms.append(Arm(name=what, weight=float(weight), **kind))
        except (ValidationError, ValueError, OverflowError):
            raise SelectionError(
                [f"{part.strip()!r}: must be a rule or a model id, =, and a weight above 0"]
            ) from None
    return Experiment(name=INLINE, arm=tuple(arms))


def _of_file(path: Path) -> tuple[str, tuple[Experiment, ...]]:
    try:
        _, table = read_toml(path)
        file = _File.model_validate(table)
    except TomlError as error:
        raise SelectionError([str(error)]) from None
    except ValidationError as error:
        raise SelectionError([f"{path}: {_wrong(detail)}" for detail in error.errors()]) from None
    return file.rule, file.experiment


def _wrong(detail: Any) -> str:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{key} is unknown"
    return f"{key} = {detail['input']!r:.80}: {wanted(detail)}"


def _problems(rule: str, experiments: Sequence[Experiment]) -> list[str]:
    problems = [] if rule in RULES else [_no_rule(rule)]
    names = [experiment.name for experiment in experiments]
    if len(set(names)) != len(names):
        problems.append(f"two experiments have one name: {', '.join(names)}")
    shares = sum(experiment.share for experiment in experiments)
    if shares > 1 + _SHARES_MAY_EXCEED:
        problems.append(f"the experiments' shares are {shares:g} together, more than all calls")
    for experiment in experiments:
        arms = [arm.name for arm in experiment.arm]
        if len(set(arms)) != len(arms):
            problems.append(f"{experiment.name}: two arms have one name: {', '.join(arms)}")
        for arm in experiment.arm:
            where = f"{experiment.name}, arm {arm.name}"
            if (arm.rule is None) == (arm.model is None):
                problems.append(f"{where}: needs a rule or a model, and not both")
            if arm.rule is not None and arm.rule not in RULES:
                problems.append(f"{where}: {_no_rule(arm.rule)}")
    return problems


def _no_rule(rule: str) -> str:
    near = difflib.get_close_matches(rule, RULES, n=1)
    return f"there is no rule {rule!r}; there are {', '.join(RULES)}" + (
        f"; did you mean {near[0]}?" if near else ""
    )
