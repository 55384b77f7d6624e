"""The call's language stands on the line, and who has a socket is told once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aybiza.actors import names
from aybiza.actors.call.call_language import FOLLOW, speak_in


class Told:
    """Takes note of what is sent."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, Any]] = []

    def send(self, to: Any, message: Any) -> None:
        self.told.append((to, message))

    cast = send


def test_who_has_a_socket_is_told_of_a_change_and_of_nothing_else() -> None:
    vm: Any = Told()
    context: Any = SimpleNamespace(call_id="CA1", line=SimpleNamespace(language=""))
    speak_in(vm, context, "")
    assert vm.told == []
    for _ in range(2):
        speak_in(vm, context, "es")
    assert context.line.language == "es"
    assert vm.told == [(names.transcriber("CA1"), FOLLOW), (names.speaker("CA1"), FOLLOW)]
