"""A desk with all of the clinic's tools."""

from __future__ import annotations

import pytest

from aybiza.emulators.bedrock.clinic.conversation import Conversation
from aybiza.emulators.bedrock.clinic.desk import Desk
from tests.clinic import NAMES


@pytest.fixture
def desk() -> Desk:
    return Desk(frozenset(NAMES))


@pytest.fixture
def conversation(desk: Desk) -> Conversation:
    return Conversation(desk)
