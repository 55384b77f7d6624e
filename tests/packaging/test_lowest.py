"""The lowest versions: every package has one, and none is above the version that is pinned."""

from __future__ import annotations

import re

from tests.packaging.lowest import DOORS, ROOT, lowest

PINS = dict(
    re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
)


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def test_every_package_has_a_lower_bound_that_is_not_above_its_pin() -> None:
    bounds = dict(lowest())
    assert len(bounds) > 30
    pins = {name.lower().replace("_", "-"): version for name, version in PINS.items()}
    for name, version in bounds.items():
        pinned = number(pins[name.lower().replace("_", "-")])
        assert number(version) <= pinned, name


def test_the_tests_that_are_run_with_them_exist() -> None:
    assert [path for path in DOORS if not (ROOT / path).exists()] == []
