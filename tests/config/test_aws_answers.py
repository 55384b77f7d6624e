"""An answer of AWS's that has no end is read to a limit, whichever way it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import HTTPClientError

from aybiza.config.aws_answers import Bounded, bounded

MOST = 100_000
ASKED = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hello."}]}]}


class Endless:
    """A body of urllib3's without an end; `given`: how much of it was taken."""

    def __init__(self) -> None:
        self.given = 0
        self.closed = False

    def read(self, amount: int, **_: Any) -> bytes:
        self.given += amount
        return b"x" * amount

    def stream(self, amount: int = 1024, **_: Any) -> Iterator[bytes]:
        while not self.closed:
            yield self.read(amount)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def made() -> Any:
    keys: Any = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    make: Any = boto3.Session(region_name="us-east-1", **keys).client
    once = Config(retries={"total_max_attempts": 1})
    client = make("bedrock-runtime", endpoint_url="http://nowhere.invalid", config=once)
    answers: list[AWSResponse] = []
    client._endpoint.http_session.send = lambda request: answers[-1]
    assert bounded(client, MOST)
    return client, answers


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (200, lambda client: client.converse(**ASKED)),
        (500, lambda client: client.converse(**ASKED)),
        (200, lambda client: client.invoke_model(modelId="m", body="{}")["body"].read()),
        (200, lambda client: list(client.converse_stream(**ASKED)["stream"])),
    ],
)
def test_no_more_is_read_than_may_be(
    made: tuple[Any, list[AWSResponse]], status: int, ask: Callable[[Any], Any]
) -> None:
    client, answers = made
    body = Endless()
    answers.append(AWSResponse("http://nowhere.invalid", status, HTTPHeaders(), body))
    with pytest.raises(Exception) as error:  # of the stream: its checksum, at once
        ask(client)
    assert body.given <= MOST + 8_192
    assert isinstance(error.value, HTTPClientError) or "hecksum" in str(error.value)


def test_what_is_not_too_long_comes_as_it_is() -> None:
    class Short(Endless):
        def stream(self, amount: int = 1024, **_: Any) -> Iterator[bytes]:
            yield b"ab"
            yield b"c"

    assert Bounded(Short(), 3).read() == b"abc"
    assert Bounded(Short(), 3).read(2) == b"xx"
    assert Bounded(Short(), 3).closed is False
    with pytest.raises(HTTPClientError, match="longer than 2 bytes"):
        Bounded(Short(), 2).read()


def test_a_client_of_another_kind_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert not bounded(object())
    assert "aws_answers_unbounded" in capsys.readouterr().out
