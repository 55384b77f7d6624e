"""The worker's side of the protocol, without a process: utterances, positions, decoders."""

from __future__ import annotations

import io
from functools import cache

import pytest

from aybiza.emulators.deepgram import worker
from aybiza.emulators.deepgram.worker import KNOWN, PLACE, REPLY, REQUEST, UNKNOWN, Hearing, serve
from aybiza.speech import mulaw
from tests.emulators.deepgram.kit import SAID, recording


@cache
def maker() -> worker.MakeDecoder:
    return worker.decoder_maker()


@cache
def hearing() -> Hearing:
    return Hearing(maker())


def tell(session: int, audio: bytes, place: int = 0, ears: Hearing | None = None) -> None:
    """Send audio in pieces, from `place` of the utterance on."""
    for at in range(0, len(audio), 1600):
        piece = PLACE.pack(place + at) + audio[at : at + 1600]
        assert (ears or hearing()).answer("A", session, piece) is None


def ask(
    operation: str, session: int, length: int, ears: Hearing | None = None
) -> tuple[bytes, str]:
    reply = (ears or hearing()).answer(operation, session, PLACE.pack(length))
    assert reply is not None
    return reply[:1], reply[1:].decode()


@pytest.mark.parametrize("name", SAID)
def test_what_a_caller_said_is_recognised(name: str) -> None:
    audio = mulaw.silence(0.3) + recording(name)
    tell(1, audio)
    assert ask("F", 1, len(audio)) == (KNOWN, SAID[name])


def test_what_was_said_so_far_can_be_asked_for_and_then_finished() -> None:
    audio = mulaw.silence(0.3) + recording("booking_day")
    half = len(audio) // 1600 // 2 * 1600
    tell(2, audio[:half])
    known, partial = ask("P", 2, half)
    assert known == KNOWN
    assert SAID["booking_day"].startswith(partial.split()[0])
    tell(2, audio[half:], half)
    assert ask("F", 2, len(audio)) == (KNOWN, SAID["booking_day"])


def test_an_utterance_is_heard_alike_whatever_was_heard_before() -> None:
    for name in ("moving_ask", "booking_time", "moving_ask"):
        audio = mulaw.silence(0.3) + recording(name)
        tell(3, audio)
        assert ask("F", 3, len(audio)) == (KNOWN, SAID[name])


def test_sessions_do_not_hear_each_other() -> None:
    first, second = recording("moving_day"), recording("interrupt_price")
    for at in range(0, max(len(first), len(second)), 1600):
        for session, audio in ((4, first), (5, second)):
            if at < len(audio):
                tell(session, audio[at : at + 1600], at)
    assert ask("F", 4, len(first)) == (KNOWN, SAID["moving_day"])
    assert ask("F", 5, len(second)) == (KNOWN, SAID["interrupt_price"])


def test_a_session_that_said_nothing_is_known() -> None:
    assert ask("P", 6, 0) == (KNOWN, "")
    assert ask("F", 6, 0) == (KNOWN, "")


def test_an_utterance_whose_beginning_is_missing_is_unknown_until_it_is_sent_again() -> None:
    audio = recording("moving_day")
    tell(7, audio[1600:], 1600)
    assert ask("P", 7, len(audio)) == (UNKNOWN, "")
    assert ask("F", 7, len(audio)) == (UNKNOWN, "")
    tell(7, audio)
    assert ask("F", 7, len(audio)) == (KNOWN, SAID["moving_day"])


def test_audio_behind_a_gap_is_not_heard() -> None:
    audio = recording("moving_day")
    tell(8, audio[:3200])
    tell(8, audio[4800:], 4800)
    assert ask("F", 8, len(audio)) == (UNKNOWN, "")
    hearing().answer("C", 8, b"")


def test_a_finished_utterance_is_unknown_afterwards() -> None:
    audio = recording("moving_day")
    tell(9, audio)
    ask("F", 9, len(audio))
    assert ask("F", 9, len(audio)) == (UNKNOWN, "")


def test_a_session_that_is_gone_is_forgotten() -> None:
    tell(10, recording("moving_day"))
    hearing().answer("C", 10, b"")
    assert ask("P", 10, 0) == (KNOWN, "")
    hearing().answer("C", 11, b"")


def test_decoders_are_lent_for_an_utterance_and_few_are_kept() -> None:
    made = []

    def make() -> object:
        made.append(maker()())
        return made[-1]

    ears = Hearing(make)
    for _ in range(3):
        tell(1, recording("bye_awb"), ears=ears)
        ears.answer("C", 1, b"")
    assert len(made) == 1
    for session in range(worker.KEPT_DECODERS + 2):
        tell(session, recording("bye_awb")[:1600], ears=ears)
    assert len(made) == worker.KEPT_DECODERS + 2
    for session in range(worker.KEPT_DECODERS + 2):
        ears.answer("C", session, b"")
    assert len(ears._idle) == worker.KEPT_DECODERS


def test_there_is_a_limit_to_utterances_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MOST_UTTERANCES", 1)
    ears = Hearing(maker())
    audio = recording("bye_awb")
    tell(1, audio, ears=ears)
    tell(2, audio, ears=ears)
    assert ask("F", 2, len(audio), ears) == (UNKNOWN, "")
    assert ask("F", 1, len(audio), ears) == (KNOWN, SAID["bye_awb"])
    tell(2, audio, ears=ears)
    assert ask("F", 2, len(audio), ears) == (KNOWN, SAID["bye_awb"])


def test_requests_are_read_until_the_pipe_ends_and_answered_by_number() -> None:
    audio = recording("bye_awb")
    requests = [("A", 1, 0, PLACE.pack(0) + audio), ("P", 2, 7, PLACE.pack(0)),
                ("F", 1, 8, PLACE.pack(len(audio))), ("C", 1, 0, b"")]  # fmt: skip
    source = b"".join(
        REQUEST.pack(len(payload), ord(operation), session, number) + payload
        for operation, session, number, payload in requests
    )
    sink = io.BytesIO()
    serve(io.BytesIO(source + b"\0\0\0"), sink, hearing())
    sink.seek(0)
    replies = []
    while head := sink.read(REPLY.size):
        length, number = REPLY.unpack(head)
        replies.append((number, sink.read(length)))
    assert replies == [(7, KNOWN), (8, KNOWN + SAID["bye_awb"].encode())]
