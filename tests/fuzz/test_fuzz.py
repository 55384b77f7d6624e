"""A share of the fuzzing for each run of the tests, and that it finds what is wrong."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.fuzz import decoders
from tests.fuzz.__main__ import fuzz, main
from tests.fuzz.decoder import Decoder
from tests.fuzz.decoders import DECODERS
from tests.fuzz.mutate import broken_bytes


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_says_nothing_but_its_own_errors(name: str) -> None:
    assert fuzz(name, 300, seed=7) == []


def test_the_same_seed_gives_the_same_inputs() -> None:
    from random import Random

    decoder = DECODERS["wire"]()
    first, second = ([decoder.make(Random(seed)) for seed in range(20)] for _ in range(2))
    assert first == second


def test_a_decoder_that_fails_is_told_with_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def decode(data: bytes) -> None:
        struct.unpack(">I", data[:4])

    def made() -> Decoder:
        good = [b"12345678"]
        return Decoder(lambda random: broken_bytes(random, good[0], good), decode)

    table: dict[str, Any] = {"careless": made}
    monkeypatch.setattr(decoders, "DECODERS", table)
    monkeypatch.setattr("tests.fuzz.__main__.DECODERS", table)
    assert main(["--inputs", "1000", "--decoder", "careless"]) == 1
    told = capsys.readouterr().out
    assert "struct.error" in told and "careless" in told
