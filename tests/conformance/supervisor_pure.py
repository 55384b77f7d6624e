"""Plays a supervisor scenario on the decisions alone: no process, no loop, no clock.

What processes would do is done by plain functions: a start appends an event, an end puts an
exit into the parent's mailbox, and mailboxes are emptied in turn until nothing is left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aybiza.actors.runtime import (
    KILL,
    KILLED,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    BadReturnValue,
    Crashed,
    ExitError,
    Pid,
    Shutdown,
)
from aybiza.supervisors import BRUTAL_KILL, ChildSpec, SupervisorError, check_childspecs, plan
from aybiza.supervisors.child_spec import checked_dynamic
from aybiza.supervisors.dynamic_supervisor import decide as decide_dynamic
from aybiza.supervisors.plan import Outcome, Plan, Verdict
from aybiza.supervisors.strategy import Strategy
from aybiza.supervisors.supervisor import decide
from tests.conformance import supervisor_terms as terms
from tests.conformance.supervisor_terms import Attempts, Observation

T = TypeVar("T")


def play(scenario: dict[str, Any]) -> list[Observation]:
    """What is observed after the start and after each step."""
    world = World()
    observations = [world.observe(world.start(scenario["tree"]))]
    for step in scenario["steps"]:
        observations.append(world.observe(world.do(step["do"])))
    return observations


@dataclass(eq=False)
class Node:
    """A process: its label, what the scenario says of it, and its place in the tree."""

    pid: Pid
    label: str
    fields: Mapping[str, Any]
    parent: Node | None
    unordered: bool
    linked: bool = True
    alive: bool = True
    children: Any = None
    mailbox: deque[Any] = field(default_factory=deque)


@dataclass(frozen=True)
class StartChild:
    """Stands for a start function; `World.start_node` does what it says."""

    fields: Mapping[str, Any]
    unordered: bool

    async def __call__(self, *_: Any) -> Any:
        raise NotImplementedError("carried out by the world")


class Refused(Exception):
    """A start attempt that failed."""

    def __init__(self, reason: Any) -> None:
        super().__init__(reason)
        self.reason = reason


class World:
    """The processes of one scenario."""

    def __init__(self) -> None:
        self.attempts = Attempts()
        self.events: list[Any] = []
        self.now = 0.0
        self._nodes: dict[Pid, Node] = {}
        self._newest: dict[str, Node] = {}
        self._unordered: set[str] = set()
        self._suspended: Node | None = None

    def start(self, tree: dict[str, Any]) -> Any:
        """Start the root."""
        try:
            root = self._start_node({"type": "supervisor", **tree}, None, False)
        except Refused as refused:
            return ["error", self._term(refused.reason)]
        return "ignore" if root is None else ["ok", root.label]

    def observe(self, returned: Any) -> Observation:
        """What has happened, once every mailbox is empty."""
        self._run()
        events, self.events = self.events, []
        live = sorted(node.label for node in self._nodes.values() if node.alive)
        return Observation(returned, events, live, self._unordered)

    # What processes do

    def _run(self) -> None:
        while busy := [
            node
            for node in self._nodes.values()
            if node.alive and node.mailbox and node is not self._suspended
        ]:
            self._handle(busy[0], busy[0].mailbox.popleft())

    def _handle(self, node: Node, message: Any) -> None:
        if isinstance(message, plan.Retry):
            decision = node.children.retry(message.key, self.now)
        else:
            decision = node.children.child_exited(*message, self.now)
        if self._carry_out(node, decision) is Verdict.SHUT_DOWN:
            self._end(node, SHUTDOWN)

    def _carry_out(self, node: Node, decision: Plan[T]) -> T:
        outcome: Outcome = None
        while True:
            try:
                command = decision.send(outcome)
            except StopIteration as end:
                answer: T = end.value
                return answer
            outcome = None
            match command:
                case plan.Start(spec, extra):
                    outcome = self._start_child(node, spec, extra)
                case plan.Stop(targets):
                    for pid, spec in targets:
                        self._stop(node, self._nodes[pid], spec)
                case plan.Retry():
                    node.mailbox.append(command)

    def _start_child(self, parent: Node, spec: ChildSpec, extra: tuple[Any, ...]) -> Outcome:
        start = spec.start
        assert isinstance(start, StartChild)
        fields = {**start.fields, **(extra[0] if extra else {})}
        try:
            node = self._start_node(fields, parent, start.unordered)
        except Refused as refused:
            return plan.Failed(refused.reason)
        if node is None:
            return plan.Ignored()
        _, extra_result = node.fields["outcome"]
        return plan.Started(node.pid, extra_result)

    def _start_node(
        self, fields: Mapping[str, Any], parent: Node | None, unordered: bool
    ) -> Node | None:
        label, outcome = self.attempts.next(fields)
        self.events.append(["start", label, outcome])
        if unordered:
            self._unordered.add(label)
        if not terms.gives_process(outcome):
            if outcome == "ignore":
                return None
            raise Refused(_failure(outcome))
        extra = outcome[1] if terms.kind(outcome) == "ok_extra" else None
        node = Node(
            pid=Pid("n", len(self._nodes) + 1),
            label=label,
            fields={**fields, "outcome": (outcome, extra)},
            parent=parent,
            unordered=unordered,
            linked=not fields.get("unlink"),
        )
        self._nodes[node.pid] = node
        if fields.get("type") == "supervisor":
            self._start_children(node)
        self._newest[fields["id"]] = node
        return node

    def _start_children(self, node: Node) -> None:
        tree = node.fields
        simple = tree.get("strategy") == "simple_one_for_one"
        failed: Any = None
        try:
            if tree.get("kind") == "dynamic":
                node.children = decide_dynamic(**terms.flags(tree))
            else:
                specs = [self._spec(each, simple) for each in tree.get("children", ())]
                node.children = decide(specs, alive=self._alive, **terms.flags(tree))
                if isinstance(node.children, Strategy):
                    failed = self._carry_out(node, node.children.start_all())
        except SupervisorError as error:
            self._gone(node, error.term)
            raise Refused(error.term) from None
        if failed is not None:
            self._gone(node, Shutdown(failed))
            raise Refused(Shutdown(failed))

    def _stop(self, parent: Node, node: Node, spec: ChildSpec) -> None:
        if node.alive:
            if spec.shutdown == BRUTAL_KILL:
                self._kill(node)
            else:
                self._order_end(node, SHUTDOWN)
        for message in list(parent.mailbox):
            if isinstance(message, tuple) and message[0] == node.pid:
                parent.mailbox.remove(message)

    def _order_end(self, node: Node, reason: Any) -> None:
        """The parent's order to end reaches the process."""
        if node.children is not None:
            self._end(node, reason)
        elif node.fields.get("trap_exit"):
            self._terminate(node, reason)
        else:
            self._gone(node, reason)

    def _terminate(self, node: Node, reason: Any) -> None:
        """A worker ends itself; one that hangs is killed in the end."""
        self.events.append(["terminate", node.label, self._term(reason)])
        match node.fields.get("on_terminate"):
            case "hang":
                reason = KILLED
            case ["exit", other]:
                reason = terms.reason(other)
        self._gone(node, reason)

    def _end(self, node: Node, reason: Any) -> Any:
        """A supervisor ends its children and itself; with which reason in the end."""
        try:
            self._carry_out(node, node.children.stop_all())
        except ExitError as error:
            reason = error.reason
        self._gone(node, reason)
        return reason

    def _kill(self, node: Node) -> None:
        self._gone(node, KILLED)

    def _gone(self, node: Node, reason: Any) -> None:
        node.alive = False
        self.events.append(["down", node.label, self._term(reason)])
        if node.parent is not None and node.linked:
            node.parent.mailbox.append((node.pid, reason))
        for child in list(self._nodes.values()):
            if child.parent is node and child.alive and child.linked:
                self._order_end(child, reason)

    # What the file tells

    def do(self, stimulus: Mapping[str, Any]) -> Any:
        """Apply one stimulus; its return."""
        return getattr(self, f"_do_{stimulus['op']}")(stimulus)

    def _living(self, id: str) -> Node | None:
        node = self._newest.get(id)
        return node if node is not None and node.alive else None

    def _alive(self, pid: Pid) -> bool:
        node = self._nodes.get(pid)
        return node is None or node.alive

    def _do_exit(self, stimulus: Mapping[str, Any]) -> Any:
        return self._leave(stimulus["id"], terms.reason(stimulus["reason"]))

    def _do_raise(self, stimulus: Mapping[str, Any]) -> Any:
        return self._leave(stimulus["id"], Crashed(RuntimeError()))

    def _leave(self, id: str, reason: Any) -> str:
        node = self._living(id)
        if node is None:
            return "no_process"
        self._terminate(node, reason)
        return "ok"

    def _do_kill(self, stimulus: Mapping[str, Any]) -> Any:
        node = self._living(stimulus["id"])
        if node is None:
            return "no_process"
        self._kill(node)
        return "ok"

    def _do_signal(self, stimulus: Mapping[str, Any]) -> Any:
        node = self._living(stimulus["id"])
        if node is None:
            return "no_process"
        reason = terms.reason(stimulus["reason"])
        if reason == KILL:
            self._kill(node)
        elif node.children is None and not node.fields.get("trap_exit") and reason != NORMAL:
            self._gone(node, reason)
        return "ok"

    def _do_parent_exit(self, stimulus: Mapping[str, Any]) -> Any:
        root = self._living("root")
        if root is not None:
            reason = terms.reason(stimulus["reason"])
            if reason == KILL:
                self._kill(root)
            else:
                self._end(root, reason)
        return "ok"

    def _do_stop(self, stimulus: Mapping[str, Any]) -> Any:
        node = self._living(stimulus["id"])
        if node is None:
            return "no_process"
        wanted = terms.reason(stimulus["reason"])
        reason = self._end(node, wanted)
        return "ok" if reason == wanted else ["exit", self._term(reason)]

    def _do_sleep(self, stimulus: Mapping[str, Any]) -> Any:
        self.now += stimulus["ms"] / 1000
        return "ok"

    def _do_burst(self, stimulus: Mapping[str, Any]) -> Any:
        self._suspended = self._living(stimulus["sup"])
        if self._suspended is None:
            return ["exit", NOPROC]
        returned = []
        for each in stimulus["do"]:
            returned.append(self.do(each))
            self._run()
        self._suspended = None
        return returned

    def _do_check_childspecs(self, stimulus: Mapping[str, Any]) -> Any:
        try:
            check_childspecs([self._spec(given, False) for given in stimulus["children"]])
        except SupervisorError as refusal:
            return ["error", self._term(refusal.term)]
        return "ok"

    def _do_start_child(self, stimulus: Mapping[str, Any]) -> Any:
        fields, mode = stimulus["child"], stimulus.get("mode")
        if mode == "simple":
            return self._ask(stimulus, "start_child", [fields])
        if mode != "dynamic":
            return self._ask(stimulus, "start_child", self._spec(fields, False))
        try:
            spec = checked_dynamic(self._spec(fields, True))
        except SupervisorError as refusal:
            return ["error", self._term(refusal.term)]
        except (TypeError, ValueError) as error:
            return ["raise", terms.RAISED[type(error)]]
        answer = self._ask(stimulus, "start_child", spec)
        return "ignore" if answer == ["ok", "undefined"] else answer

    def _do_restart_child(self, stimulus: Mapping[str, Any]) -> Any:
        return self._ask(stimulus, "restart_child", stimulus["id"])

    def _do_delete_child(self, stimulus: Mapping[str, Any]) -> Any:
        return self._ask(stimulus, "delete_child", stimulus["id"])

    def _do_terminate_child(self, stimulus: Mapping[str, Any]) -> Any:
        which = stimulus["id"]
        if stimulus.get("mode") in ("dynamic", "pid"):
            which = self._newest[which].pid if which in self._newest else Pid("other", 1)
        return self._ask(stimulus, "terminate_child", which)

    def _do_which_children(self, stimulus: Mapping[str, Any]) -> Any:
        listed = self._ask(stimulus, "which_children")
        return sorted(listed) if stimulus.get("mode") and listed[:1] != ["exit"] else listed

    def _do_count_children(self, stimulus: Mapping[str, Any]) -> Any:
        return self._ask(stimulus, "count_children")

    def _do_get_childspec(self, stimulus: Mapping[str, Any]) -> Any:
        return self._ask(stimulus, "get_childspec", stimulus["id"])

    def _ask(self, stimulus: Mapping[str, Any], operation: str, *arguments: Any) -> Any:
        self._run()
        node = self._living(stimulus["sup"])
        if node is None:
            return ["exit", NOPROC]
        try:
            answer = getattr(node.children, operation)(*arguments)
            if operation in ("start_child", "restart_child", "terminate_child"):
                answer = self._carry_out(node, answer)
        except SupervisorError as refusal:
            return ["error", self._term(refusal.term)]
        return terms.answer(operation, answer, self._label)

    def _spec(self, given: Any, unordered: bool) -> Any:
        return terms.spec(given, lambda fields: StartChild(fields, unordered))

    def _term(self, value: Any) -> Any:
        return terms.term(value, self._label)

    def _label(self, pid: Pid) -> str:
        node = self._nodes.get(pid)
        return node.label if node else str(pid)


def _failure(outcome: Any) -> Any:
    match outcome:
        case ["stop" | "exit", reason]:
            return terms.reason(reason)
        case ["raise", text]:
            return Crashed(RuntimeError(text))
        case ["return", value]:
            return BadReturnValue(value)
    raise ValueError(f"an outcome of init that has no meaning: {outcome!r}")
