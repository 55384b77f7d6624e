"""What `aybiza agents try` does: a conversation with an agent, line by line.

Contract: `talk` reads lines of standard input, a turn of the caller's each, until it ends or the
agent does; its result is the exit code. Without a terminal what is said is printed, too, so that
the output of a script is the whole conversation. What tools and models do is told in brackets.
The tools are those of a node: the agent's own, and those of `AYBIZA_TOOLS_FILE`.
Errors: told on standard error. Exit code 1: no answer has come; 2: the agent, its tools or its
rules cannot be used.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.config.agents import Agent
from aybiza.config.routes import DEFAULT, Route
from aybiza.config.settings import Settings
from aybiza.console import USAGE_ERROR
from aybiza.console.answering import answering, tool_files
from aybiza.console.page import quietly, say
from aybiza.console.text_call import TextCall
from aybiza.dialogue.tools.catalogue import ToolsError
from aybiza.emulators.bedrock import Pace
from aybiza.emulators.bedrock.rules import RulesError
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.emulators.bedrock.stand_in import stand_in
from aybiza.faults.bedrock import MemoryBedrock

UNDER: Final = 8
_MODELS: Final = 2
"""Requests at a time: an answer, and a summary beside it."""


def talk(name: str, agent: Agent, settings: Settings, policy: Policy, *, real: bool) -> int:
    """See the module. `real`: Amazon Bedrock answers, and no stand-in."""
    try:
        with quietly():
            asyncio.run(_talk(name, Route(DEFAULT, agent, agent.name), settings, policy, real))
    except ToolsError as error:
        return _refused([f"aybiza: AYBIZA_TOOLS_FILE: {problem}" for problem in error.problems])
    except RulesError as error:
        return _refused([f"aybiza agents: {problem}" for problem in error.problems])
    except ValueError as error:
        return _refused([f"aybiza agents: {error}"])
    except TimeoutError:
        print("aybiza agents: no answer has come", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _refused(problems: list[str]) -> int:
    for problem in problems:
        say(problem, UNDER, err=True)
    return USAGE_ERROR


async def _talk(name: str, route: Route, settings: Settings, policy: Policy, real: bool) -> None:
    async with AsyncExitStack() as closing:
        files = tool_files(settings)
        closing.push_async_callback(files.aclose)
        who = answering(route, settings, policy, files)
        await files.warm()
        model: Any
        if real:
            model = _client(settings)
            closing.push_async_callback(model.aclose)
            await model.warm(settings.aws_region)
        else:
            clock = asyncio.get_running_loop().time
            service = Bedrock(responder=stand_in(name), pace=Pace(0.0, 0.0), clock=clock)
            model = MemoryBedrock(service, settings.aws_region, lambda *_, **__: None)
        call = await closing.enter_async_context(TextCall(who, settings, model))
        _tell(call, await call.begun())
        for text in _lines():
            _tell(call, await call.say(text))
            if call.ended is not None:
                say(f"        (the call is over: {call.ended})", UNDER)
                return


def _tell(call: TextCall, said: list[str]) -> None:
    for what in call.happened:
        say(f"        ({what})", UNDER)
    if said:
        say(f"agent:  {' '.join(said)}", UNDER)


def _lines() -> Iterator[str]:
    """What the caller says. The loop waits meanwhile, for nothing happens until they have."""
    terminal = sys.stdin.isatty()
    while True:
        if terminal:
            print("you:    ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        text = " ".join(line.split())
        if not text:
            continue
        if not terminal:
            say(f"you:    {text}", UNDER)
        yield text


def _client(settings: Settings) -> BedrockClient:
    endpoint = settings.aws_endpoint_url_bedrock_runtime
    return BedrockClient(
        region=settings.aws_region,
        endpoint_url=str(endpoint) if endpoint else None,
        pool_size=_MODELS,
        connect_timeout_ms=settings.bedrock_connection_timeout,
        read_timeout_ms=settings.bedrock_request_timeout,
        credentials=settings.aws_credentials,
    )
