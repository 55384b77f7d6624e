"""The names of the conventions for generative AI stand in one module."""

from aybiza.actors.measures import gen_ai
from tests.test_floors import ROOT


def test_no_other_module_spells_them() -> None:
    spelt = [
        str(path.relative_to(ROOT))
        for folder in ("actors", "claude", "console", "gateway", "supervisors")
        for path in (ROOT / folder).rglob("*.py")
        if '"gen_ai.' in path.read_text(encoding="utf-8")
    ]
    assert spelt == ["actors/measures/gen_ai.py"]


def test_a_request_has_its_model_region_tokens_and_end() -> None:
    told = {"model": "m", "region": "eu-west-1", "stop_reason": "end_turn"}
    found = gen_ai.of_request({"input_tokens": 7, "output_tokens": 2, "seconds": 1.0}, told)
    assert found["gen_ai.request.model"] == "m"
    assert found["gen_ai.usage.input_tokens"] == 7
    assert found["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert found["cloud.region"] == "eu-west-1"
