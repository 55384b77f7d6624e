"""The stand-in for Titan's embeddings: what it refuses, and what is near to what."""

import json
from typing import Any

import numpy as np
import pytest

from aybiza.emulators.bedrock.embeddings import MODELS, Embeddings

(TITAN,) = MODELS


def embedded(text: str, **options: Any) -> Any:
    body = json.dumps({"inputText": text, **options}).encode()
    status, answer, error = Embeddings().answer(TITAN, body)
    assert (status, error) == (200, "")
    return np.asarray(answer["embedding"])


def test_what_means_the_same_is_near_and_what_does_not_is_far() -> None:
    when, hours, price = map(
        embedded, ("When are you open?", "What are your opening hours?", "What does it cost?")
    )
    assert when @ hours > 0.99 and abs(when @ price) < 0.3


def test_a_vector_has_the_length_that_is_asked_for() -> None:
    assert embedded("x").shape == (1024,)
    assert np.linalg.norm(embedded("x", dimensions=256)) == pytest.approx(1.0)
    assert np.linalg.norm(embedded("x", normalize=False)) > 2.0


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"inputText": ""},
        {"inputText": "x" * 50_001},
        {"inputText": "x", "dimensions": 300},
        {"inputText": "x", "normalize": "yes"},
        {"inputText": "x", "texts": []},
        ["x"],
    ],
)
def test_what_titan_refuses_is_refused(asked: Any) -> None:
    status, _, error = Embeddings().answer(TITAN, json.dumps(asked).encode())
    assert (status, error) == (400, "ValidationException")


def test_another_model_and_what_is_no_json_are_refused() -> None:
    for model, body in (("amazon.nova-pro-v1:0", b'{"inputText": "x"}'), (TITAN, b"{")):
        assert Embeddings().answer(model, body)[0] == 400
