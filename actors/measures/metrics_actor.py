"""`MetricsActor`: what is counted and measured on this node, as Prometheus text.

    count(vm, "aybiza_turns_total")
    observe(vm, "aybiza_first_token_seconds", 0.31)
    text = await render(vm)

Every metric is declared in `METRICS`. They are fed by the events of the node, as `FEEDS` says;
what is in `MEASURED` is looked up when the text is made. The figures stand in a table of the VM
and outlive the actor. Requests: casts `("increment", name, labels, amount)`,
`("set", name, labels, value)`, `("observe", name, value, labels)`; call `"render"`.

Errors: none reach the sender. An unknown name, wrong labels or a value that is no number is
logged once and dropped. A metric keeps at most `MAX_SERIES` combinations of label values; further
ones are counted under the value "other".
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from aybiza.actors.measures import events
from aybiza.actors.names import METRICS as NAME
from aybiza.actors.node import refusals
from aybiza.actors.runtime import VM, CallExit, From, GenServer, telemetry
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.numbers import finite

log = structlog.get_logger(__name__)

MAX_SERIES = 200
MAX_COMPLAINTS = 100
MAX_LABEL_CHARACTERS = 100
RENDER_SECONDS = 2.0

TABLE: Final = "metrics"
OTHER: Final = "other"
CALL_LABEL: Final = "CallSession"
"""What the process that holds a call together is called."""

LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """The declaration of a metric: what it is, what it means, which labels it takes."""

    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Metric]] = {
    "aybiza_calls_total": Metric("counter", "Calls that ended", ("outcome",)),
    "aybiza_transfers_total": Metric(
        "counter", "Callers put through, by what came of it", ("outcome",)
    ),
    "aybiza_answered_total": Metric(
        "counter", "Calls that were placed, by who has answered, and what told it", ("by", "why")
    ),
    "aybiza_outbound_placed_total": Metric(
        "counter", "Calls that a carrier was asked to place", ("campaign",)
    ),
    "aybiza_outbound_refused_total": Metric(
        "counter", "Calls that the rules held back, by the reason", ("campaign", "reason")
    ),
    "aybiza_outbound_settled_total": Metric(
        "counter", "Calls that were placed, by what came of them", ("campaign", "outcome")
    ),
    "aybiza_calls_active": Metric("gauge", "Calls under way"),
    "aybiza_eager_answers_total": Metric(
        "counter", "Answers begun before the caller was surely done", ("outcome",)
    ),
    "aybiza_answers_looked_up_total": Metric(
        "counter",
        "First questions by whether the answer was known: exact, shared by another node, similar,"
        " late (the model was first), miss",
        ("outcome",),
    ),
    "aybiza_turns_total": Metric(
        "counter",
        "Turns of callers: answered, by a cached answer, an apology, a refusal, or interrupted",
        ("outcome",),
    ),
    "aybiza_barge_ins_total": Metric("counter", "Answers that a caller cut short"),
    "aybiza_turn_response_seconds": Metric(
        "histogram", "From the end of the caller's speech to the first audio of the answer"
    ),
    "aybiza_first_token_seconds": Metric(
        "histogram", "From a request to Claude's first text", ("model",)
    ),
    "aybiza_tts_first_audio_seconds": Metric("histogram", "From a sentence to its first audio"),
    "aybiza_texts_passed_over_total": Metric(
        "counter", "Texts that no voice would say and that were passed over"
    ),
    "aybiza_stt_final_seconds": Metric(
        "histogram", "From the end of speech to its final transcript"
    ),
    "aybiza_tokens_total": Metric("counter", "Tokens of Claude's models", ("model", "kind")),
    "aybiza_cost_usd_total": Metric(
        "counter", "What calls cost, in USD: models, speech, carriers", ("what", "model")
    ),
    "aybiza_quotas_reached_total": Metric(
        "counter", "Quotas that were reached", ("scope", "action")
    ),
    "aybiza_choices_total": Metric(
        "counter", "Answers by what chose their model", ("rule", "model")
    ),
    "aybiza_experiment_turns_total": Metric(
        "counter", "Turns in an experiment", ("experiment", "arm")
    ),
    "aybiza_conversation_seconds": Metric(
        "histogram", "From the caller's words to the last sentence of the answer"
    ),
    "aybiza_model_seconds": Metric(
        "histogram", "From a request to the end of its stream", ("model",)
    ),
    "aybiza_tools_called_total": Metric("counter", "Tools that models have asked for"),
    "aybiza_model_fit_total": Metric(
        "counter", "Turns by whether the model that answered was the fitting one", ("fit",)
    ),
    "aybiza_sink_failures_total": Metric("counter", "Batches that a sink did not take", ("sink",)),
    "aybiza_sink_lost_total": Metric("counter", "Items that a sink has not got", ("sink",)),
    "aybiza_frames_mended_total": Metric(
        "counter", "Frames of callers that were reordered, doubled, late or missing", ("how",)
    ),
    "aybiza_memory_dropped_total": Metric(
        "counter", "Entries of journals that a store of the memory will not have", ("store",)
    ),
    "aybiza_memory_refused_total": Metric(
        "counter", "Calls that another node had taken when this one still wrote", ("store",)
    ),
    "aybiza_errors_total": Metric(
        "counter", "Errors of the providers", ("provider", "kind", "model", "region")
    ),
    "aybiza_refused_total": Metric(
        "counter", "Requests and connections that the doors have refused", ("door", "reason")
    ),
    "aybiza_recording_upload_failures_total": Metric(
        "counter", "Recordings that the bucket has not taken when it was asked"
    ),
    "aybiza_recordings_waiting": Metric("gauge", "Recordings that are not in the bucket yet"),
    "aybiza_recording_lost_seconds_total": Metric(
        "counter", "Seconds of calls that could not be recorded, for the disk did not take them", ()
    ),
    "aybiza_agent_files_total": Metric(
        "counter", "Changes of agents' files: taken up, or refused for a fault", ("outcome",)
    ),
    "aybiza_faults_injected_total": Metric(
        "counter", "Faults that plans have injected, by who asked", ("what", "by")
    ),
    "aybiza_breaker_state": Metric(
        "gauge", "Circuit breaker: 0 closed, 1 half open, 2 open", ("model",)
    ),
    "aybiza_tool_seconds": Metric("histogram", "From a tool's start to its end", ("tool",)),
    "aybiza_tools_failed_total": Metric("counter", "Tools whose outcome was an error", ("tool",)),
    "aybiza_sockets_failed_total": Metric(
        "counter", "Attempts to reach a speech service that failed", ("socket",)
    ),
    "aybiza_loop_blocked_total": Metric("counter", "Callbacks that held the loop too long"),
    "aybiza_remote_queue_full_total": Metric(
        "counter", "Times that too much waited for a node", ("node",)
    ),
    "aybiza_crashes_total": Metric(
        "counter", "Processes that ended by a fault of their own", ("actor",)
    ),
    "aybiza_restarts_total": Metric("counter", "Children that were restarted", ("actor",)),
    "aybiza_store_failures_total": Metric(
        "counter", "Times that a store of the memory, or the Redis of all nodes, failed", ("store",)
    ),
    "aybiza_tls_certificate_ends_timestamp_seconds": Metric(
        "gauge", "Unix time at which the certificate of the doors ends"
    ),
    "aybiza_processes": Metric("gauge", "Living processes of the node"),
    "aybiza_mailbox_messages": Metric("gauge", "Messages that wait in all mailboxes"),
    "aybiza_mailbox_longest": Metric("gauge", "Messages that wait in the fullest mailbox"),
}


@dataclass(frozen=True, slots=True)
class Feed:
    """What an event enters into a metric: a measurement of it (None: 1), under labels that are of
    its metadata or `fixed`."""

    metric: str
    measure: str | None = None
    labels: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)


FEEDS: Final[dict[Event, tuple[Feed, ...]]] = {
    events.CALL_STOP: (Feed("aybiza_calls_total", None, ("outcome",)),),
    events.CALL_REFUSED: (Feed("aybiza_calls_total", None, ("outcome",)),),
    events.CALL_ANSWERED: (Feed("aybiza_answered_total", None, ("by", "why")),),
    events.OUTBOUND_PLACED: (Feed("aybiza_outbound_placed_total", None, ("campaign",)),),
    events.OUTBOUND_REFUSED: (Feed("aybiza_outbound_refused_total", None, ("campaign", "reason")),),
    events.OUTBOUND_SETTLED: (
        Feed("aybiza_outbound_settled_total", None, ("campaign", "outcome")),
    ),
    events.CALL_TRANSFERRED: (Feed("aybiza_transfers_total", None, ("outcome",)),),
    events.TURN_ENDED: (Feed("aybiza_turns_total", None, ("outcome",)),),
    events.EAGER_ANSWER: (Feed("aybiza_eager_answers_total", None, ("outcome",)),),
    events.ANSWER_LOOKED_UP: (Feed("aybiza_answers_looked_up_total", None, ("outcome",)),),
    events.TURN_INTERRUPTED: (Feed("aybiza_barge_ins_total"),),
    events.TURN_ANSWERED: (Feed("aybiza_turn_response_seconds", "seconds"),),
    events.TURN_STOP: (Feed("aybiza_conversation_seconds", "seconds"),),
    events.TURN_JUDGED: (Feed("aybiza_model_fit_total", None, ("fit",)),),
    events.REQUEST_FIRST_TOKEN: (Feed("aybiza_first_token_seconds", "seconds", ("model",)),),
    events.REQUEST_STOP: (
        Feed("aybiza_model_seconds", "seconds", ("model",)),
        Feed("aybiza_tools_called_total", "tools"),
        *(
            Feed("aybiza_tokens_total", f"{kind}_tokens", ("model",), {"kind": kind})
            for kind in ("input", "output", "cache_read", "cache_write")
        ),
    ),
    events.CHOICE: (Feed("aybiza_choices_total", None, ("rule", "model")),),
    events.EXPERIMENT: (Feed("aybiza_experiment_turns_total", None, ("experiment", "arm")),),
    events.COST: (Feed("aybiza_cost_usd_total", "usd", ("what", "model")),),
    events.QUOTA: (Feed("aybiza_quotas_reached_total", None, ("scope", "action")),),
    events.TOOL_STOP: (Feed("aybiza_tool_seconds", "seconds", ("tool",)),),
    events.TOOL_EXCEPTION: (Feed("aybiza_tool_seconds", "seconds", ("tool",)),),
    events.TOOL_FAILED: (Feed("aybiza_tools_failed_total", None, ("tool",)),),
    events.BREAKER: (Feed("aybiza_breaker_state", "state", ("model",)),),
    events.SOCKET_FAILED: (Feed("aybiza_sockets_failed_total", None, ("socket",)),),
    events.SPEECH_FINAL: (Feed("aybiza_stt_final_seconds", "seconds"),),
    events.SPEECH_FIRST_AUDIO: (Feed("aybiza_tts_first_audio_seconds", "seconds"),),
    events.TEXT_PASSED_OVER: (Feed("aybiza_texts_passed_over_total"),),
    events.PROVIDER_ERROR: (
        Feed("aybiza_errors_total", None, ("provider", "kind", "model", "region")),
    ),
    events.DOOR_REFUSED: (Feed("aybiza_refused_total", None, ("door", "reason")),),
    events.SINK_FAILED: (Feed("aybiza_sink_failures_total", None, ("sink",)),),
    events.SINK_LOST: (Feed("aybiza_sink_lost_total", "count", ("sink",)),),
    events.RECORDING_NOT_UP: (Feed("aybiza_recording_upload_failures_total"),),
    events.RECORDINGS_WAITING: (Feed("aybiza_recordings_waiting", "waiting"),),
    events.RECORDING_LOST: (Feed("aybiza_recording_lost_seconds_total", "seconds", ()),),
    events.AGENT_FILES: (Feed("aybiza_agent_files_total", None, ("outcome",)),),
    events.FRAMES_MENDED: (Feed("aybiza_frames_mended_total", "count", ("how",)),),
    events.STORE_FAILED: (Feed("aybiza_store_failures_total", None, ("store",)),),
    events.CERTIFICATE: (Feed("aybiza_tls_certificate_ends_timestamp_seconds", "ends"),),
    events.MEMORY_DROPPED: (Feed("aybiza_memory_dropped_total", "count", ("store",)),),
    events.MEMORY_REFUSED: (Feed("aybiza_memory_refused_total", None, ("store",)),),
    events.FAULT_STRUCK: (Feed("aybiza_faults_injected_total", None, ("what", "by")),),
    telemetry.PROCESS_CRASH: (Feed("aybiza_crashes_total", None, ("actor",)),),
    telemetry.SUPERVISOR_RESTART: (Feed("aybiza_restarts_total", None, ("actor",)),),
    telemetry.LOOP_BLOCKED: (Feed("aybiza_loop_blocked_total"),),
    telemetry.REMOTE_QUEUE_FULL: (Feed("aybiza_remote_queue_full_total", None, ("node",)),),
}
"""What feeds the metrics: each event, and what it enters where."""

MEASURED: Final = frozenset(
    {
        "aybiza_calls_active",
        "aybiza_processes",
        "aybiza_mailbox_messages",
        "aybiza_mailbox_longest",
    }
)
"""What is looked up when the text is made."""


class RefusedFrames(Collector):
    """What the cluster's listeners of this machine have refused; no sample in a VM that is alone.

    Its nodes all tell the same figures: add up those of machines, not of nodes.
    """

    def collect(self) -> Iterable[CounterMetricFamily]:
        """For a Prometheus registry."""
        family = CounterMetricFamily(
            "aybiza_cluster_frames_refused_total",
            "Frames that the cluster's listeners on this machine have refused",
            labels=["reason"],
        )
        with contextlib.suppress(OSError):  # a kernel that does not tell
            for reason, count in refusals.counts().items():
                family.add_metric([reason], count)
        yield family


class Table:
    """The figures. One stands in `vm.tables`, and hears the VM's events by itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._collectors = {name: self._collector(name) for name in METRICS}
        self._series: dict[str, set[tuple[str, ...]]] = {name: set() for name in METRICS}
        self._complaints: set[str] = set()
        self._entered: dict[tuple[int, tuple[Any, ...]], Callable[[float], None]] = {}
        self._measured: dict[str, float] = {"calls_active": 0}
        ProcessCollector(registry=self.registry)
        self.registry.register(RefusedFrames())

    def increment(self, name: Any, labels: Any = None, amount: Any = 1) -> None:
        """Add `amount` to a counter (never less than 0) or a gauge."""
        series = self._find(name, ("counter", "gauge"), labels, amount)
        if series is None:
            return
        if amount < 0 and METRICS[name].kind == "counter":
            self.complain(name, f"a counter cannot go down by {amount}")
        else:
            series.inc(amount)

    def set(self, name: Any, labels: Any = None, value: Any = 0) -> None:
        """Put `value` into a gauge."""
        series = self._find(name, ("gauge",), labels, value)
        if series is not None:
            series.set(value)

    def observe(self, name: Any, value: Any, labels: Any = None) -> None:
        """Enter `value` (seconds) into a histogram."""
        series = self._find(name, ("histogram",), labels, value)
        if series is not None:
            series.observe(value)

    def hear(
        self, event: Event, measurements: Mapping[str, Any], metadata: Mapping[str, Any], _: Any
    ) -> None:
        """A handler of telemetry: enter what `FEEDS` says of the event."""
        for feed in FEEDS[event]:
            value = 1 if feed.measure is None else measurements.get(feed.measure, 0)
            told = tuple(metadata.get(label) for label in feed.labels)
            quick = self._entered.get((id(feed), told)) if _is_plain(told) else None
            if quick is not None and type(value) in _NUMBERS and 0 <= value < math.inf:
                quick(value)
                continue
            labels = {**{label: metadata.get(label) for label in feed.labels}, **feed.fixed}
            match METRICS[feed.metric].kind:
                case "histogram":
                    self.observe(feed.metric, value, labels)
                case "gauge":
                    self.set(feed.metric, labels, value)
                case _ if value:
                    self.increment(feed.metric, labels, value)
            self._remember(feed, told, labels)

    def _remember(self, feed: Feed, told: tuple[Any, ...], labels: Mapping[str, Any]) -> None:
        """Keep what the next event like this one is to be entered with, for its cost."""
        metric = METRICS[feed.metric]
        series = tuple(labels[label] for label in metric.labels)
        if not _is_plain(told) or (metric.labels and series not in self._series[feed.metric]):
            return
        collector = self._collectors[feed.metric]
        child = collector.labels(*series) if metric.labels else collector
        enter = {"histogram": "observe", "gauge": "set", "counter": "inc"}[metric.kind]
        self._entered[id(feed), told] = getattr(child, enter)

    def measure(self, vm: VM) -> None:
        """Take the figures of the VM itself."""
        figures = vm.statistics() | {"calls_active": vm.count_processes(CALL_LABEL)}
        for name, value in figures.items():
            if self._measured.get(name) != value:
                self._measured[name] = value
                self.set(f"aybiza_{name}", {}, value)

    def _collector(self, name: str) -> Any:
        metric = METRICS[name]
        if metric.kind == "histogram":
            return Histogram(
                name,
                metric.meaning,
                metric.labels,
                buckets=LATENCY_SECONDS,
                registry=self.registry,
            )
        if metric.kind == "counter":
            return Counter(name, metric.meaning, metric.labels, registry=self.registry)
        return Gauge(name, metric.meaning, metric.labels, registry=self.registry)

    def _find(self, name: Any, kinds: tuple[Kind, ...], labels: Any, value: Any) -> Any:
        """What to change, or None after a complaint."""
        metric = METRICS.get(name) if isinstance(name, str) else None
        labels = labels or {}
        fault = None
        if metric is None:
            fault = "no metric has this name"
        elif metric.kind not in kinds:
            fault = f"a {metric.kind} does not take this request"
        elif not isinstance(labels, Mapping) or set(labels) != set(metric.labels):
            fault = f"the labels are {list(metric.labels)}, not {list(labels)}"
        elif finite(value) is None:
            fault = f"{value!r} is no number"
        if metric is None or fault:
            self.complain(name, fault or "")
            return None
        if not metric.labels:
            return self._collectors[name]
        return self._collectors[name].labels(*self._bounded(name, metric, labels))

    def _bounded(self, name: str, metric: Metric, labels: Mapping[str, Any]) -> tuple[str, ...]:
        series = tuple(str(labels[label])[:MAX_LABEL_CHARACTERS] for label in metric.labels)
        known = self._series[name]
        if series not in known:
            if len(known) >= MAX_SERIES:
                self.complain(name, f'more than {MAX_SERIES} label values; now under "{OTHER}"')
                return (OTHER,) * len(metric.labels)
            known.add(series)
        return series

    def complain(self, name: Any, fault: str) -> None:
        """Log once that `name` is not used as it must be."""
        shown = str(name)[:MAX_LABEL_CHARACTERS]
        if shown not in self._complaints and len(self._complaints) < MAX_COMPLAINTS:
            self._complaints.add(shown)
            log.warning("metric_refused", metric=shown, fault=fault)


