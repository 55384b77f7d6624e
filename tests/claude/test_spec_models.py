"""The specification's models."""

from __future__ import annotations

import pytest

from aybiza.claude.spec_models import MODEL_CAPABILITIES, UnknownModel, capabilities


def test_the_chain_of_throttled_models_ends() -> None:
    for model_id in MODEL_CAPABILITIES:
        chain = [model_id]
        while (below := capabilities(chain[-1]).throttled_to) != chain[-1]:
            assert below not in chain
            chain.append(below)
        assert "3-haiku" in chain[-1]


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(UnknownModel, match="'x'"):
        capabilities("x")
