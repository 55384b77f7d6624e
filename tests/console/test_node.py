"""A node in one process: what it opens it closes, whatever happens in between."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from aybiza.actors.measures import costs
from aybiza.actors.measures.metrics_sink import put_metric
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import KILL
from aybiza.claude.models import profile_of
from aybiza.claude.stream import Usage
from aybiza.config.agents import AgentError
from aybiza.config.quotas import QuotasError
from aybiza.config.settings import Settings, load
from aybiza.console import node as node_module
from aybiza.console.node import Node, node_main
from aybiza.dialogue.journal import decode
from aybiza.emulators.services import ServicesEmulator
from aybiza.faults.desk import Answers
from tests.actors.node.kit import free_port
from tests.call.caller import LIMIT
from tests.call.kit import AGENT, GREETING, agent, world
from tests.call.steps import hang_up, stay, text

ASK = "Tell me a story, please."
STORY = "There was a lighthouse on a rock. The keeper had not seen a ship for many years."
ANSWERS: Answers = {ASK: [STORY]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(environment(tmp_path))


def environment(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "DEEPGRAM_URL": "ws://127.0.0.1:9",
        "DEEPGRAM_API_KEY": "key",
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        # A machine that runs other tests too is late.
        "AYBIZA_MAX_LOOP_LAG_MS": "10000",
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
        **variables,
    }


@pytest.fixture
def threads() -> Iterator[set[str]]:
    """Threads that a node has of its own; there are none before and none after."""
    yield own_threads()
    assert own_threads() == set()


def own_threads() -> set[str]:
    return {t.name for t in threading.enumerate() if t.name.startswith(("bedrock", "nonode-job"))}


async def test_a_node_closes_all_that_it_has_opened(settings: Settings, threads: set[str]) -> None:
    tasks = asyncio.all_tasks()
    async with Node(settings) as node:
        media, http = (url.rpartition(":")[2] for url in (node.media_url, node.http_url))
        ports = [int(media.partition("/")[0]), int(http)]
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{node.http_url}/readyz")).text == "ready\n"
    assert node.vm.processes() == []
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks


@pytest.mark.parametrize("door", ["AYBIZA_HTTP_PORT", "AYBIZA_MEDIA_PORT"])
async def test_a_port_that_is_taken_is_told_and_nothing_is_left(
    tmp_path: Path, threads: set[str], door: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node = Node(load(environment(tmp_path, **{door: str(port)})))
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with node:
                pass
    assert node.vm.processes() == []


async def test_a_tree_that_does_not_start_leaves_nothing(
    settings: Settings, threads: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("broken on purpose")

    node = Node(settings)
    monkeypatch.setattr(node, "_start", fail)
    with pytest.raises(RuntimeError, match="on purpose"):
        async with node:
            pass
    assert node.vm.processes() == []


async def test_an_agent_that_cannot_be_had_is_told_before_anything_is_opened(
    tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(AgentError, match="there is no agent 'nobody'"):
        Node(load(environment(tmp_path, AYBIZA_AGENT="nobody")))
    with pytest.raises(ValueError, match="no such tool: fly"):
        Node(settings, agent(tools=("fly",)))


async def test_tools_of_one_s_own_come_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text('[transfer.sales]\nnumber = "+14155550100"\n')
    settings = load(environment(tmp_path, AYBIZA_TOOLS_FILE=str(path)))
    async with Node(settings, agent(tools=("transfer_call", "end_call"))) as node:
        (who,) = node._switchboard
        specs = who.toolbox.specs()
        assert [spec["toolSpec"]["name"] for spec in specs] == ["transfer_call", "end_call"]
    path.write_text('[transfer.sales]\nnumber = "555"\n')
    with pytest.raises(ValueError, match=r"tools\.toml:1: transfer\.sales"):
        Node(settings)


async def test_what_a_tenant_has_spent_counts_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text('[tenants.Desk]\nday_usd = 0.001\naction = "refuse"\n')
    settings = load(environment(tmp_path, AYBIZA_QUOTAS_FILE=str(path)))
    async with Node(settings, AGENT) as node:
        haiku = profile_of("global.anthropic.claude-haiku-4-5-20251001-v1:0")
        costs.charge(node.vm, haiku, Usage(2_000), call_id="CA1", tenant_id="Desk")
    async with Node(settings, AGENT) as node:
        for tenant, action in (("Desk", "refuse"), ("another", "allow")):
            verdict = costs.verdict(node.vm, call_id="CA2", tenant_id=tenant)
            assert verdict.action == action
        assert sum(costs.ledger(node.vm).days.values()) == 2_000


async def test_performance_is_told_to_the_namespace_of_cloudwatch_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ServicesEmulator() as services:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", services.url)
        named = environment(tmp_path, AYBIZA_CLOUDWATCH_NAMESPACE="Phones/Agents")
        for variables in (environment(tmp_path), named):
            async with Node(load(variables)) as node:
                assert (node.vm.whereis("sink_cloudwatch") is not None) == (variables is named)
                put_metric(node.vm, "Conversation", {"total_ms": 900})
    (datum,) = services.metrics.received
    assert (datum.namespace, datum.name) == ("Phones/Agents", "Conversation.total_ms")


async def test_quotas_that_cannot_be_read_are_told_before_anything_is_opened(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text("[default]\nday_usd = 0")
    with pytest.raises(QuotasError, match=r"default\.day_usd = 0: must be an amount"):
        Node(load(environment(tmp_path, AYBIZA_QUOTAS_FILE=str(path))))


async def test_the_agents_own_limits_come_before_the_nodes(tmp_path: Path) -> None:
    variables = {"AYBIZA_SILENCE_TIMEOUT_SECONDS": "7", "AYBIZA_MAX_CALL_SECONDS": "70"}
    settings = load(environment(tmp_path, **variables))
    filled = Node(settings, AGENT)._switchboard.answering({}).agent
    assert (filled.silence_timeout_s, filled.max_duration_s) == (7.0, 70.0)
    limited = agent(silence_timeout_s=3.0, max_duration_s=30.0)
    own = Node(settings, limited)._switchboard.answering({}).agent
    assert (own.silence_timeout_s, own.max_duration_s) == (3.0, 30.0)


async def test_a_call_goes_on_at_the_next_node_of_the_same_memory(tmp_path: Path) -> None:
    ports = {
        "AYBIZA_HTTP_PORT": str(free_port()),
        "AYBIZA_MEDIA_PORT": str(free_port()),
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
    }
    options: dict[str, Any] = {"answers": ANSWERS, "delta_ms": 80, "voice_speed": 2, **ports}
    async with world(tmp_path, **options) as place:
        steps = text(ASK, after=r"today\?"), hang_up("many years")
        async with place.call(*steps) as call:
            await call.until(lambda: call.is_speaking(1, 1))
            await place.stop()
            async with world(tmp_path, **options):
                report = await call.over()
                assert report.ok, report.failure
                before, _, after = call.heard.partition(f"{AGENT.bridge} ")
                assert f"{GREETING} {STORY} ".startswith(before)
                assert STORY.endswith(after.strip())


async def test_a_node_that_stops_does_not_end_its_calls_for_good(tmp_path: Path) -> None:
    async with world(tmp_path) as place, place.call(stay(), direct=True) as call:
        await call.until(lambda: call.has_heard(0, 1))
        await place.stop()
        await call.over()
        assert [stream.close_code for stream in call.report.streams] == [1001]
        store = SqliteStore(place.memory_path)
        kinds = [type(decode(row.entry)).__name__ for row in store.read(call.call_id)]
        store.close()
        assert kinds == ["AgentSentence", "AnswerComplete", "SentenceHeard"]


class Told:
    """What a node main has said to its context."""

    def __init__(self, tmp_path: Path) -> None:
        self.info: dict[str, str] = {}
        self.ready = asyncio.Event()
        self.context = NodeContext(
            incarnation=1, settings=environment(tmp_path), on_ready=self._is_ready
        )

    def _is_ready(self, info: dict[str, str]) -> None:
        self.info = info
        self.ready.set()


async def test_the_main_of_a_node_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    told = Told(tmp_path)
    main = asyncio.create_task(node_main(told.context))
    async with asyncio.timeout(LIMIT):
        await told.ready.wait()
        assert set(told.info) == {"media", "http", "node"}
        assert told.context.control is not None
        answer = await told.context.control({"op": "tree"})
        assert answer["processes"][0]["server"] == "Application"
        told.context.stop.set()
        await main


async def test_the_main_of_a_node_fails_when_its_application_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Node] = []

    class Kept(Node):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr(node_module, "Node", Kept)
    told = Told(tmp_path)
    main = asyncio.create_task(node_main(told.context))
    async with asyncio.timeout(LIMIT):
        await told.ready.wait()
        made[0].vm.exit("application", KILL)
        with pytest.raises(RuntimeError, match="has given up"):
            await main


def test_what_can_be_refused_is_opened_before_the_first_process() -> None:
    names = [name for name, _ in node_module.OPENINGS]
    assert names.index("vm") == len(names) - 3
    assert names[-2:] == ["cluster", "application"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("failing", [name for name, _ in node_module.OPENINGS])
async def test_an_opening_that_fails_is_named_and_what_was_opened_is_closed(
    failing: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def instead(name: str) -> Any:
        async def opening(node: Node) -> None:
            if name == failing:
                raise OSError("broken on purpose")
            node._closing.callback(done.append, name)

        return opening

    names = [name for name, _ in node_module.OPENINGS]
    monkeypatch.setattr(node_module, "OPENINGS", [(name, instead(name)) for name in names])
    with pytest.raises(OSError, match="on purpose") as caught:
        await Node(settings).__aenter__()
    assert caught.value.__notes__ == [f"while a node opened: {failing}"]
    assert done == list(reversed(names[: names.index(failing)]))
