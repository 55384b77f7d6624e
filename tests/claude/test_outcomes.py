"""How messages end: every stop reason, spoken or not, with and without tools, has its act."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude.outcomes import LIMITS, TABLE, WITHHELD, Act, Outcomes, Tools
from aybiza.dialogue.conversation import STOPPED_BY_A_FILTER

ASKS_AGAIN = {Act.GO_ON, Act.ASK_AGAIN, Act.MORE_ROOM, Act.SHORTEN}


def converse_reasons() -> set[str]:
    """The stop reasons that the installed botocore knows of Converse."""
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape: Any = model.shape_for("StopReason")
    return set(shape.enum)


def test_every_stop_reason_of_converse_has_its_row() -> None:
    assert converse_reasons() <= set(TABLE)


@pytest.mark.parametrize("reason", TABLE)
def test_a_row_is_whole(reason: str) -> None:
    assert set(TABLE[reason]) == set(product((False, True), get_args(Tools)))


@pytest.mark.parametrize("reason", [*TABLE, "a_reason_of_tomorrow"])
@pytest.mark.parametrize("spoken", [False, True])
def test_a_cut_tool_never_runs(reason: str, spoken: bool) -> None:
    if reason == "max_tokens":
        assert Outcomes().act(reason, spoken=spoken, tools="cut") is Act.MORE_ROOM


@pytest.mark.parametrize(
    ("reason", "spoken", "tools", "act"),
    [
        ("end_turn", True, "none", Act.DONE),
        ("end_turn", False, "none", Act.ASK_AGAIN),
        ("end_turn", True, "whole", Act.USE_TOOLS),
        ("tool_use", False, "whole", Act.USE_TOOLS),
        ("tool_use", False, "none", Act.ASK_AGAIN),
        ("max_tokens", True, "none", Act.GO_ON),
        ("max_tokens", False, "none", Act.MORE_ROOM),
        ("guardrail_intervened", True, "none", Act.BLOCKED),
        ("guardrail_intervened", False, "whole", Act.BLOCKED),
        ("content_filtered", False, "none", Act.BLOCKED),
        ("malformed_tool_use", False, "cut", Act.ASK_AGAIN),
        ("model_context_window_exceeded", True, "none", Act.SHORTEN),
        ("a_reason_of_tomorrow", True, "none", Act.DONE),
        ("a_reason_of_tomorrow", False, "none", Act.ASK_AGAIN),
    ],
)
def test_what_follows(reason: str, spoken: bool, tools: Tools, act: Act) -> None:
    assert Outcomes().act(reason, spoken=spoken, tools=tools) is act


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*TABLE, "other"]), st.booleans(), st.sampled_from(get_args(Tools))
        ),
        min_size=20,
        max_size=60,
    )
)
def test_an_answer_asks_again_a_bounded_number_of_times(
    messages: list[tuple[str, bool, Tools]],
) -> None:
    outcomes = Outcomes()
    acts = [outcomes.act(reason, spoken=spoken, tools=tools) for reason, spoken, tools in messages]
    assert sum(act in ASKS_AGAIN for act in acts) <= sum(most for most, _ in LIMITS.values())


def test_the_conversation_knows_the_same_reasons_for_a_withheld_answer() -> None:
    assert WITHHELD == STOPPED_BY_A_FILTER
