"""What answers at the address of a Redis and does not speak as one is an error of the store's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.memory.redis_store import RedisStore
from aybiza.actors.memory.store import About, StoreError

SAID = b"my number is 4711"
ANSWERS = {
    "lists in lists": b"*1\r\n" * 50_000,
    "a number that is none": b":" + SAID + b"\r\n",
    "a number without end": b":" + b"9" * 50_000 + b"\r\n",
    "no UTF-8": b"$3\r\n\xff\xfe\xff\r\n",
    "nothing": b"_\r\n",
    "one word": b"+OK\r\n",
    "another kind": b"#t\r\n",
    "news without end": b">1\r\n+x\r\n" * 2_000,
    "an error without end": b"-ERR " + b"x" * 50_000 + b"\r\n",
    "no protocol": b"\x00\xff\r\n",
}


@contextmanager
def answering(with_: bytes) -> Iterator[str]:
    """The URL of a server that answers so to whatever it is asked."""

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                try:
                    while peer.recv(65536):
                        peer.sendall(with_)
                except OSError:
                    continue

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_it_costs_a_journal_nothing_and_is_told_in_short(answer: bytes) -> None:
    with answering(answer) as url:
        store = RedisStore(url)
        with pytest.raises(StoreError) as raised:
            store.claim("CA1", 1, About())
        store.close()
    assert len(str(raised.value)) < 300
    assert SAID.decode() not in str(raised.value)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_it_knows_no_answer(answer: bytes) -> None:
    with answering(answer) as url:
        known = KnownAnswers(redis_url=url)
        assert await known.heard(("desk", "", "where is it")) == ()
        await known.tell(("desk", "", "where is it"), ["At ten."])
        await known.aclose()
