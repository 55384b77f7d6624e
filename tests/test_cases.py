"""A test of many cases checks all of them, and its failure names all that do not hold."""

import pytest

from tests.cases import each

SEEN: list[int] = []


@each([pytest.param(1, id="one"), pytest.param(2, id="two"), pytest.param(3, id="three")])
def odd(number: int) -> None:
    SEEN.append(number)
    assert number % 2, f"{number} is even"


@each([("a", "A"), ("b", "b"), ("c", "C"), ("d", "d")])
def upper(text: str, wanted: str) -> None:
    assert text.upper() == wanted


@each([(int, "x"), (int, "3")])
def refused(read: type[int], text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_every_case_is_checked_and_one_that_fails_is_named_with_what_it_said() -> None:
    SEEN.clear()
    with pytest.raises(AssertionError, match=r"1 of 3 cases .*\ntwo: AssertionError: 2 is even"):
        odd()
    assert SEEN == [1, 2, 3]


def test_all_that_fail_are_named() -> None:
    with pytest.raises(AssertionError) as failure:
        upper()
    assert "2 of 4" in str(failure.value)
    assert "'b', 'b'" in str(failure.value) and "'d', 'd'" in str(failure.value)
    assert isinstance(failure.value.__cause__, AssertionError)


def test_what_should_have_been_refused_is_named_too() -> None:
    with pytest.raises(AssertionError, match=r"1 of 2 .*\n.*'3': Failed: DID NOT RAISE"):
        refused()


def test_a_table_without_cases_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no cases"):
        each([])


class TestOfAClass:
    """A method is one test too."""

    names: tuple[str, ...] = ("x", "y")

    @each(names)
    def test_a_method_gets_its_receiver(self, name: str) -> None:
        assert name in self.names
