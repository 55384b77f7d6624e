"""A quota that is reached in the middle of a call: what the caller hears."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.call.kit import AGENT, world
from tests.call.steps import stay, text


@pytest.mark.parametrize("over_quota", ["The budget of this call is spent. Goodbye."])
async def test_a_call_over_its_quota_ends_in_words_of_its_own(
    tmp_path: Path, over_quota: str
) -> None:
    agent = AGENT.model_copy(update={"over_quota": over_quota})
    async with (
        world(
            tmp_path,
            answers={"Hello.": ["Good day."]},
            agent=agent,
            AYBIZA_QUOTA_CALL_USD="0.000001",
            AYBIZA_QUOTA_ACTION="refuse",
        ) as place,
        place.call(text("Hello."), text("And now?", after="Good day"), stay()) as call,
    ):
        await call.over()
        assert over_quota in call.heard
        assert agent.busy not in call.heard
