"""The console: who may look and act, what a page of others can do, and what is said nowhere."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.runtime import VM
from aybiza.gateway.admission.admission import PAGE_HEADER
from aybiza.gateway.admission.policy import (
    ACT,
    DIAL,
    EVENTS,
    HTTP,
    POLICY,
    WEBSOCKET,
    Proof,
    door,
)
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start
from aybiza.gateway.console.actions import Console
from aybiza.gateway.console.assets import ASSETS
from tests.security.doors import BASE, STRANGER, Outside, outside

TOKEN = "console-token-of-the-operator"
HERE = "127.0.0.1"
PAGE = {PAGE_HEADER: "1", "content-type": "application/json"}
LOCAL = {"host": "127.0.0.1:3000", **PAGE}
WITH_TOKEN = {**PAGE, "host": "phone.example.org", "authorization": f"Bearer {TOKEN}"}
KILL = json.dumps({"do": "kill", "process": "metrics"}).encode()


async def control(vm: VM, request: dict[str, Any]) -> dict[str, Any]:
    """A node that does all it is asked."""
    return {"asked": request, "members": []}


@asynccontextmanager
async def node(tmp_path: Path, **rules: Any) -> AsyncIterator[Outside]:
    async with outside(tmp_path, console=Console(control), **rules) as made:
        yield made


@pytest.mark.parametrize("path", [*ASSETS, ACT, DIAL])
async def test_a_stranger_sees_nothing_of_a_node_without_a_token(tmp_path: Path, path: str) -> None:
    method = "GET" if path in ASSETS else "POST"
    async with node(tmp_path) as made:
        assert (await made.ask(method, path, b"{}", PAGE)).status_code == 401
        named = {**PAGE, "host": "evil.example"}
        assert (await made.ask(method, path, b"{}", named, HERE)).status_code == 401


@pytest.mark.parametrize("wrong", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
@pytest.mark.parametrize("path", [ACT, DIAL])
async def test_with_a_token_nobody_is_told_or_obeyed_without_it_not_this_machine_either(
    tmp_path: Path, path: str, wrong: str
) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        for address in (HERE, STRANGER):
            answer = await made.ask("POST", path, KILL, {**LOCAL, "authorization": wrong}, address)
            assert answer.status_code == 401


async def test_with_a_token_the_page_itself_is_open_and_holds_nothing_of_the_node(
    tmp_path: Path,
) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        for path, asset in ASSETS.items():
            answer = await made.ask("GET", path)
            assert (answer.status_code, answer.content) == (200, asset.body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {PAGE_HEADER: ""},
        {PAGE_HEADER: "1", "origin": "https://evil.example"},
        {PAGE_HEADER: "1", "origin": "null"},
        {PAGE_HEADER: "1", "sec-fetch-site": "cross-site"},
        {PAGE_HEADER: "1", "sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", [ACT, DIAL])
async def test_another_page_can_neither_look_nor_act_not_even_with_the_token(
    tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    given = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **headers}
    async with node(tmp_path, console_token=TOKEN) as made:
        assert (await made.ask("POST", path, KILL, given)).status_code == 403
    async with node(tmp_path) as made:
        local = {"host": "127.0.0.1:3000", **given}
        assert (await made.ask("POST", path, KILL, local, HERE)).status_code == 403


async def test_a_page_of_another_port_of_this_machine_cannot_act_either(tmp_path: Path) -> None:
    async with node(tmp_path, http_base=None) as made:
        for given, status in (
            (LOCAL, 200),
            ({**LOCAL, "origin": "http://127.0.0.1:3000"}, 200),
            ({**LOCAL, "origin": "http://127.0.0.1:9999"}, 403),
            ({**LOCAL, "origin": "http://localhost:3000"}, 403),
        ):
            assert (await made.ask("POST", ACT, KILL, given, HERE)).status_code == status


def bearing(token: str) -> dict[str, str]:
    """What the page's handshake has for a token."""
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return {"sec-websocket-protocol": f"aybiza.console, token.{encoded}"}


HOST = "phone.example.org"
OURS = {"host": HOST, "origin": BASE}
LOOPBACK = {"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:3000"}
TUNNEL = {"host": "localhost:3000", "origin": "http://localhost:3000"}
ELSEWHERE = {"host": "10.0.0.5:3000", "origin": "http://10.0.0.5:3000"}
HANDSHAKES: dict[str, tuple[str | None, dict[str, str], str, int]] = {
    "without a token, of this machine": (None, LOOPBACK, HERE, 101),
    "without a token, of this machine, the public page": (None, {**LOOPBACK, **OURS}, HERE, 401),
    "without a token, of another": (None, OURS, STRANGER, 401),
    "without a token, another port's page": (
        None,
        {**LOOPBACK, "origin": "http://127.0.0.1:5173"},
        HERE,
        403,
    ),
    "without a token, a name that was bound anew": (
        None,
        {"host": "evil.example:3000", "origin": "http://evil.example:3000"},
        HERE,
        403,
    ),
    "without a token, without an origin": (None, {"host": "127.0.0.1:3000"}, HERE, 403),
    "the token": (TOKEN, {**OURS, **bearing(TOKEN)}, STRANGER, 101),
    "the token, through a tunnel": (TOKEN, {**TUNNEL, **bearing(TOKEN)}, HERE, 101),
    "the token, at an address": (TOKEN, {**ELSEWHERE, **bearing(TOKEN)}, STRANGER, 101),
    "the token, on another's page": (
        TOKEN,
        {**OURS, "origin": "https://evil.example", **bearing(TOKEN)},
        STRANGER,
        403,
    ),
    "the token, on no page": (TOKEN, {"host": HOST, **bearing(TOKEN)}, STRANGER, 403),
    "the token, from a page of the site": (
        TOKEN,
        {**OURS, "sec-fetch-site": "same-site", **bearing(TOKEN)},
        STRANGER,
        403,
    ),
    "another token": (TOKEN, {**OURS, **bearing("x")}, STRANGER, 401),
    "what is no token": (TOKEN, {**OURS, "sec-websocket-protocol": "token.*"}, HERE, 401),
    "a token of no letters": (TOKEN, {**OURS, "sec-websocket-protocol": "token.é"}, HERE, 401),
    "no token where there is one": (TOKEN, LOOPBACK, HERE, 401),
}


