"""Who asks a control path of an emulator: a program, its own page, or somebody else's page."""

from __future__ import annotations

import pytest

from aybiza.emulators.web_pages import refusal

HERE = {"host": "127.0.0.1:9000"}


@pytest.mark.parametrize(
    "headers",
    [
        HERE,
        {"host": "localhost:9000"},
        {"host": "[::1]:9000"},
        {"host": "emulators:9000"},
        HERE | {"sec-fetch-site": "none"},
        HERE | {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:9000"},
    ],
)
def test_programs_and_address_lines_may(headers: dict[str, str]) -> None:
    assert refusal(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        HERE | {"origin": "https://evil.example"},
        HERE | {"origin": "null"},
        HERE | {"origin": ""},
        HERE | {"origin": "http://127.0.0.1:8000"},
        HERE | {"origin": "http://127.0.0.1:9000.evil.example"},
        HERE | {"sec-fetch-site": "cross-site"},
        HERE | {"sec-fetch-site": "same-site"},
        {"host": "evil.example"},
        {"host": "evil.example:9000", "origin": "http://evil.example:9000"},
        {"host": "127.0.0.1.evil.example:9000"},
        {"host": "[::1"},
        {"host": ""},
        {},
    ],
)
def test_pages_of_others_may_not(headers: dict[str, str]) -> None:
    assert refusal(headers) is not None
