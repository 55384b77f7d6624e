"""Each environment name of the specification does what it says: a call shows the difference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aybiza.claude.client import BedrockClient
from aybiza.config.settings import load
from aybiza.console.node import Node
from aybiza.emulators.bedrock import Fault
from aybiza.emulators.bedrock.journal import Record
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world

HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-6"
CHEAP = "global.anthropic.claude-haiku-5-5"
HOURS = "What are your hours?"
HARD = "Please compare both plans and calculate the better one."


def requests(
    environment: Mapping[str, str],
    said: str = HOURS,
    *,
    calls: int = 1,
    country: str = "",
    fault: Fault | None = None,
) -> list[Record]:
    """What a node with these settings asks of Bedrock when callers say this."""

    async def talk(world: World) -> list[Record]:
        if fault is not None:
            world.bedrock.faults.add(fault)
        for _ in range(calls):
            async with world.call(says(said), hangs_up(), country=country) as call:
                await call.over()
        return [record for record in world.bedrock.journal.records if record.body]

    return in_world(talk, answers={said: ["From nine to five."]}, environment=environment)


def models(environment: Mapping[str, str], said: str = HOURS) -> list[str]:
    return [record.model_id for record in requests(environment, said)]


def thinks(environment: Mapping[str, str], said: str) -> bool:
    (record,) = requests(environment, said)
    fields = (record.body or {}).get("additionalModelRequestFields", {})
    return "thinking" in fields


def test_aws_region_is_where_the_model_is_asked() -> None:
    here = {"CLOUDFLARE_REGION_MAPPING": "false"}
    for region in ("us-east-1", "eu-west-1"):
        (record,) = requests({**here, "AWS_REGION": region})
        assert record.region == region


@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1"])
def test_aws_fallback_region_is_asked_when_the_first_one_is_not_available(region: str) -> None:
    fault = Fault("http_error", code="ServiceUnavailableException", times=1)
    asked = requests({"AWS_FALLBACK_REGION": region}, fault=fault)
    assert [record.region for record in asked] == ["us-east-1", region]


def test_aws_bedrock_models_are_those_that_are_asked() -> None:
    assert models({}) == [HAIKU]
    assert models({"AWS_BEDROCK_MODELS": SONNET}) == [SONNET]


@pytest.mark.parametrize("model", [HAIKU, SONNET])
def test_aws_default_bedrock_model_is_asked_first(model: str) -> None:
    always = {"AYBIZA_SELECTION": "configured"}
    assert models({**always, "AWS_DEFAULT_BEDROCK_MODEL": model}) == [model]


def test_latency_threshold_ms_leaves_time_for_a_better_model() -> None:
    dear = {"COST_OPTIMIZATION_ENABLED": "false"}
    assert models({**dear, "LATENCY_THRESHOLD_MS": "200"}) == [HAIKU]
    assert models({**dear, "LATENCY_THRESHOLD_MS": "1000"}) == [SONNET]


def test_extended_thinking_threshold_is_the_complexity_from_which_a_model_thinks() -> None:
    assert not thinks({"EXTENDED_THINKING_THRESHOLD": "0.9"}, HARD)
    assert thinks({"EXTENDED_THINKING_THRESHOLD": "0.2"}, HARD)


def test_cost_optimization_enabled_prefers_cheaper_models() -> None:
    three = {"AWS_BEDROCK_MODELS": f"{HAIKU},{SONNET},{CHEAP}"}
    assert models({**three, "COST_OPTIMIZATION_ENABLED": "true"}) == [CHEAP]
    assert models({**three, "COST_OPTIMIZATION_ENABLED": "false"}) == [HAIKU]
    patient = {"LATENCY_THRESHOLD_MS": "1000"}
    assert models({**patient, "COST_OPTIMIZATION_ENABLED": "true"}) == [HAIKU]
    assert models({**patient, "COST_OPTIMIZATION_ENABLED": "false"}) == [SONNET]


@pytest.mark.parametrize(("enabled", "asked"), [("true", 1), ("false", 2)])
def test_edge_cache_enabled_answers_a_second_caller_without_the_model(
    enabled: str, asked: int
) -> None:
    assert len(requests({"EDGE_CACHE_ENABLED": enabled}, calls=2)) == asked


@pytest.mark.parametrize(("enabled", "region"), [("true", "eu-central-1"), ("false", "us-east-1")])
def test_cloudflare_region_mapping_asks_near_the_caller(enabled: str, region: str) -> None:
    (record,) = requests({"CLOUDFLARE_REGION_MAPPING": enabled}, country="DE")
    assert record.region == region


class _Made(Exception):
    """The client has been made: no more of the node is needed."""


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("BEDROCK_POOL_SIZE", "7", {"pool_size": 7}),
        ("BEDROCK_CONNECTION_TIMEOUT", "750", {"connect_timeout_ms": 750}),
        ("BEDROCK_REQUEST_TIMEOUT", "9000", {"read_timeout_ms": 9000}),
        ("AWS_ACCESS_KEY_ID", "AKIA", {"credentials": {"aws_access_key_id": "AKIA"}}),
        ("AWS_SECRET_ACCESS_KEY", "hush", {"credentials": {"aws_secret_access_key": "hush"}}),
    ],
)
async def test_what_concerns_the_connection_reaches_the_client(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, given: dict[str, Any]
) -> None:
    seen: dict[str, Any] = {}

    def made(**options: Any) -> None:
        seen.update(options)
        raise _Made

    monkeypatch.setattr(BedrockClient, "__init__", lambda self, **options: made(**options))
    environment = {
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        name: value,
    }
    with pytest.raises(_Made):
        await Node(load(environment)).__aenter__()
    for option, expected in given.items():
        found = seen[option]
        assert (found | expected if isinstance(expected, dict) else expected) == found