@pytest.mark.parametrize(
    ("token", "headers", "address", "status"), HANDSHAKES.values(), ids=HANDSHAKES
)
async def test_the_websocket_is_for_the_page_at_the_very_address_and_who_has_the_token(
    tmp_path: Path, token: str | None, headers: dict[str, str], address: str, status: int
) -> None:
    async with node(tmp_path, console_token=token) as made:
        assert await made.open(EVENTS, headers, address) == status


async def test_the_page_acts_at_whatever_address_it_was_served_if_it_has_the_token(
    tmp_path: Path,
) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        for where in (TUNNEL, ELSEWHERE):
            asked = {**PAGE, **where, "authorization": f"Bearer {TOKEN}"}
            assert (await made.ask("POST", ACT, KILL, asked)).is_success
    async with node(tmp_path) as made:
        assert (await made.ask("POST", ACT, KILL, {**PAGE, **TUNNEL}, HERE)).is_success
        assert (await made.ask("POST", ACT, KILL, {**PAGE, **ELSEWHERE}, HERE)).status_code == 403


async def test_guesses_at_the_websocket_are_counted_as_all_are(tmp_path: Path) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        told = [await made.open(EVENTS, {**OURS, **bearing(f"{n}")}) for n in range(40)]
        assert (told[0], told[-1]) == (401, 429)
        assert await made.open(EVENTS, {**OURS, **bearing(TOKEN)}) == 429


async def test_a_browser_that_asks_for_another_page_is_not_told_that_it_may(
    tmp_path: Path,
) -> None:
    asked = {
        "host": "127.0.0.1:3000",
        "origin": "http://127.0.0.1:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": PAGE_HEADER,
    }
    async with node(tmp_path) as made:
        answer = await made.ask("OPTIONS", ACT, b"", asked, HERE)
    assert not answer.is_success
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
async def test_an_action_is_a_post_and_nothing_else(tmp_path: Path, method: str) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        assert (await made.ask(method, ACT, KILL, WITH_TOKEN)).status_code == 405


async def test_an_action_is_written_down_with_who_asked_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        with capture_logs() as logs:
            look = json.dumps({"do": "observe", "process": "metrics"}).encode()
            assert (await made.ask("POST", ACT, look, WITH_TOKEN)).is_success
            answer = await made.ask("POST", ACT, KILL, WITH_TOKEN)
    asked = {"op": "kill", "reason": "kill", "process": "metrics", "by": f"console {STRANGER}"}
    assert answer.json()["asked"] == asked
    (told,) = [entry for entry in logs if entry["event"] == "console_action"]
    assert (told["action"], told["about"], told["by"]) == ("kill", "metrics", STRANGER)
    assert TOKEN not in str(logs)


async def test_the_policy_of_the_pages_lets_in_nothing_but_our_own_files(tmp_path: Path) -> None:
    async with node(tmp_path, console_token=TOKEN) as made:
        answer = await made.ask("GET", "/console")
    rules = dict(
        part.strip().partition(" ")[::2]
        for part in answer.headers["content-security-policy"].split(";")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' wss://phone.example.org"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


def test_no_script_or_style_stands_in_a_page_and_no_text_becomes_markup() -> None:
    for path, asset in ASSETS.items():
        text = asset.body.decode()
        if asset.media_type.startswith("text/html"):
            assert " style=" not in text, path
            assert " on" not in text.replace(" on ", " "), path
            assert text.count("<script") == text.count('<script type="module" src="/console/')
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, path
        if "/uplot/" not in path:  # which names where it comes from
            assert "https://" not in text and "http://" not in text.replace("http://www.w3.org", "")


def test_every_path_of_the_console_stands_in_the_table() -> None:
    assert {row.path for row in POLICY if row.path.startswith("/console")} == {
        *ASSETS,
        EVENTS,
        ACT,
        DIAL,
    }
    assert {door(HTTP, "POST", path).proof for path in (ACT, DIAL)} == {Proof.PAGE}
    assert door(HTTP, WEBSOCKET, EVENTS).proof is Proof.SOCKET
    assert door(HTTP, "GET", EVENTS).proof is Proof.NOBODY
    assert door(HTTP, "GET", "/console/nothing.js").proof is Proof.NOBODY


async def test_a_softphones_stream_needs_the_token_that_the_page_was_given(
    tmp_path: Path,
) -> None:
    """Also on a node that asks no carrier for one."""
    async with node(tmp_path) as made:
        answer = (await made.ask("POST", DIAL, b"{}", {**LOCAL, "origin": BASE}, HERE)).json()
        call, parameters = answer["call"], answer["parameters"]

        def start(call: str, parameters: dict[str, str], carrier: str = "softphone") -> None:
            told = Start("MZ1", call, "console", ("inbound",), MULAW_8000_MONO, parameters)
            made.admission.visit(HERE, carrier=carrier).start(told)

        for wrong in ({}, {"StreamToken": "x"}):
            with pytest.raises(ProtocolError, match="token"):
                start(call, wrong)
        with pytest.raises(ProtocolError, match="token"):
            start("CAother", parameters)
        start(call, parameters)
        with pytest.raises(ProtocolError, match="token is used"):
            start(call, parameters)
