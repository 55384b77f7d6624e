"""Node mains by name."""

import pytest

from aybiza.actors.node.context import load_node_main

MAINS = "tests.actors.node.node_mains"


def test_a_coroutine_function_is_found_by_its_name() -> None:
    main = load_node_main(f"{MAINS}:serving")
    assert getattr(main, "__name__", None) == "serving"


@pytest.mark.parametrize("name", ["", "module", ":function", "module:", MAINS])
def test_a_name_of_another_form_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not of the form module:function"):
        load_node_main(name)


@pytest.mark.parametrize("function", ["no_coroutine", "nothing", "os"])
def test_what_is_no_coroutine_function_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match=f"has no coroutine function {function}"):
        load_node_main(f"{MAINS}:{function}")


def test_a_module_that_does_not_exist_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        load_node_main("no_such_module:main")