_NUMBERS: Final = frozenset((int, float))


def _is_plain(values: tuple[Any, ...]) -> bool:
    return all(type(value) is str for value in values)


class MetricsActor(GenServer):
    """See the module."""

    async def init(self) -> None:
        self._table = table(self.vm)
        self._actions: dict[str, Callable[..., None]] = {
            "increment": self._table.increment,
            "set": self._table.set,
            "observe": self._table.observe,
        }

    async def handle_cast(self, request: Any) -> None:
        try:
            action, *arguments = request
            self._actions[action](*arguments)
        except Exception as error:
            self._table.complain(type(request).__name__, f"not a request: {error!r}")

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request == "render":
            return await _text(self.vm)
        return await super().handle_call(request, from_)


def table(vm: VM) -> Table:
    """The table of `vm`, made at the first use."""
    found = vm.tables.get(TABLE)
    if not isinstance(found, Table):
        found = vm.tables[TABLE] = Table()
        vm.telemetry.attach_many(TABLE, list(FEEDS), found.hear)
    return found


def count(vm: VM, name: str, /, amount: float = 1, **labels: Any) -> None:
    """Add `amount` to a counter or gauge. Never raises, never waits."""
    vm.cast(NAME, ("increment", name, labels, amount))


def set_gauge(vm: VM, name: str, value: float, /, **labels: Any) -> None:
    """Put `value` into a gauge. Never raises, never waits."""
    vm.cast(NAME, ("set", name, labels, value))


def observe(vm: VM, name: str, value: float, /, **labels: Any) -> None:
    """Enter `value`, in seconds, into a histogram. Never raises, never waits."""
    vm.cast(NAME, ("observe", name, value, labels))


async def render(vm: VM) -> str:
    """All figures as Prometheus text; also while the actor is being restarted."""
    try:
        text: str = await vm.call(NAME, "render", timeout=RENDER_SECONDS)
    except CallExit:
        return await _text(vm)
    return text


async def _text(vm: VM) -> str:
    figures = table(vm)
    figures.measure(vm)
    return (await vm.run_blocking(generate_latest, figures.registry)).decode()
