"""Personas: callers by rules, from TOML or YAML, who call an agent many times and differ each time.

    title = "Books a cleaning"
    agent = "clinic"                         # or a file beside this one
    threshold = 0.95                         # of the calls have to reach the goal

    [persona]
    opens = ["I'd like to book a {what}."]   # the first words: one of these
    temper = "calm"                          # calm, hasty, slow
    noise = 0.1                              # share of turns with a cough before the words
    interrupts = 0.1                         # share of answers that are broken into

    [facts]                                  # each is one of these, drawn for each call
    what = ["cleaning", "check-up"]

    [[says]]                                 # the first rule answers that fits what was heard
    when = 'which day'
    say = ["On {day}, please."]

    [[says]]
    when = 'shall i book'
    say = ["Yes, please."]
    agrees = true                            # the caller's yes to a write

    [goal]
    tools = ["book_appointment"]             # that were used and did something
    ended = ["goodbye"]

    [limits]
    seconds = 120

With a table `[model]` (`aybiza.faults.persona_mind`) a model has words where no rule fits, and the
first ones where `opens` has none. A file that ends in `.yaml` has the same keys in YAML.
`Persona.drawn(seed)` is a caller: the same seed, the same caller. Patterns are searched without
regard to case; `{name}` stands for a fact in words and patterns.

Contract: `load` reads a file, the rest is pure. Errors: `PersonaError` names the file, the line,
the key, what is wrong, and the nearest name.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aybiza.config.agents import Number, is_path
from aybiza.config.kinds import wanted
from aybiza.config.meant import meant
from aybiza.config.shapes import shaped
from aybiza.config.table_faults import shown
from aybiza.config.text_file import text_of
from aybiza.config.toml_file import table_of
from aybiza.config.toml_lines import line_of
from aybiza.faults.persona_mind import Ask, Mind, Model, prompt

FOLDER: Final = Path(__file__).with_name("personas")
QUIET_MS: Final[Mapping[str, float]] = {"hasty": 350.0, "calm": 700.0, "slow": 1_400.0}
"""For how long the agent has to be quiet before a caller of this temper speaks."""

IN_YAML: Final = (".yaml", ".yml")
"""How files in YAML end."""

_PLACE = re.compile(r"\{(\w+)\}")


class PersonaError(ValueError):
    """A persona that cannot be used; `problems` has a line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _is_pattern(text: str) -> str:
    try:
        re.compile(_PLACE.sub("x", text))
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_is_pattern)]
Words = Annotated[str, Field(min_length=1, max_length=500)]
OneOf = Annotated[list[Words], Field(min_length=1, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1, strict=False)]


Keys = Annotated[
    str, shaped("[0-9*#A-D]{1,40}", "keys of a telephone: 0 to 9, *, # and A to D, 40 at most")
]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Manner(_Table):
    """How the caller is."""

    opens: Annotated[list[Words], Field(max_length=100)] = []
    temper: Literal["calm", "hasty", "slow"] = "calm"
    noise: Share = 0.0
    interrupts: Share = 0.0
    otherwise: OneOf = ["Sorry, could you say that again?"]
    """Said where no rule fits."""
    patience: Annotated[int, Field(ge=1, le=20)] = 3
    """So often in a row; then the caller hangs up."""
    number: Number | None = None
    """The caller's."""


class Rule(_Table):
    """What is said to what; with `hang_up` the caller hangs up behind it."""

    when: Pattern
    say: Annotated[list[Words], Field(max_length=100)] = []
    press: Keys | None = None
    agrees: bool = False
    hang_up: bool = False
    most: Annotated[int, Field(ge=1, le=100)] = 5
    """How often in a call; then the next rule that fits answers."""


class Goal(_Table):
    """What the caller wants; all of it has to come about."""

    tools: list[Words] = []
    not_tools: list[Words] = []
    """None of these may do anything."""
    input: dict[str, dict[str, Words]] = {}
    """By tool: a pattern for each of these members of its input."""
    heard: list[Pattern] = []
    not_heard: list[Pattern] = []
    ended: list[Words] = []
    """The call ended for one of these reasons (`aybiza.dialogue.journal.Ended`)."""


class Limits(_Table):
    """What a call may take at most."""

    seconds: Annotated[float, Field(gt=0, le=3_600, strict=False)] = 180.0
    turns: Annotated[int, Field(ge=1, le=200)] = 30
    silence_ms: Annotated[float, Field(gt=0, le=60_000, strict=False)] = 4_500.0
    """Longest silence while the caller waits for a word."""
    consent: bool = True
    """Whether a write has to stand behind words of a rule with `agrees`."""


class Persona(_Table):
    """The file."""

    title: Words
    agent: Words | None = None
    threshold: Share = 1.0
    persona: Manner
    model: Model | None = None
    facts: dict[str, OneOf] = {}
    says: Annotated[list[Rule], Field(max_length=200)] = []
    goal: Goal
    limits: Limits = Limits()

    def drawn(self, seed: int) -> Drawn:
        """See the module."""
        chance = random.Random(seed)
        facts = {name: chance.choice(values) for name, values in sorted(self.facts.items())}
        return Drawn(self, facts, chance)


