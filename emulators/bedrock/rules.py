"""A stand-in model that answers by rules: a TOML file beside an agent says what it answers.

    otherwise = "I heard: {text} Which pizza would you like?"

    [[rules]]
    when = "(?P<size>small|large) (?P<pizza>margherita|funghi)"
    say = "A {size} {pizza}. Is that right?"

    [[rules]]
    after = "Is that right"
    when = "yes|right"
    use = "place_order"
    input = { size = "{size}", pizza = "{pizza}" }

    [[rules]]
    result = "place_order"
    say = "It is with you in {minutes} minutes."

Contract: the first rule that fits answers. `when` and `after` are regular expressions, searched
without regard to case, in what the caller said and in what the agent said before it; `result` is
the name of the tool whose result is answered, and `when` is then searched in the result's JSON.
`say` is spoken, `use` is the tool to use. `{name}` stands for a named group of any earlier match,
for a member of a tool's result, and `{text}` for what the caller said; the last value counts. A
tool that the request does not offer is not used. Without a rule that fits, a goodbye is answered
with a goodbye, a result with whether it went well, and anything else with `otherwise`. A tool that
waits for the caller's yes has no result yet: only a rule whose `when` finds `needs_confirmation`
answers it, else it is asked for with "Shall I do that?".
The same request always gets the same reply: nothing is kept between requests.
Errors: `RulesError` names the file, the rule, the field, what is wrong, and the nearest name.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from aybiza.config.kinds import wanted
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed
from aybiza.emulators.bedrock.continuation import Body, Message, merged, text_of
from aybiza.emulators.bedrock.reply import Reply, say, use
from aybiza.emulators.bedrock.responder import ABOUT_THE_CALL, offered_tools, results_of

SUFFIX = ".rules.toml"
OTHERWISE = "I understood: {text} What else can I do for you?"
GOODBYE = "Thank you for calling. Goodbye."
END_CALL = "end_call"
STILL_THERE = "Are you still there?"
NEEDS_YES = "needs_confirmation"
SHALL_I = "Shall I do that?"

_SAYS_GOODBYE = re.compile(r"\b(good ?bye|bye|that(?:'s| is| was) all|hang up)\b", re.I)
_PLACE = re.compile(r"\{(\w+)\}")


class RulesError(ValueError):
    """Rules that cannot be used; `problems` has a line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_is_pattern)]
Words = Annotated[str, Field(min_length=1, max_length=4_000)]
ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Rule(BaseModel):
    """What is answered to what."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    when: Pattern | None = None
    after: Pattern | None = None
    result: ToolName | None = None
    say: Words | None = None
    use: ToolName | None = None
    input: dict[str, Any] = {}

    @model_validator(mode="after")
    def _answers_something(self) -> Rule:
        if self.when is None and self.result is None:
            raise ValueError("needs `when` or `result`: what it answers")
        if self.say is None and self.use is None:
            raise ValueError("needs `say` or `use`: what it answers with")
        return self


class Rules(BaseModel):
    """The file. Called with a request's body, it is a responder."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rules: list[Rule] = []
    otherwise: Words = OTHERWISE

    def __call__(self, body: Body) -> Reply:
        """The reply to the last message; the values come from all messages before it."""
        offered = offered_tools(body)
        values: dict[str, str] = {}
        used: dict[str, str] = {}
        before, reply = "", say(STILL_THERE)
        for message in merged(body["messages"]):
            if message["role"] == "assistant":
                before = text_of(message) or before
                blocks = [block["toolUse"] for block in message["content"] if "toolUse" in block]
                used |= {str(block.get("toolUseId")): str(block.get("name")) for block in blocks}
            else:
                reply = self._answer(message, before, used, values, offered)
        return reply

    def _answer(
        self,
        message: Message,
        before: str,
        used: Mapping[str, str],
        values: dict[str, str],
        offered: frozenset[str],
    ) -> Reply:
        text = text_of(message).strip()
        reply = say(STILL_THERE)
        for identity, result in results_of(message):
            values |= {key: _spoken(value) for key, value in result.items()}
            tool = used.get(identity, "")
            found = json.dumps(result, ensure_ascii=False)
            waits = NEEDS_YES in result
            went = "That did not work." if "error" in result else "That is done."
            ends = tool == END_CALL
            plain = SHALL_I if waits else f"{went} What else can I do for you?"
            reply = self._ruled(tool, found, before, values, offered, waits=waits) or say(
                GOODBYE if ends else plain
            )
        if not text or ABOUT_THE_CALL.match(text):
            return reply
        values["text"] = text if text[-1] in ".?!" else f"{text}."
        return self._ruled(None, text, before, values, offered) or self._plain(
            text, values, offered
        )

    def _ruled(
        self,
        tool: str | None,
        text: str,
        before: str,
        values: dict[str, str],
        offered: frozenset[str],
        *,
        waits: bool = False,
    ) -> Reply | None:
        for rule in self.rules:
            found = re.search(rule.when or "", text, re.I)
            usable = rule.use in offered or rule.say is not None
            if waits and rule.when is None:
                continue
            if rule.result != tool or found is None or not usable:
                continue
            if rule.after is not None and not re.search(rule.after, before, re.I):
                continue
            values |= {name: value for name, value in found.groupdict().items() if value}
            words = _filled(rule.say or "", values)
            if rule.use in offered:
                return use(str(rule.use), _filled(rule.input, values), words)
            return say(words)
        return None

    def _plain(self, text: str, values: Mapping[str, str], offered: frozenset[str]) -> Reply:
        if _SAYS_GOODBYE.search(text):
            return use(END_CALL, {}, GOODBYE) if END_CALL in offered else say(GOODBYE)
        return say(_filled(self.otherwise, values))


def rules_beside(agent: Path) -> Path:
    """Where the rules of an agent's file are, if it has any: `pizza.toml`, `pizza.rules.toml`."""
    return agent.with_name(agent.stem + SUFFIX)


def load_rules(path: Path) -> Rules:
    """The rules of this file. Raises RulesError."""
    try:
        text, table = read_toml(path)
    except TomlError as error:
        raise RulesError([str(error)]) from None
    try:
        return Rules.model_validate(table)
    except ValidationError as error:
        raise RulesError(
            [f"{placed(path, text, each['loc'])}: {_problem(each)}" for each in error.errors()]
        ) from None


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The value with each `{name}` in its texts replaced; a name that is not known stays out."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: values.get(place[1], ""), value)
    if isinstance(value, dict):
        return {key: _filled(part, values) for key, part in value.items()}
    return [_filled(part, values) for part in value] if isinstance(value, list) else value


def _spoken(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _problem(detail: Any) -> str:
    loc = detail["loc"]
    in_rule = len(loc) > 1 and loc[0] == "rules"
    where = f"rule {loc[1] + 1}" if in_rule else ""
    names = [str(part) for part in (loc[2:] if in_rule else loc)]
    field = ".".join(names)
    place = ", ".join(part for part in (where, field) if part)
    if detail["type"] == "extra_forbidden":
        known = (Rule if in_rule else Rules).model_fields
        near = difflib.get_close_matches(names[-1], known, n=1)
        return f"{place} is not known" + (f"; did you mean {near[0]}?" if near else "")
    return f"{place}: {wanted(detail)}"
