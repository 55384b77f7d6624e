"""Operators' pages: a token that is set is always demanded, and a name is not this machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.doors import STRANGER, outside

CONSOLE = "console-token-of-the-operator"
PROXIED: list[dict[str, str]] = [
    {"via": "1.1 proxy"},
    {"forwarded": "for=203.0.113.9"},
    {"x-forwarded-for": "127.0.0.1"},
    {"x-real-ip": "127.0.0.1"},
    {"cf-connecting-ip": "203.0.113.9"},
    {"true-client-ip": "203.0.113.9"},
]


@pytest.mark.parametrize("more", [{}, *PROXIED])
async def test_a_token_that_is_set_is_demanded_of_everybody(
    tmp_path: Path, more: dict[str, str]
) -> None:
    async with outside(tmp_path, console_token=CONSOLE) as node:
        for address in ("127.0.0.1", "::1", STRANGER):
            headers = {"host": "127.0.0.1:3000", **more}
            assert (await node.ask("GET", "/metrics", b"", headers, address)).status_code == 401
            for wrong in ("", "Bearer", "Bearer x", f"Basic {CONSOLE}"):
                given = {**headers, "authorization": wrong}
                answer = await node.ask("GET", "/metrics", b"", given, address)
                assert answer.status_code == 401
            good = {**headers, "authorization": f"Bearer {CONSOLE}"}
            assert (await node.ask("GET", "/metrics", b"", good, address)).status_code == 200


@pytest.mark.parametrize("more", PROXIED)
async def test_without_a_token_whoever_comes_by_a_proxy_is_not_of_this_machine(
    tmp_path: Path, more: dict[str, str]
) -> None:
    async with outside(tmp_path) as node:
        headers = {"host": "127.0.0.1:3000", **more}
        assert (await node.ask("GET", "/metrics", b"", headers, "127.0.0.1")).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:3000", 200),
        ("localhost", 200),
        ("[::1]:3000", 200),
        ("evil.example", 401),
        ("evil.example:3000", 401),
        ("127.0.0.1.evil.example", 401),
        ("localhost.evil.example", 401),
        ("192.0.2.1", 401),
        ("", 401),
    ],
)
async def test_without_a_token_only_a_name_of_this_machine_is_answered(
    tmp_path: Path, host: str, status: int
) -> None:
    async with outside(tmp_path) as node:
        answer = await node.ask("GET", "/metrics", b"", {"host": host}, "127.0.0.1")
    assert answer.status_code == status


async def test_behind_a_program_of_this_machine_that_says_nothing_nobody_is_of_it(
    tmp_path: Path,
) -> None:
    async with outside(tmp_path, proxied=True) as node:
        headers = {"host": "127.0.0.1:3000"}
        assert (await node.ask("GET", "/metrics", b"", headers, "127.0.0.1")).status_code == 401
