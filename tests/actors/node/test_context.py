"""Node mains by name."""

from pathlib import Path

import pytest

from aybiza.actors.node.context import NodeMainError, load_node_main

MAINS = "tests.actors.node.node_mains"


def test_a_coroutine_function_is_found_by_its_name() -> None:
    main = load_node_main(f"{MAINS}:serving")
    assert getattr(main, "__name__", None) == "serving"


@pytest.mark.parametrize("name", ["", "module", ":function", "module:", MAINS])
def test_a_name_of_another_form_is_refused_by_name(name: str) -> None:
    with pytest.raises(NodeMainError, match=f"'{name}' is not of the form module:function"):
        load_node_main(name)


@pytest.mark.parametrize("function", ["no_coroutine", "nothing", "os"])
def test_what_is_no_coroutine_function_is_refused(function: str) -> None:
    with pytest.raises(NodeMainError, match=f"has no coroutine function {function}"):
        load_node_main(f"{MAINS}:{function}")


@pytest.mark.parametrize("module", ["no_such_module", "tests.actors.node.nothing", "nothing.there"])
def test_a_module_that_there_is_not_is_told_by_its_name(module: str) -> None:
    with pytest.raises(NodeMainError, match=r"there is no module (\S+)$") as refusal:
        load_node_main(f"{module}:main")
    assert module.startswith(str(refusal.value).rpartition(" ")[2])


def test_what_a_module_itself_cannot_import_is_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_main.py").write_text("import a_package_that_there_is_not\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_package_that_there_is_not"):
        load_node_main("broken_main:main")
