"""ToolRegistry: tools of any origin, all run by the same rules.

    registry = ToolRegistry([lookup, booking])
    registry.specs()                       for `toolConfig.tools`
    await registry.run(use)                a JSON-able dict, whatever the tool does

A run is bounded and never raises (but for its own cancellation). Its result is the tool's, or one
that tells the model what is wrong:

===================  ==============================================================================
`error`              when
===================  ==============================================================================
`unknown_tool`       no tool has this name
`bad_input`          the input does not fit the tool's schema; the message names the member
`took_too_long`      the tool had no result within its `seconds`
`failed`             the tool crashed, or its result is not what it promises
`too_many`           a write was done as often as one call, or one caller, may
`not_identified`     the caller is not known to be the one whom the tool concerns
`outcome_unknown`    a write crashed or took too long: it may have been done
any other            the tool's own `ToolError`
===================  ==============================================================================

A tool that asks first (every write, unless it says otherwise) runs only when the caller has agreed
to the very same use (`aybiza.dialogue.consent`); until then its result is `needs_confirmation`.

A confirmed write is done once for a call and tool use: the same again returns what the first gave.

Errors: `ValueError` for a tool that cannot be registered.
Source: specification 001, "Tool Calling" and "MCP Connectors"; Bedrock, Converse, `toolSpec`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import structlog
from jsonschema import Draft202012Validator

from aybiza.config.json_schema import as_json, fault, validator
from aybiza.dialogue.consent import CONFIRMED, FIRST_USE, ConsentGate
from aybiza.dialogue.tool_limits import WRITES_A_CALLER, Identifying, Tally
from aybiza.dialogue.toolbox import Effect, ToolRun

Result: TypeAlias = dict[str, Any]
Schema: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[dict[str, Any], ToolRun], Awaitable[Mapping[str, Any]]]
Identify: TypeAlias = Callable[[dict[str, Any], ToolRun], Awaitable[None]]

LONGEST_SECONDS: Final = 9.0
"""No tool may take longer: whoever waits for it gives up soon after."""
INPUT_CHARACTERS: Final = 16_000
RESULT_CHARACTERS: Final = 16_000
TOO_MUCH: Final = "too_much"
"""The code of a result that is too long to be told."""
_DONE: Final = (
    "The system has answered, at too great a length to be told. Take it as done: do not do it"
    " again."
)
_CHOICES: Final = ("allOf", "anyOf", "oneOf")
"""More than that is nothing for a telephone call."""
REMEMBERED: Final = 10_000
WRITES_A_TOOL: Final = 5
"""Runs of one write in one call, unless its tool says otherwise: who is asked can be worn down."""
WRITES_A_CALL: Final = 12
"""Writes of all tools in one call."""
SCHEMA_BYTES: Final = 64 * 1024
"""Longest input schema, as JSON: each request carries it, and each check walks it."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Bedrock refuses a whole request for one other member.
_MEMBER = re.compile(r"[A-Za-z0-9_.-]{1,64}")

log = structlog.get_logger(__name__)


class ToolError(Exception):
    """What a tool has to say instead of a result, to the model: a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    `run(input, use)` gives the result or raises `ToolError`. Both schemas are JSON Schema 2020-12;
    the input's is an object's. `seconds` limits a run. `confirm`: whether the caller has to agree
    first; None: if it is a write. `most_a_call`: runs of a write in one call; `most_a_caller`: for
    one caller's number in a day. `changes` says in words what a write changes. `identify(input,
    use)` raises `ToolError` unless the caller is known to be the one whom the input concerns; it
    is asked before the caller is, and before `run`. Who fails too often is refused from then on.
    """

    name: str
    description: str
    run: Run
    input_schema: Schema = field(default_factory=lambda: {"type": "object"})
    output_schema: Schema | None = None
    effect: Effect = "none"
    seconds: float = 5.0
    confirm: bool | None = None
    most_a_call: int = WRITES_A_TOOL
    most_a_caller: int = WRITES_A_CALLER
    changes: str = ""
    identify: Identify | None = None

    @property
    def asks_first(self) -> bool:
        """Whether the caller has to agree before a run."""
        return self.effect == "write" if self.confirm is None else self.confirm


@dataclass(slots=True)
class ToolStatistics:
    """Of one tool since it was registered: `runs`, `errors` among their results, `confirmations`
    that were asked for, `seconds` spent in runs."""

    runs: int = 0
    errors: int = 0
    confirmations: int = 0
    seconds: float = 0.0


