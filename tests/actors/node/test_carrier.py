"""The Postman, with a Thespian that a test plays."""

from typing import Any

import pytest
from thespian.system.transport import SendStatus

from aybiza.actors.cluster.carrier import Unreachable
from aybiza.actors.node import carrier
from aybiza.actors.node.carrier import Greeting, NodeCarrier, Posted, Postman, Told
from tests.actors.cluster.kit import card

HERE, THERE = ("127.0.0.1", 1), ("127.0.0.1", 2)


class Thespian:
    """Keeps intents until a test ends them."""

    def __init__(self) -> None:
        self.intents: list[Any] = []
        self.reports: list[Unreachable] = []
        self.postman = Postman(self.intents.append, self.reports.append)

    def post(self, *messages: object, to: tuple[str, int] = HERE) -> None:
        for message in messages:
            self.postman.post(Posted(to, message))

    def mails(self) -> list[tuple[Any, ...]]:
        return [intent.message.messages for intent in self.intents]


@pytest.fixture
def thespian() -> Thespian:
    return Thespian()


def test_one_transmission_to_a_node_is_under_way_and_the_rest_goes_together(
    thespian: Thespian,
) -> None:
    thespian.post(1, 2, 3)
    thespian.post("x", to=THERE)
    assert thespian.mails() == [(1,), ("x",)]
    thespian.intents[0].tx_done(SendStatus.Sent)
    assert thespian.mails() == [(1,), ("x",), (2, 3)]
    thespian.intents[2].tx_done(SendStatus.Sent)
    thespian.post(4)
    assert thespian.mails()[3:] == [(4,)]


def test_a_mail_has_its_limit(thespian: Thespian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "MAIL_MESSAGES", 2)
    thespian.post(1, 2, 3, 4)
    thespian.intents[0].tx_done(SendStatus.Sent)
    assert thespian.mails() == [(1,), (2, 3)]


@pytest.mark.parametrize(
    ("status", "reports"),
    [(SendStatus.DeadTarget, [Unreachable(HERE)]), (SendStatus.Failed, [])],
)
def test_what_waits_behind_a_failure_is_lost_and_a_refused_connection_reported(
    thespian: Thespian, status: Any, reports: list[Unreachable]
) -> None:
    thespian.post(1, 2)
    thespian.intents[0].tx_done(status)
    assert thespian.reports == reports
    thespian.post(3)
    assert thespian.mails() == [(1,), (3,)]


def test_a_transmission_that_thespian_forgets_does_not_block_the_next_for_ever(
    thespian: Thespian, monkeypatch: pytest.MonkeyPatch
) -> None:
    thespian.post(1, 2)
    monkeypatch.setattr(carrier, "FORGOTTEN_SECONDS", -1.0)
    thespian.post(3)
    assert thespian.mails() == [(1,), (2, 3)]


def test_what_waits_is_bounded(thespian: Thespian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "MAX_WAITING", 10)
    thespian.post(*range(100))
    assert len(thespian.postman._waiting[HERE]) <= 10


def test_a_carrier_leaves_its_errands_to_the_actors_thread() -> None:
    put: list[Any] = []
    made = NodeCarrier(card(1, "a"), [("10.0.0.2", 1900)], put.append)
    made.post(THERE, "letter")
    made.tell("actor", "message")
    made.hello([("10.0.0.2", 1900)])
    assert put[:2] == [Posted(THERE, "letter"), Told("actor", "message")]
    assert isinstance(put[2], Greeting)
    assert put[2].hello.card == card(1, "a")


def test_a_carrier_passes_on_what_comes_once_somebody_listens() -> None:
    got: list[Any] = []
    made = NodeCarrier(card(1, "a"), [], lambda _message: None)
    made.receive("early", None)
    made.attach(lambda message, sender: got.append((message, sender)))
    made.receive("letter", "sender")
    assert got == [("letter", "sender")]


def test_only_thespian_addresses_are_actors(thespian: Thespian) -> None:
    made = NodeCarrier(card(1, "a"), [], lambda _message: None)
    assert made.is_actor(thespian.postman.actor_address(HERE))
    assert not made.is_actor(("name", "node"))
