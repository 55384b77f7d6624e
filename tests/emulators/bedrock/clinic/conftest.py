"""A desk with all of the clinic's tools."""

from __future__ import annotations

import pytest

from aybiza.dialogue.clinic import TOOLS
from aybiza.emulators.bedrock.clinic.conversation import Conversation
from aybiza.emulators.bedrock.clinic.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk(frozenset(TOOLS))


@pytest.fixture
def conversation(desk: Desk) -> Conversation:
    return Conversation(desk)
