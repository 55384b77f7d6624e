"""Answers as AWS writes them."""

from __future__ import annotations

import json

from aybiza.emulators.services.answer import Refused, as_json


def test_a_refusal_has_its_code_in_the_header_and_in_the_body() -> None:
    answer = Refused(400, "ValidationException", "No.").answer
    assert answer.status == 400
    assert ("x-amzn-errortype", "ValidationException") in answer.headers
    assert json.loads(answer.body) == {"__type": "ValidationException", "message": "No."}


def test_json_says_what_it_is() -> None:
    answer = as_json({"a": 1}, 201, "application/x-amz-json-1.1")
    assert (answer.status, answer.body) == (201, b'{"a": 1}')
    assert answer.headers == [("Content-Type", "application/x-amz-json-1.1")]
