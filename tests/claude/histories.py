"""Messages for request tests: the blocks by hand, and any history that a fault could leave."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from aybiza.claude.messages import tool_result


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str) -> dict[str, Any]:
    return {"text": value}


def tool_use(tool_use_id: str, name: str = "book") -> dict[str, Any]:
    return {"toolUse": {"toolUseId": tool_use_id, "name": name, "input": {"day": "Monday"}}}


IDS = st.sampled_from(["t1", "t2", "t3", "bad id!", "", "x" * 80])
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=4)
    | st.just("\ud83d")
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
BLOCKS = st.one_of(
    st.builds(text, st.text(st.characters(), max_size=5) | st.just("\ud83d")),
    st.builds(
        lambda i, n, v: {"toolUse": {"toolUseId": i, "name": n, "input": v}}, IDS, IDS, ANYTHING
    ),
    st.builds(tool_result, IDS, ANYTHING),
    st.builds(lambda i, v: {"toolResult": {"toolUseId": i, "content": v}}, IDS, ANYTHING),
    st.builds(
        lambda i, v: {"toolResult": {"toolUseId": i, "content": [{"json": v}, {"text": " "}]}},
        IDS,
        ANYTHING,
    ),
    st.just({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}),
    st.just({"reasoningContent": {"reasoningText": {"text": "hm"}}}),
    st.just({"reasoningContent": {"redactedContent": b"r"}}),
    st.just({"cachePoint": {"type": "default"}}),
    ANYTHING,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "user", "assistant", "system", None]),
            "content": st.lists(BLOCKS, max_size=5) | ANYTHING,
        }
    ),
    max_size=8,
)