class ToolRegistry:
    """See the module. Satisfies `aybiza.dialogue.toolbox.Toolbox`; for one event loop.

    `failed` is told why a tool crashed or gave no result that it promises: for its developer. The
    model, and the log, are never.
    """

    def __init__(
        self,
        tools: Iterable[Tool] = (),
        gate: ConsentGate | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._failed = failed
        self._tools: dict[str, _Registered] = {}
        self._gate = gate or ConsentGate()
        self._done: OrderedDict[tuple[str, int, str], Result] = OrderedDict()
        self._written: OrderedDict[str, Counter[str]] = OrderedDict()
        self._callers = Tally(WRITES_A_CALLER)
        self._identifying = Identifying()
        for tool in tools:
            self.register(tool)

    def register(self, tool: Tool) -> None:
        """Add a tool. Raises ValueError if its name is taken or it makes no sense."""
        if tool.name in self._tools:
            raise ValueError(f"there is a tool {tool.name!r} already")
        self._tools[tool.name] = _Registered(tool)

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    @property
    def names(self) -> list[str]:
        """The names of the tools, in the order in which they were registered."""
        return list(self._tools)

    @property
    def tools(self) -> list[Tool]:
        """The tools, in the order in which they were registered."""
        return [registered.tool for registered in self._tools.values()]

    def specs(self) -> list[dict[str, Any]]:
        """The tools for `toolConfig.tools`."""
        return [registered.spec for registered in self._tools.values()]

    def effect(self, name: str) -> Effect:
        """What a run of the tool does besides answering."""
        registered = self._tools.get(name)
        return registered.tool.effect if registered else "none"

    def statistics(self) -> dict[str, ToolStatistics]:
        """What was run so far, by name."""
        return {name: registered.statistics for name, registered in self._tools.items()}

    async def run(self, use: ToolRun) -> Result:
        """The result of one use; see the module."""
        registered = self._tools.get(use.name)
        if registered is None:
            return error("unknown_tool", f"There is no tool {use.name[:64]}.")
        tool, statistics = registered.tool, registered.statistics
        done = self._done.get(use.which) if use.tool_use_id else None
        if done is not None and tool.effect == "write":
            return done
        try:
            given = registered.checked(use.input)
        except ToolError as refused:
            statistics.errors += 1
            return error(refused.code, refused.message)
        refusal = await self._unidentified(tool, given, use)
        if refusal is not None:
            statistics.errors += 1
            return refusal
        if tool.asks_first and not self._gate.agreed(tool.name, use.input, use):
            statistics.confirmations += 1
            return self._gate.ask(use.input, use)
        if tool.effect == "write" and not self._may_write(tool, use):
            statistics.errors += 1
            return error(
                "too_many",
                "Nothing was done: this was done as often as one call, or one caller, may. Say so,"
                " and do not try it again.",
            )
        statistics.runs += 1
        began = time.monotonic()
        result = await self._result(registered, given, use)
        statistics.seconds += time.monotonic() - began
        if "error" in result:
            statistics.errors += 1
            if tool.effect == "write" and result["error"] != "outcome_unknown":
                self._written[use.call_id][tool.name] -= 1  # nothing was done
                self._callers.take_back((use.caller, tool.name))
        elif tool.effect == "write" and use.tool_use_id:
            _remember(self._done, use.which, result)
        return result

    async def _unidentified(self, tool: Tool, given: dict[str, Any], use: ToolRun) -> Result | None:
        """The refusal of a caller who is not known to be the one whom the tool concerns."""
        if tool.identify is None:
            return None
        if self._identifying.over(use.call_id, use.caller):
            return error("not_identified", "Too often wrong: offer a person, and do not go on.")
        try:
            async with asyncio.timeout(tool.seconds):
                await tool.identify(given, use)
        except ToolError as refused:
            self._identifying.failed(use.call_id, use.caller)
            return error(refused.code, refused.message)
        except Exception as failure:  # of the tool's own code: nobody is let in by its fault
            kind = type(failure).__name__
            log.warning("tool_identify_failed", tool=tool.name, call_id=use.call_id, kind=kind)
            return error("not_identified", "The caller could not be identified. Offer a person.")
        return None

    def _may_write(self, tool: Tool, use: ToolRun) -> bool:
        """Count a write, if the call has one left of this tool and of all, and the caller, too."""
        written = self._written.setdefault(use.call_id, Counter())
        caller = (use.caller, tool.name)
        if (
            written[tool.name] >= tool.most_a_call
            or written.total() >= WRITES_A_CALL
            or (use.caller and self._callers.full(caller, tool.most_a_caller))
        ):
            log.warning("tool_writes_reached", tool=tool.name, call_id=use.call_id)
            return False
        written[tool.name] += 1
        self._callers.add(caller)
        _remember(self._written, use.call_id, written)  # the oldest calls are over
        return True

    async def _result(self, registered: _Registered, given: dict[str, Any], use: ToolRun) -> Result:
        tool = registered.tool
        try:
            async with asyncio.timeout(tool.seconds) as limit:
                result = await tool.run(given, use)
            return registered.promised(result)
        except ToolError as refused:
            if refused.code == TOO_MUCH and tool.effect == "write":
                return error("answer_too_long", _DONE)
            return error(refused.code, refused.message)
        except TimeoutError:
            ours = limit.expired()
            log.warning("tool_took_too_long", tool=tool.name, call_id=use.call_id, our_limit=ours)
            return _unknown(tool) or error(
                "took_too_long", "The tool gave no answer in time. Say so, or go on without it."
            )
        except Exception as failure:
            # Its text may hold what the caller said.
            kind = type(failure).__name__
            if self._failed is not None:
                self._failed(failure)
            log.warning("tool_crashed", tool=tool.name, call_id=use.call_id, kind=kind)
            return _unknown(tool) or error("failed", "The tool did not work.")


class _Registered:
    """A tool with what is made of it once."""

    def __init__(self, tool: Tool) -> None:
        if not _NAME.fullmatch(tool.name):
            raise ValueError(
                f"tool name {tool.name!r}: use 1 to 64 letters, digits, underscores or hyphens"
            )
        if not 0 < tool.seconds <= LONGEST_SECONDS:
            raise ValueError(f"{tool.name}: seconds is {tool.seconds}, not 0 to {LONGEST_SECONDS}")
        self.tool = tool
        self.statistics = ToolStatistics()
        self._input = _validator(tool.name, "input", tool.input_schema)
        self._output = (
            _validator(tool.name, "output", tool.output_schema) if tool.output_schema else None
        )
        self.spec: dict[str, Any] = {
            "toolSpec": {
                "name": tool.name,
                "description": tool.description + (FIRST_USE if tool.asks_first else ""),
                "inputSchema": {"json": _told(tool)},
            }
        }

    def checked(self, given: object) -> dict[str, Any]:
        """The input without `confirmed`, as JSON carries it; raises ToolError."""
        if not isinstance(given, dict):
            raise ToolError("bad_input", f"{self.tool.name} takes an object.")
        meant = {k: v for k, v in given.items() if k != CONFIRMED or not self.tool.asks_first}
        text = as_json(meant)
        if text is None or len(text) > INPUT_CHARACTERS:
            raise ToolError("bad_input", f"{self.tool.name} takes short JSON values.")
        wrong = fault(self._input, meant)
        if wrong is not None:
            raise ToolError("bad_input", wrong)
        return meant

    def promised(self, result: object) -> Result:
        """The result, if it is one; raises TypeError or ValueError."""
        if not isinstance(result, Mapping):
            raise TypeError("the result is no mapping")
        kept = dict(result)
        text = as_json(kept)
        if text is None:
            raise ValueError("the result is not JSON")
        if len(text) > RESULT_CHARACTERS:
            raise ToolError(TOO_MUCH, "That is more than can be told. Ask for less.")
        check = self._output if "error" not in kept else None
        wrong = None if check is None else fault(check, kept)
        if wrong is not None:
            raise ValueError(f"the result does not fit its schema: {wrong}")
        return kept


def error(code: str, message: str) -> Result:
    """A result that tells the model what is wrong."""
    return {"error": code, "message": message}


def _unknown(tool: Tool) -> Result | None:
    """What to say of a write that broke off."""
    if tool.effect != "write":
        return None
    return error(
        "outcome_unknown",
        "It is not known whether this was done. Do not try it again by yourself: tell the caller,"
        " or look it up first.",
    )


def _told(tool: Tool) -> Schema:
    """The input schema that the model is shown."""
    if tool.asks_first and CONFIRMED in tool.input_schema.get("properties", {}):
        raise ValueError(f"{tool.name}: the member {CONFIRMED!r} is the registry's own")
    return shown_schema(tool.input_schema)


def shown_schema(schema: Schema) -> dict[str, Any]:
    """An input schema as a model may be shown it: Claude refuses a whole request for a tool that
    chooses at its top level. The members of the branches are shown, and all of them may be left
    out; inputs are still held against the schema itself.

    >>> shown_schema({"type": "object", "anyOf": [{"properties": {"pid": {"type": "integer"}}}]})
    {'type': 'object', 'properties': {'pid': {'type': 'integer'}}}
    """
    shown = {key: value for key, value in schema.items() if key not in _CHOICES}
    if len(shown) == len(schema):
        return shown
    members: dict[str, Any] = {}
    for branch in (one for key in _CHOICES for one in schema.get(key, ())):
        within = branch.get("properties") if isinstance(branch, Mapping) else None
        for name, member in within.items() if isinstance(within, Mapping) else ():
            if _MEMBER.fullmatch(str(name)):
                members.setdefault(name, member)
    if members:
        shown["properties"] = {**members, **shown.get("properties", {})}
    return shown


def _validator(name: str, which: str, schema: Schema) -> Draft202012Validator:
    if which == "input" and schema.get("type") != "object":
        raise ValueError(f"{name}: the input schema must be of type object")
    members = schema.get("properties")
    for member in members if which == "input" and isinstance(members, Mapping) else ():
        if not _MEMBER.fullmatch(str(member)):
            raise ValueError(
                f"{name}: the input's member {member!r}: use 1 to 64 letters, digits, dots,"
                " underscores or hyphens, as Converse does"
            )
    text = as_json(schema)
    if which == "input" and text is not None and len(text) > SCHEMA_BYTES:
        raise ValueError(
            f"{name}: the input schema has {len(text)} bytes, more than {SCHEMA_BYTES}"
        )
    return validator(schema, f"{name}: the {which} schema")


def _remember(memory: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
