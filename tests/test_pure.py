"""The tests that are measured are those of the floors that decide, by examples, in no real time."""

from types import ModuleType

import pytest

from aybiza.faults import trial, world
from tests.pure import WHOLE_CALLS, is_pure, makes_calls


@pytest.mark.parametrize(
    ("nodeid", "searches", "real_time", "calls", "pure"),
    [
        ("tests/claude/test_models.py::test_a", False, False, False, True),
        ("tests/dialogue/tools/test_openapi.py::test_a[b/c]", False, False, False, True),
        ("tests/claude/test_models.py::test_a", True, False, False, False),
        ("tests/claude/test_models.py::test_a", False, True, False, False),
        ("tests/claude/test_models.py::test_a", False, False, True, False),
        ("tests/gateway/test_http.py::test_a", False, False, False, False),
        ("tests/test_floors.py::test_a[config/x]", False, False, False, False),
        ("config/test_x.py::test_a", False, False, False, False),
    ],
)
def test_a_test_is_measured_by_its_folder_and_its_kind(
    nodeid: str, searches: bool, real_time: bool, calls: bool, pure: bool
) -> None:
    assert is_pure(nodeid, searches=searches, real_time=real_time, calls=calls) == pure


def test_a_module_makes_whole_calls_by_what_it_imports() -> None:
    assert {world.in_world.__module__, trial.tried.__module__} == set(WHOLE_CALLS.values())
    module = ModuleType("test_x")
    vars(module)["tried"] = test_a_test_is_measured_by_its_folder_and_its_kind
    assert not makes_calls(module)
    vars(module)["tried"] = trial.tried
    assert makes_calls(module)
