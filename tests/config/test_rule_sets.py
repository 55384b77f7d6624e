"""The rule sets of the specification's functions."""

from __future__ import annotations

from aybiza.config.catalogue import TIERS, shipped
from aybiza.config.rule_sets import BEDROCK_GUIDE, CLAUDE_4_GUIDE, RULE_SETS, UnknownModel


def test_the_guides_chain_goes_down_a_tier_at_a_time() -> None:
    tiers = [model.tier for each in BEDROCK_GUIDE if (model := shipped().find(each))]
    assert tiers == list(reversed(TIERS))


def test_the_catalogue_has_every_model_of_the_guides() -> None:
    assert all(shipped().find(each) for each in (*BEDROCK_GUIDE, *CLAUDE_4_GUIDE))


def test_what_is_printed_differs_from_what_is_meant_in_two_defects() -> None:
    printed, meant = RULE_SETS["printed"], RULE_SETS["specification"]
    names = type(meant).__slots__
    differing = {name for name in names if getattr(printed, name) != getattr(meant, name)}
    assert differing == {"tokens_a_price", "counts_sentences"}


def test_a_call_is_bound_to_no_list_of_models() -> None:
    call = RULE_SETS["call"]
    assert (call.models, call.priced, call.voice_tokens) == (None, None, None)
    assert all(call.has_tools(tier) for tier in TIERS)


def test_an_unknown_model_is_named() -> None:
    assert "'x'" in str(UnknownModel("x"))
