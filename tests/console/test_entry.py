"""The script says what to install where a package is missing."""

from collections.abc import Callable

import pytest

from aybiza.console import entry


def lacks(module: str) -> Callable[[], None]:
    """A command line that finds a module missing."""

    def main() -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    return main


def test_a_missing_package_is_named_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("aybiza.console.cli.main", lacks("boto3.session"))
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "aybiza: this command needs boto3, which is not installed.\n"
        "The runtime works without it. pip install 'aybiza[voice]' brings all commands;\n"
        "'aybiza[cluster]' those that run a node of your own (aybiza run --node-main).\n"
    )


def test_a_module_of_our_own_that_is_missing_is_a_defect_and_no_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aybiza.console.cli.main", lacks("aybiza.nothing"))
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        entry.main()


def test_who_gives_up_while_it_still_starts_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def given_up() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aybiza.console.cli.main", given_up)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")