@dataclass(slots=True)
class Drawn:
    """A caller: a persona with its facts, and its own dice."""

    persona: Persona
    facts: Mapping[str, str]
    chance: random.Random
    used: dict[int, int] = field(default_factory=dict)

    def mind(self, ask: Ask) -> Mind | None:
        """The caller's mind, where a model has their words."""
        model, manner = self.persona.model, self.persona.persona
        if model is None:
            return None
        goal = self.filled(model.goal)
        told = prompt(goal, self.facts, manner.temper, model.most_words)
        return Mind(model, told, ask)

    def words(self, texts: list[str]) -> str:
        """One of the texts, filled with the facts."""
        return self.filled(self.chance.choice(texts))

    def filled(self, text: str) -> str:
        """The text with its facts; in a pattern they stand as they are said."""
        return _PLACE.sub(lambda place: self.facts.get(place[1], place[0]), text)

    def fits(self, pattern: str, text: str) -> bool:
        """Whether the pattern is found in the text."""
        escaped = _PLACE.sub(
            lambda place: re.escape(self.facts[place[1]]) if place[1] in self.facts else place[0],
            pattern,
        )
        return re.search(escaped, text, re.I) is not None

    def rule(self, heard: str) -> Rule | None:
        """The rule that answers what was heard; `use` counts it."""
        for number, rule in enumerate(self.persona.says):
            if self.used.get(number, 0) < rule.most and self.fits(rule.when, heard):
                return rule
        return None

    def use(self, rule: Rule) -> None:
        """The rule has answered."""
        number = self.persona.says.index(rule)
        self.used[number] = self.used.get(number, 0) + 1


def names() -> list[str]:
    """The personas that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str) -> tuple[Path, Persona]:
    """A persona by its file, or by the name of one that comes along. Raises PersonaError."""
    path = Path(name_or_path)
    if not is_path(name_or_path) and not name_or_path.endswith(IN_YAML):
        path = FOLDER / f"{name_or_path}.toml"
        if not path.is_file():
            told = f"there is no persona {name_or_path!r}; there are: {', '.join(names())}"
            raise PersonaError([told])
    text = text_of(path, lambda told: PersonaError([told]))
    return path, parse(text, str(path))


def parse(text: str, where: str = "persona") -> Persona:
    """The persona that stands in a text, in YAML if `where` ends so. Raises PersonaError."""
    try:
        persona = Persona.model_validate(_table(text, where))
    except ValidationError as error:
        raise PersonaError([_problem(where, text, detail) for detail in error.errors()]) from None
    missing = [f"{where}: {told}" for told in _unknown_facts(persona)]
    if not persona.persona.opens and persona.model is None:
        at = _place(where, text, ("persona",))
        missing.append(f"{at}: persona.opens is missing, and no [model] has the first words")
    if missing:
        raise PersonaError(missing)
    return persona


def _table(text: str, where: str) -> dict[str, Any]:
    try:
        if where.endswith(IN_YAML):
            from aybiza.config import yaml_file

            return yaml_file.table_of(text, where)
        return table_of(text, where)
    except ModuleNotFoundError as error:
        raise PersonaError([f"{where}: {error}"]) from None
    except ValueError as error:
        raise PersonaError([str(error)]) from None


def _unknown_facts(persona: Persona) -> list[str]:
    texts = [*persona.persona.opens, *persona.persona.otherwise]
    texts += [text for rule in persona.says for text in (rule.when, *rule.say)]
    texts += [persona.model.goal] if persona.model is not None else []
    texts += [*persona.goal.heard, *persona.goal.not_heard]
    texts += [text for inputs in persona.goal.input.values() for text in inputs.values()]
    named = {place for text in texts for place in _PLACE.findall(text) if not place.isdigit()}
    told = []
    for name in sorted(named - set(persona.facts)):
        near = difflib.get_close_matches(name, persona.facts, n=1)
        told.append(f"{{{name}}} is no fact" + (f"; did you mean {{{near[0]}}}?" if near else ""))
    return told


def _problem(where: str, text: str, detail: Any) -> str:
    loc = tuple(detail["loc"])
    place = _place(where, text, loc)
    key = ".".join(str(part) for part in loc)
    if detail["type"] == "missing":
        return f"{place}: {key} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{place}: {key} is not known{meant(Persona, loc)}"
    return f"{place}: {key} = {shown(detail['input'])}: {wanted(detail)}"


def _place(where: str, text: str, loc: tuple[str | int, ...]) -> str:
    """Where a key stands: the file, and the line if it has one."""
    if where.endswith(IN_YAML):
        from aybiza.config import yaml_file

        line = yaml_file.line_of(text, loc)
    else:
        line = line_of(text, loc)
    return f"{where}:{line}" if line else where
