"""Delays and faults on demand: how the emulator is told to be slow, or to break.

Contract: `Pace` says when the tokens come. A `Fault` waits in the `FaultQueue` until a request
that it matches arrives, and is used up by it; faults are looked at in the order in which they
were added, and one request takes one fault at most. Pure: the clock and the chance are handed in.
Errors: `ValueError` for a pace or a fault that makes no sense; its text names the member, the
value and what is allowed.
Source: Bedrock: error codes of Converse and ConverseStream; Amazon event stream encoding.
"""

from __future__ import annotations

import difflib
import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Literal

HTTP_ERRORS: dict[str, int] = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ValidationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
}
STREAM_EXCEPTIONS = frozenset(
    {
        "internalServerException",
        "modelStreamErrorException",
        "validationException",
        "throttlingException",
        "serviceUnavailableException",
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table. `parameters` are those beside kind and which requests are struck.

    `where`: `before` anything was answered, in the `stream`, or in the `answer` itself, with or
    without a stream.
    """

    where: Literal["before", "stream", "answer"]
    parameters: tuple[str, ...]
    meaning: str


KINDS: dict[str, Kind] = {
    "http_error": Kind("before", ("code", "message"), "the answer is the HTTP error of code"),
    "slow_header": Kind("before", ("seconds",), "nothing comes for so long, then the answer"),
    "no_answer": Kind("before", (), "the connection is closed instead of answering"),
    "stream_exception": Kind(
        "stream", ("code", "message", "after"), "after so many deltas the exception code ends it"
    ),
    "stream_error": Kind(
        "stream", ("code", "message", "after"), "after so many deltas an unmodelled error ends it"
    ),
    "fin": Kind("stream", ("after",), "after so many deltas it closes in the middle of a chunk"),
    "rst": Kind("stream", ("after",), "after so many deltas the connection is reset"),
    "stall": Kind(
        "stream",
        ("after", "seconds"),
        "after so many deltas nothing comes for seconds, or ever (null)",
    ),
    "trickle": Kind("stream", ("after", "seconds"), "after so many deltas one comes every seconds"),
    "silent_end": Kind(
        "stream", ("after",), "after so many deltas the body ends cleanly, without messageStop"
    ),
    "bad_crc": Kind("stream", ("after",), "delta number after has a CRC that does not hold"),
    "garbage_tool_json": Kind(
        "stream", (), "tool input is no JSON (waits for a reply that uses a tool)"
    ),
    "unknown_event": Kind(
        "stream", ("after",), "after so many deltas comes an event that no client knows"
    ),
    "stop": Kind(
        "answer", ("code", "after"), "after so many deltas it stops; code is the stopReason"
    ),
    "cut_tool": Kind(
        "answer", ("after",), "max_tokens cuts tool input after so many fragments (waits for one)"
    ),
    "empty_tool_input": Kind(
        "answer", (), "a tool is used with the empty input (waits for a reply that uses a tool)"
    ),
    "empty_message": Kind("answer", (), "a tool's result is answered without any content"),
}
BEFORE_STREAM = tuple(name for name, kind in KINDS.items() if kind.where == "before")
IN_STREAM = tuple(name for name, kind in KINDS.items() if kind.where == "stream")
STOP_REASONS = (
    "max_tokens",
    "end_turn",
    "tool_use",
    "stop_sequence",
    "guardrail_intervened",
    "content_filtered",
    "malformed_model_output",
    "malformed_tool_use",
    "model_context_window_exceeded",
)
_NEED_A_TOOL = frozenset({"garbage_tool_json", "cut_tool", "empty_tool_input"})
ENDING = frozenset({"stream_exception", "stream_error", "fin", "rst", "silent_end"})

_DEFAULT_CODES = {
    "http_error": "ThrottlingException",
    "stream_exception": "modelStreamErrorException",
    "stream_error": "InternalFailure",
    "stop": "max_tokens",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """When a reply's tokens come, in milliseconds.

    `header_ms`: from the request's arrival to the response header. `first_token_ms`: from arrival
    to the first event. `per_delta_ms`: from delta to delta. `jitter`: each delay is stretched or
    shortened by up to this share of itself (0 to 1).
    """

    first_token_ms: float = 0.0
    per_delta_ms: float = 0.0
    jitter: float = 0.0
    header_ms: float = 0.0

    def __post_init__(self) -> None:
        for name in ("first_token_ms", "per_delta_ms", "header_ms"):
            _need(self, name, _is_number(getattr(self, name)), "a number from 0 to 600000")
        _need(self, "jitter", _is_number(self.jitter, 1.0), "a number from 0 to 1")

    def seconds(self, milliseconds: float, chance: random.Random) -> float:
        """A delay of about so many milliseconds, in seconds."""
        return milliseconds * (1.0 + self.jitter * chance.uniform(-1.0, 1.0)) / 1000.0

    def as_json(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_json(cls, members: object) -> Pace:
        return cls(**_known_members(cls, members))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `kind`: one of `KINDS`. `code`: the error's code, for the kinds that send one. `after`: how
    many deltas go out first. `seconds`: how long it lasts (None: until the client leaves).
    Which requests: `model` (a glob over the decoded model id), `call` (a glob over the values of
    `requestMetadata`), `operation` (`converse`, `converse-stream` or `*`); `skip` of them pass
    before it strikes, `times` are struck (None: all).
    """

    kind: str
    code: str = ""
    message: str = ""
    after: int = 0
    seconds: float | None = None
    model: str = "*"
    call: str = "*"
    operation: str = "*"
    skip: int = 0
    times: int | None = 1

    def __post_init__(self) -> None:
        for name in ("kind", "code", "message", "model", "call", "operation"):
            _need(self, name, isinstance(getattr(self, name), str), "a string")
        allowed = f"one of {', '.join(KINDS)}{near(self.kind, KINDS)}"
        _need(self, "kind", self.kind in KINDS, allowed)
        if self.kind == "http_error":
            _need(self, "code", self.error_code in HTTP_ERRORS, f"one of {', '.join(HTTP_ERRORS)}")
        if self.kind == "stream_exception":
            allowed = f"one of {', '.join(sorted(STREAM_EXCEPTIONS))}"
            _need(self, "code", self.error_code in STREAM_EXCEPTIONS, allowed)
        if self.kind == "stop":
            allowed = f"one of {', '.join(STOP_REASONS)}{near(self.error_code, STOP_REASONS)}"
            _need(self, "code", self.error_code in STOP_REASONS, allowed)
        _need(self, "after", _is_count(self.after), "a whole number from 0")
        _need(self, "skip", _is_count(self.skip), "a whole number from 0")
        times_ok = self.times is None or (_is_count(self.times) and self.times > 0)
        _need(self, "times", times_ok, "a whole number from 1, or null")
        seconds_ok = self.seconds is None or _is_number(self.seconds)
        _need(self, "seconds", seconds_ok, "a number from 0 to 600000, or null")

    @property
    def needs_tool(self) -> bool:
        """Whether it waits for a reply that uses a tool."""
        return self.kind in _NEED_A_TOOL

    @property
    def ends_stream(self) -> bool:
        """Whether what it strikes does not come to its end."""
        return self.kind in ENDING

    @property
    def error_code(self) -> str:
        return self.code or _DEFAULT_CODES.get(self.kind, "")

    @property
    def error_message(self) -> str:
        return self.message or f"{self.error_code} on demand"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, members: object) -> Fault:
        known = _known_members(cls, members)
        if "kind" not in known:
            raise ValueError(f"a fault needs a kind: one of {', '.join(KINDS)}")
        return cls(**known)


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    skip: int
    times: int | None


class FaultQueue:
    """The faults that wait for their request."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, *faults: Fault) -> None:
        """Put faults at the end of the queue."""
        self._waiting += [_Waiting(fault, fault.skip, fault.times) for fault in faults]

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """The faults that are not used up, oldest first."""
        return [entry.fault for entry in self._waiting]

    def take(
        self,
        model_id: str,
        operation: str,
        metadata: Mapping[str, str],
        *,
        uses_tool: bool = False,
        has_result: bool = False,
    ) -> Fault | None:
        """The first fault that strikes this request, if any; it counts as used once."""
        for entry in self._waiting:
            if not _matches(entry.fault, model_id, operation, metadata, uses_tool, has_result):
                continue
            if entry.skip > 0:
                entry.skip -= 1
                continue
            if entry.times is not None:
                entry.times -= 1
                if entry.times == 0:
                    self._waiting.remove(entry)
            return entry.fault
        return None


def _matches(
    fault: Fault,
    model_id: str,
    operation: str,
    metadata: Mapping[str, str],
    uses_tool: bool,
    has_result: bool,
) -> bool:
    return (
        fnmatchcase(model_id, fault.model)
        and fnmatchcase(operation, fault.operation)
        and (fault.call == "*" or any(fnmatchcase(v, fault.call) for v in metadata.values()))
        and (fault.kind not in IN_STREAM or operation == "converse-stream")
        and (fault.kind not in _NEED_A_TOOL or uses_tool)
        and (fault.kind != "empty_message" or has_result)
    )


def _known_members(cls: type[Pace] | type[Fault], members: object) -> dict[str, Any]:
    if not isinstance(members, Mapping):
        raise ValueError(f"{cls.__name__.lower()}: a JSON object is needed, not {members!r:.80}")
    names = [field.name for field in fields(cls)]
    unknown = [name for name in members if name not in names]
    if unknown:
        hint = near(str(unknown[0]), names)
        raise ValueError(
            f"{cls.__name__.lower()}: unknown {unknown[0]!r:.80}; known: {names}{hint}"
        )
    return dict(members)


def near(given: str, names: Iterable[str]) -> str:
    """A hint at the names that are nearest to one that there is not."""
    found = difflib.get_close_matches(given, list(names), 3)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _is_number(value: object, most: float = 600_000.0) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000


def _need(owner: Pace | Fault, name: str, holds: bool, allowed: str) -> None:
    if not holds:
        kind = type(owner).__name__.lower()
        raise ValueError(f"{kind}.{name} is {getattr(owner, name)!r:.80}; allowed: {allowed}")
