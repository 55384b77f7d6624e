"""ConverseStream responses: their pace, and each fault as boto3 shows it."""

import asyncio
import itertools
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.eventstream import ChecksumMismatch

from aybiza.emulators.bedrock import BedrockEmulator, Fault, Pace, Scripted, long, use
from aybiza.emulators.bedrock.faults import HTTP_ERRORS, STREAM_EXCEPTIONS
from aybiza.emulators.bedrock.journal import Record

pytestmark = pytest.mark.real_time

SENTENCES = 30


@pytest.fixture(autouse=True)
def long_answers(emulator: BedrockEmulator) -> None:
    emulator.answer_with(long(SENTENCES))


def ended(record: Record) -> bool:
    return record.finished is not None


@pytest.mark.parametrize(("code", "status"), sorted(HTTP_ERRORS.items()))
async def test_an_http_error_is_the_exception_of_its_code(
    emulator: BedrockEmulator, bedrock: Any, code: str, status: int
) -> None:
    emulator.faults.add(Fault("http_error", code=code, message="on purpose"))
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        await bedrock.stream()
    assert type(raised.value).__name__ == code
    assert raised.value.response["Error"] == {"Code": code, "Message": "on purpose"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    record = emulator.journal.records[-1]
    assert (record.outcome, record.status, record.error_code) == ("fault", status, code)


@pytest.mark.parametrize("code", sorted(STREAM_EXCEPTIONS))
async def test_an_exception_in_the_stream_keeps_its_lower_camel_code(
    emulator: BedrockEmulator, bedrock: Any, code: str
) -> None:
    emulator.faults.add(Fault("stream_exception", code=code, after=2))
    with pytest.raises(botocore.exceptions.EventStreamError) as raised:
        await bedrock.stream()
    assert raised.value.response["Error"]["Code"] == code
    assert emulator.journal.records[-1].deltas_sent == 2


async def test_an_unmodelled_error_has_the_code_of_its_header(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("stream_error", code="InternalFailure", after=1))
    with pytest.raises(botocore.exceptions.EventStreamError) as raised:
        await bedrock.stream()
    assert raised.value.response["Error"]["Code"] == "InternalFailure"


@pytest.mark.parametrize("kind", ["fin", "rst"])
@pytest.mark.parametrize("after", [0, 2, 10_000])
async def test_a_broken_connection_is_a_protocol_error_of_urllib3(
    emulator: BedrockEmulator, bedrock: Any, kind: str, after: int
) -> None:
    emulator.faults.add(Fault(kind, after=after))
    with pytest.raises(urllib3.exceptions.ProtocolError):
        await bedrock.stream()
    record = emulator.journal.records[-1]
    assert record.outcome == "fault"
    assert record.deltas_sent == min(after, record.deltas_total)


async def test_silence_in_the_stream_is_a_read_timeout_of_urllib3(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("stall", after=1))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        await bedrock.stream()
    record = await emulator.journal.wait_for(ended)
    assert (record.outcome, record.deltas_sent) == ("cancelled", 1)


async def test_silence_before_the_header_is_a_read_timeout_of_botocore(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("slow_header"))
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        await bedrock.stream()
    record = await emulator.journal.wait_for(ended)
    assert (record.outcome, record.header_sent) == ("cancelled", None)


@pytest.mark.parametrize("kind", ["stall", "slow_header"])
async def test_a_short_silence_is_no_error(
    emulator: BedrockEmulator, bedrock: Any, event_text: Any, kind: str
) -> None:
    emulator.faults.add(Fault(kind, after=1, seconds=0.02))
    assert event_text(await bedrock.stream()).endswith("Sentence thirty.")


async def test_a_connection_closed_instead_of_an_answer_is_no_answer(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("no_answer"))
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        await bedrock.stream()


async def test_a_silent_end_raises_nothing_and_has_no_message_stop(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("silent_end", after=3))
    events = await bedrock.stream()
    kinds = [next(iter(event)) for event in events]
    assert kinds == ["messageStart"] + ["contentBlockDelta"] * 3


async def test_a_bad_crc_is_a_checksum_mismatch(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.faults.add(Fault("bad_crc", after=2))
    with pytest.raises(ChecksumMismatch):
        await bedrock.stream()


async def test_garbage_tool_input_does_not_parse(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.answer_with(Scripted(["Hello.", use("look", {"day": "Friday"})]))
    emulator.faults.add(Fault("garbage_tool_json"))
    await bedrock.stream("first")
    assert len(emulator.faults) == 1
    events = await bedrock.stream("second")
    fragments = [
        e["contentBlockDelta"]["delta"]["toolUse"]["input"]
        for e in events
        if "contentBlockDelta" in e
    ]
    assert fragments[0] == ""
    assert "".join(fragments) not in ("", '{"day": "Friday"}')
    assert len(emulator.faults) == 0


async def test_the_next_request_is_whole_again(
    emulator: BedrockEmulator, bedrock: Any, event_text: Any
) -> None:
    emulator.faults.add(Fault("rst", after=1))
    with pytest.raises(urllib3.exceptions.ProtocolError):
        await bedrock.stream()
    assert event_text(await bedrock.stream()).startswith("Sentence one.")


async def test_a_fault_strikes_the_call_that_it_waits_for(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.faults.add(Fault("http_error", call="CA2"))
    await bedrock.stream(requestMetadata={"call": "CA1"})
    with pytest.raises(botocore.exceptions.ClientError):
        await bedrock.stream(requestMetadata={"call": "CA2"})


async def test_the_first_event_waits_for_the_first_token(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.pace = Pace(first_token_ms=60)
    await bedrock.stream()
    record = emulator.journal.records[-1]
    assert record.header_sent is not None and record.first_event_sent is not None
    assert record.header_sent - record.arrived < 0.06 <= record.first_event_sent - record.arrived
    assert record.told_first_ms == 60


async def test_the_header_can_be_told_to_wait(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.pace = Pace(header_ms=30)
    await bedrock.stream()
    record = emulator.journal.records[-1]
    assert record.header_sent is not None
    assert record.header_sent - record.arrived >= 0.03


async def test_deltas_keep_their_distance(emulator: BedrockEmulator, bedrock: Any) -> None:
    emulator.answer_with(long(9))
    emulator.pace = Pace(per_delta_ms=15)
    await bedrock.stream()
    record = emulator.journal.records[-1]
    assert record.last_event_sent is not None
    least = (record.deltas_total - 1) * 0.015
    assert record.last_event_sent - record.arrived >= least


async def test_a_stream_whose_client_leaves_is_stopped_and_accounted(
    emulator: BedrockEmulator, bedrock: Any
) -> None:
    emulator.pace = Pace(per_delta_ms=20)

    def leave() -> None:
        request = bedrock.request("hello", {})
        stream = bedrock.client.converse_stream(**request)["stream"]
        list(itertools.islice(stream, 4))
        stream.close()

    await bedrock.run(leave)
    record = await emulator.journal.wait_for(ended)
    assert record.outcome == "cancelled"
    assert record.client_left is not None
    assert 3 <= record.deltas_sent < record.deltas_total
    assert record.deltas_after_client_left <= 1
    assert emulator.journal.cancelled == 1


async def test_a_client_that_leaves_before_the_first_token_ends_its_request_at_once(
    emulator: BedrockEmulator,
) -> None:
    emulator.pace = Pace(first_token_ms=60_000)
    _, writer = await asyncio.open_connection(emulator.host, emulator.port)
    await emulator_is_asked(emulator, writer)
    writer.close()
    record = await emulator.journal.wait_for(ended)
    assert (record.outcome, record.deltas_sent) == ("cancelled", 0)


async def emulator_is_asked(emulator: BedrockEmulator, writer: asyncio.StreamWriter) -> None:
    """Send a signed request by hand and wait until its header is out."""
    body = b'{"messages": [{"role": "user", "content": [{"text": "hello"}]}]}'
    scope = "KEY/20261120/us-east-1/bedrock/aws4_request"
    signature = "0" * 64
    head = [
        "POST /model/us.anthropic.claude-sonnet-4-6/converse-stream HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {len(body)}",
        "X-Amz-Date: 20261120T090000Z",
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, "
        f"Signature={signature}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    await emulator.journal.wait_for(lambda record: record.header_sent is not None)
