"""The events of the application, and what each of them tells.

    emit(vm, TURN_ANSWERED, seconds=0.8, call_id=…, turn=3)

`EVENTS` is the list of all, those of the runtime included: what an event means, its measurements
(numbers; times in seconds) and its metadata. Handlers are attached by
`vm.telemetry.attach(id, event, function)`, see `aybiza.actors.runtime.telemetry`; the metrics of
the node are one such handler. Nothing that callers or agents have said is in any event.

Errors: none; `emit` never raises, waits for nothing, and costs a look into a dict where nobody
listens.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from aybiza.actors.runtime import VM
from aybiza.actors.runtime import telemetry as runtime
from aybiza.actors.runtime.telemetry import Event


class Told(NamedTuple):
    """The declaration of an event: what it means, its measurements, its metadata."""

    meaning: str
    measurements: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()


CALL_START: Final[Event] = ("aybiza", "call", "start")
CALL_STOP: Final[Event] = ("aybiza", "call", "stop")
CALL_REFUSED: Final[Event] = ("aybiza", "call", "refused")
CALL_TRANSFERRED: Final[Event] = ("aybiza", "call", "transferred")
CALL_ANSWERED: Final[Event] = ("aybiza", "call", "answered")
OUTBOUND_REFUSED: Final[Event] = ("aybiza", "outbound", "refused")
OUTBOUND_SETTLED: Final[Event] = ("aybiza", "outbound", "settled")
OUTBOUND_PLACED: Final[Event] = ("aybiza", "outbound", "placed")
TURN_START: Final[Event] = ("aybiza", "turn", "start")
TURN_ENDED: Final[Event] = ("aybiza", "turn", "ended")
TURN_FIRST_SENTENCE: Final[Event] = ("aybiza", "turn", "first_sentence")
TURN_MEASURED: Final[Event] = ("aybiza", "turn", "measured")
TURN_ANSWERED: Final[Event] = ("aybiza", "turn", "answered")
TURN_INTERRUPTED: Final[Event] = ("aybiza", "turn", "interrupted")
TURN_UNDERSTOOD: Final[Event] = ("aybiza", "turn", "understood")
TURN_STOP: Final[Event] = ("aybiza", "turn", "stop")
TURN_JUDGED: Final[Event] = ("aybiza", "turn", "judged")
REQUEST_START: Final[Event] = ("aybiza", "request", "start")
REQUEST_FIRST_TOKEN: Final[Event] = ("aybiza", "request", "first_token")
REQUEST_STOP: Final[Event] = ("aybiza", "request", "stop")
EAGER_ANSWER: Final[Event] = ("aybiza", "answer", "eager")
ANSWER_LOOKED_UP: Final[Event] = ("aybiza", "answer", "looked_up")
CHOICE: Final[Event] = ("aybiza", "model", "chosen")
EXPERIMENT: Final[Event] = ("aybiza", "experiment", "turn")
COST: Final[Event] = ("aybiza", "cost", "charged")
QUOTA: Final[Event] = ("aybiza", "quota", "reached")
TOOL: Final[Event] = ("aybiza", "tool")
"""A span: its events are `TOOL_START` and then `TOOL_STOP` or `TOOL_EXCEPTION`."""
TOOL_START: Final[Event] = (*TOOL, "start")
TOOL_STOP: Final[Event] = (*TOOL, "stop")
TOOL_EXCEPTION: Final[Event] = (*TOOL, "exception")
TOOL_FAILED: Final[Event] = ("aybiza", "tool", "failed")
BREAKER: Final[Event] = ("aybiza", "breaker", "change")
FRAMES_MENDED: Final[Event] = ("aybiza", "frames", "mended")
SOCKET_OPENED: Final[Event] = ("aybiza", "socket", "opened")
SOCKET_CLOSED: Final[Event] = ("aybiza", "socket", "closed")
SOCKET_FAILED: Final[Event] = ("aybiza", "socket", "failed")
SPEECH_FINAL: Final[Event] = ("aybiza", "speech", "final")
SPEECH_FIRST_AUDIO: Final[Event] = ("aybiza", "speech", "first_audio")
TEXT_PASSED_OVER: Final[Event] = ("aybiza", "speech", "passed_over")
PROVIDER_ERROR: Final[Event] = ("aybiza", "provider", "error")
PROVIDER_WORKED: Final[Event] = ("aybiza", "provider", "worked")
DOOR_REFUSED: Final[Event] = ("aybiza", "door", "refused")
MEMORY_DROPPED: Final[Event] = ("aybiza", "memory", "dropped")
MEMORY_REFUSED: Final[Event] = ("aybiza", "memory", "refused")
SINK_FAILED: Final[Event] = ("aybiza", "sink", "failed")
SINK_LOST: Final[Event] = ("aybiza", "sink", "lost")
OPERATOR: Final[Event] = ("aybiza", "operator", "acted")
METRIC: Final[Event] = ("aybiza", "metric", "put")
FIGURES: Final[Event] = ("aybiza", "figures", "taken")
RECORDING_NOT_UP: Final[Event] = ("aybiza", "recording", "not_up")
RECORDINGS_WAITING: Final[Event] = ("aybiza", "recording", "waiting")
RECORDING_LOST: Final[Event] = ("aybiza", "recording", "lost")
AGENT_FILES: Final[Event] = ("aybiza", "agents", "files")
STORE_FAILED: Final[Event] = ("aybiza", "store", "failed")
CERTIFICATE: Final[Event] = ("aybiza", "certificate", "shown")
FAULT_STRUCK: Final[Event] = ("aybiza", "fault", "struck")

_TURN = ("call_id", "turn")
_SOCKET = ("socket", "call_id", "reason")
_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")

EVENTS: Final[dict[Event, Told]] = {
    runtime.PROCESS_START: Told("A process was started", (), ("pid", "actor", "parent")),
    runtime.PROCESS_STOP: Told("A process is over", (), ("pid", "actor", "reason")),
    runtime.PROCESS_CRASH: Told(
        "A process ended by a fault of its own, or had to be given up",
        (),
        ("pid", "actor", "reason"),
    ),
    runtime.SUPERVISOR_RESTART: Told("A child was started again", (), ("pid", "actor")),
    runtime.MAILBOX_ALARM: Told("A mailbox is long", ("length",), ("pid", "actor")),
    runtime.LOOP_BLOCKED: Told(
        "A callback held the loop",
        ("seconds",),
        ("pid", "name", "server", "callback", "at", "inside"),
    ),
    runtime.REMOTE_QUEUE_FULL: Told("Too much waits for a node", (), ("node",)),
    CALL_START: Told(
        "A call has its session", (), ("call_id", "tenant", "agent", "country", "carrier")
    ),
    CALL_STOP: Told("A call is over", ("turns", "seconds", "micro_usd"), ("call_id", "outcome")),
    CALL_REFUSED: Told("A call was not taken: the node is full", (), ("call_id", "outcome")),
    CALL_TRANSFERRED: Told(
        "It is known what came of putting a caller through", (), ("call_id", "outcome")
    ),
    CALL_ANSWERED: Told(
        "Who has answered a call that was placed (human, machine, unknown), and what tells it",
        (),
        ("call_id", "by", "why"),
    ),
    OUTBOUND_PLACED: Told(
        "The carrier is asked to place a call; campaign: empty for a single one",
        (),
        ("attempt", "campaign", "agent"),
    ),
    OUTBOUND_REFUSED: Told(
        "A call is not placed, by the rules of outgoing calls", (), ("campaign", "reason")
    ),
    OUTBOUND_SETTLED: Told(
        "It is known what came of a call that was placed",
        ("seconds",),
        ("attempt", "campaign", "call_id", "outcome", "code"),
    ),
    TURN_START: Told("The caller has said something that is answered", (), _TURN),
    TURN_ENDED: Told(
        "A turn of the caller is over; outcome: answered, cached, apology, refused, interrupted",
        (),
        (*_TURN, "outcome"),
    ),
    TURN_FIRST_SENTENCE: Told("A turn's first sentence is there", (), _TURN),
    TURN_MEASURED: Told(
        "What is known of a turn whose answer is over; edge_ms: from the edge network to here",
        (
            *("total_ms", "first_token_ms", "generation_ms", "complexity", "edge_ms", "tools"),
            *("micro_usd", "optimal_micro_usd", *_TOKENS),
        ),
        (
            *(*_TURN, "tenant", "agent", "country", "model", "region", "optimal"),
            *("stop_reason", "cache", "rule", "experiment", "arm"),
        ),
    ),
    TURN_ANSWERED: Told(
        "From the end of the caller's speech to the first audio of the answer itself",
        ("seconds",),
        _TURN,
    ),
    TURN_INTERRUPTED: Told("The caller cut an answer short", (), _TURN),
    TURN_UNDERSTOOD: Told(
        "How a turn of the caller sounds (mood: -100 to 100), and what it is about by the agent's"
        " table",
        ("mood",),
        (*_TURN, "intent"),
    ),
    TURN_STOP: Told("From the caller's words to the last sentence", ("seconds",), _TURN),
    TURN_JUDGED: Told(
        "Whether the model that answered was the fitting one", (), ("call_id", "fit")
    ),
    REQUEST_START: Told("A request goes to a model", (), (*_TURN, "model", "region")),
    REQUEST_FIRST_TOKEN: Told(
        "From a request to the model's first text", ("seconds",), (*_TURN, "model", "region")
    ),
    REQUEST_STOP: Told(
        "A model's message is complete",
        ("seconds", "tools", *_TOKENS),
        (*_TURN, "model", "region", "stop_reason"),
    ),
    EAGER_ANSWER: Told(
        "An answer that was begun before the caller was surely done; outcome: taken, dropped",
        (),
        ("call_id", "outcome"),
    ),
    ANSWER_LOOKED_UP: Told(
        "Whether a first question was answered before; outcome: exact, shared, similar, late, miss",
        (),
        ("call_id", "outcome"),
    ),
    CHOICE: Told("A model was chosen for a turn", (), ("rule", "model")),
    EXPERIMENT: Told("A turn is part of an experiment", (), ("experiment", "arm")),
    COST: Told(
        "Something was charged for; what: model, listen, speak, carrier, embed; quantity: output"
        " tokens, seconds, characters, minutes, tokens; estimated: by what had come of an answer"
        " that broke off",
        ("usd", "micro_usd", "quantity", *_TOKENS),
        (*_TURN, "tenant", "agent", "what", "model", "region", "estimated"),
    ),
    QUOTA: Told("A quota is reached", (), ("scope", "action")),
    TOOL_START: Told("A tool begins", ("monotonic",), (*_TURN, "tool", "effect")),
    TOOL_STOP: Told(
        "A tool has an outcome", ("monotonic", "seconds"), (*_TURN, "tool", "effect", "outcome")
    ),
    TOOL_EXCEPTION: Told(
        "A tool crashed or hung", ("monotonic", "seconds"), (*_TURN, "tool", "effect", "error")
    ),
    TOOL_FAILED: Told(
        "A tool has an error for its outcome; how: error, crash", (), (*_TURN, "tool", "how")
    ),
    BREAKER: Told(
        "A breaker changed; its state is 0 closed, 1 half open, 2 open", ("state",), ("model",)
    ),
    SOCKET_OPENED: Told("A socket to a speech service is open", (), _SOCKET[:2]),
    SOCKET_CLOSED: Told("An open one has ended", (), _SOCKET),
    SOCKET_FAILED: Told("None could be had, at this attempt", (), _SOCKET),
    SPEECH_FINAL: Told(
        "From the end of speech to its final transcript", ("seconds",), ("call_id",)
    ),
    SPEECH_FIRST_AUDIO: Told("From a sentence to its first audio", ("seconds",), (*_TURN, "seq")),
    TEXT_PASSED_OVER: Told("A text was passed over: no voice would say it", (), ("call_id",)),
    PROVIDER_ERROR: Told(
        'A provider failed; a model where one was asked, else ""',
        (),
        ("provider", "kind", *_TURN, "model", "region"),
    ),
    PROVIDER_WORKED: Told("A provider did what it is for", (), ("provider", "call_id")),
    DOOR_REFUSED: Told("A door refused a request or a connection", (), ("door", "reason")),
    SINK_FAILED: Told("A sink did not take a batch", (), ("sink", "reason")),
    SINK_LOST: Told("A sink lost items", ("count",), ("sink",)),
    OPERATOR: Told("An operator had a node do something", (), ("who", "did", "what")),
    METRIC: Told(
        "Figures for who takes whole sets of them; at: unix time", (), ("name", "metrics", "at")
    ),
    FIGURES: Told(
        "All metrics as they stand (`aybiza.actors.measures.figures`)", (), ("snapshot",)
    ),
    RECORDING_NOT_UP: Told("The bucket has not taken a recording; it stays on the disk"),
    RECORDINGS_WAITING: Told("So many recordings are not in the bucket yet", ("waiting",)),
    RECORDING_LOST: Told(
        "Some of a call could not be recorded, for the disk did not take it",
        ("seconds",),
        ("call_id",),
    ),
    AGENT_FILES: Told(
        "Files of agents or routes have changed; outcome: taken, refused", (), ("outcome",)
    ),
    FRAMES_MENDED: Told(
        "A stream has ended, so many of whose frames did not come one behind the other; how: "
        "reordered, doubled, late, missing",
        ("count",),
        ("call_id", "how"),
    ),
    STORE_FAILED: Told(
        "A store of the memory, or the Redis that nodes share, did not do what was asked",
        (),
        ("store",),
    ),
    CERTIFICATE: Told("The doors show a certificate; ends: the Unix time of its end", ("ends",)),
    MEMORY_DROPPED: Told(
        "A store will not have entries of a call", ("count",), ("call_id", "store")
    ),
    MEMORY_REFUSED: Told(
        "A store refused entries: another node has the call by now", (), ("call_id", "store")
    ),
    FAULT_STRUCK: Told("A fault of a plan struck, on somebody's order", (), ("what", "by")),
}


def emit(vm: VM, event: Event, /, **told: Any) -> None:
    """Tell who listens of `event`; what its declaration names as measurements is one, the rest is
    metadata."""
    if not vm.telemetry.heard(event):
        return
    names = EVENTS[event].measurements
    measurements = {name: told.pop(name) for name in names if name in told}
    vm.telemetry.execute(event, measurements, told)
