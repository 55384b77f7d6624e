"""The specification's payload and prompt rules, by their recorded cases."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.spec_models import UnknownModel
from aybiza.claude.spec_payload import (
    VOICE_GUIDELINES,
    build_enhanced_payload,
    determine_max_tokens,
    enhance_for_voice,
    enhance_system_prompt_for_voice,
    supports_tool_use,
)
from tests.claude.golden import cases

Case = dict[str, Any]
MARK = "<voice guidelines>"


@pytest.mark.parametrize("case", cases("build_enhanced_payload"))
def test_build_enhanced_payload(case: Case) -> None:
    expected = dict(case["output"])
    if "system" in expected:
        expected["system"] = expected["system"].replace(MARK, VOICE_GUIDELINES)
    assert build_enhanced_payload(**case["input"]) == expected


@pytest.mark.parametrize("case", cases("determine_max_tokens"))
def test_determine_max_tokens(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(UnknownModel):
            determine_max_tokens(**case["input"])
    else:
        assert determine_max_tokens(**case["input"]) == case["output"]


@pytest.mark.parametrize("case", cases("supports_tool_use"))
def test_supports_tool_use(case: Case) -> None:
    assert supports_tool_use(**case["input"]) is case["output"]


@pytest.mark.parametrize("case", cases("enhance_system_prompt_for_voice"))
def test_enhance_system_prompt_for_voice(case: Case) -> None:
    expected = case["output"].replace(MARK, VOICE_GUIDELINES)
    assert enhance_system_prompt_for_voice(**case["input"]) == expected


@pytest.mark.parametrize("case", cases("enhance_for_voice"))
def test_enhance_for_voice(case: Case) -> None:
    assert enhance_for_voice(**case["input"]) == case["output"].replace(MARK, VOICE_GUIDELINES)


def test_the_rules_start_on_a_line_of_their_own_and_end_with_it() -> None:
    assert VOICE_GUIDELINES.startswith("\n") and not VOICE_GUIDELINES.startswith("\n\n")
    assert VOICE_GUIDELINES.endswith("\n") and not VOICE_GUIDELINES.endswith("\n\n")
    assert "50 words" in VOICE_GUIDELINES
