"""What is cut when the time of an operation is up. Against real sockets: tests of the bucket."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from structlog.testing import capture_logs

from aybiza.config.aws_deadlines import Cuts, Limit


class Socket:
    shut = 0

    def shutdown(self, how: int) -> None:
        self.shut += 1
        if self.shut > 1:
            raise OSError("not connected")


class Connection:
    def __init__(self) -> None:
        self.sock = Socket()

    def connect(self) -> str:
        return "connected"

    def request(self, method: str) -> str:
        return method


def watched() -> tuple[Cuts, Connection]:
    """What botocore has of a client, and a connection of it."""
    cuts, pool = Cuts(), type("Pool", (), {"ConnectionCls": Connection})
    manager = SimpleNamespace(pool_classes_by_scheme={"https": pool})
    session = SimpleNamespace(_manager=manager)
    cuts.watch(SimpleNamespace(_endpoint=SimpleNamespace(http_session=session)))
    made: Any = manager.pool_classes_by_scheme["https"]
    return cuts, made.ConnectionCls()


def test_the_connection_that_an_operation_uses_is_shut_down_and_no_other() -> None:
    cuts, used = watched()
    with cuts.within(60.0) as limit:
        assert used.connect() == "connected" and used.request("PUT") == "PUT"
        (thread,) = cuts._used
        for _ in range(2):
            cuts._cut(limit, thread)
        cuts._cut(limit, thread + 1)
    assert limit.over and used.sock.shut == 2 and not cuts._used


def test_a_client_that_keeps_its_connections_elsewhere_is_told_of() -> None:
    cuts = Cuts()
    with capture_logs() as logs:
        cuts.watch(object())
    assert [line["event"] for line in logs] == ["aws_operations_unlimited"]
    cuts._cut(limit := Limit(), 1)
    assert limit.over
