"""A desk with all of the clinic's tools."""

from __future__ import annotations

import pytest

from dialogue.clinic import TOOLS
from emulators.bedrock.clinic.conversation import Conversation
from emulators.bedrock.clinic.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk(frozenset(TOOLS))


@pytest.fixture
def conversation(desk: Desk) -> Conversation:
    return Conversation(desk)
