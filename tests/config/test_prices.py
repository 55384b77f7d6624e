"""Prices of speech and of carriers: which one counts, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.prices import PricesError, load, shipped


def test_the_longest_beginning_of_a_name_counts() -> None:
    prices = shipped()
    assert prices.of("speak", "aura-2-thalia-en") == 30_000
    assert prices.of("speak", "aura-asteria-en") == 15_000
    assert prices.of("listen", "nova-3-medical") == 7_700
    assert prices.of("carrier", "asterisk") == 0
    assert prices.of("listen", "whisper") is None


def test_a_file_of_ones_own_changes_what_it_names_and_adds_to_it(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('[listen]\n"nova-3" = 0.0043\n"whisper" = 0.0048\n')
    prices = load(path)
    assert prices.of("listen", "nova-3") == 4_300
    assert prices.of("listen", "whisper") == 4_800
    assert prices.of("listen", "nova-2") == shipped().of("listen", "nova-2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[listen]\nnova-3 = 0.00000001", "listen.nova-3 = 1E-8: must be USD"),
        ("[listen]\nnova-3 = -1", "must be USD from 0"),
        ("[listen]\nnova-3 = 'dear'", "listen.nova-3 = dear: must be USD"),
        ("[hear]\nnova-3 = 1", "hear is no service; there are listen, speak, carrier"),
        ("listen = 3", "listen = 3: must be USD"),
        ("[listen", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(PricesError, match=str(path)) as refused:
        load(path)
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PricesError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
