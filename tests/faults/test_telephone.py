"""The telephone in memory: webhooks without HTTP."""

from typing import Any

import pytest

from aybiza.emulators.phone.phone import Phone
from aybiza.faults.caller import hangs_up, script_of
from aybiza.faults.telephone import HTTP_URL, Telephone, post
from aybiza.faults.virtual import ambient


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": body + scope["query_string"]})


def test_a_form_goes_to_the_application_and_its_answer_comes_back() -> None:
    with ambient() as loop:
        answer = loop.run_until_complete(post(echo, f"{HTTP_URL}/incoming?again=1", {"A": "b c"}))
    assert answer == (201, "A=b+cagain=1")


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [(500, b"", "answered with status 500"), (200, b"<Response/>", "had come to its end")],
)
def test_a_webhook_without_a_stream_ends_the_call_with_its_reason(
    status: int, body: bytes, failure: str
) -> None:
    async def answering(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def main() -> str:
        phone = Telephone(script_of([hangs_up()]), answering, lambda end: None)
        assert isinstance(phone, Phone)
        async with phone:
            return (await phone.run()).failure

    with ambient() as loop:
        assert failure in loop.run_until_complete(main())
