"""What the quotas' file may say, and what is said of one that cannot be used."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.quotas import QuotasError, TenantQuota, load_quotas


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "quotas.toml"
    path.write_text(text)
    return path


def test_amounts_are_exact_and_what_is_not_said_is_open(tmp_path: Path) -> None:
    text = """
        [default]
        call_usd = 0.1
        [tenants."Lakeside Clinic"]
        call_usd = "unlimited"
        day_usd = 250
        action = "refuse"
        [tenants.desk]
    """
    quotas = load_quotas(written(tmp_path, text))
    assert quotas.default == TenantQuota(call_usd=Decimal("0.1"))
    assert quotas.tenants == {
        "Lakeside Clinic": TenantQuota(call_usd="unlimited", day_usd=Decimal(250), action="refuse"),
        "desk": TenantQuota(),
    }


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    quotas = load_quotas(written(tmp_path, ""))
    assert (quotas.default, quotas.tenants) == (TenantQuota(), {})


AMOUNT = 'must be an amount in USD above 0, such as 2.50, or "unlimited"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[default]\ncall_usd = "much"', f"default.call_usd = 'much': {AMOUNT}"),
        ("[default]\nday_usd = 0", f"default.day_usd = 0: {AMOUNT}"),
        ("[default]\nday_usd = nan", f"default.day_usd = NaN: {AMOUNT}"),
        ("[default]\ncall_usd = true", f"default.call_usd = True: {AMOUNT}"),
        ("[tenants.a]\ncall_usd = -1.5", f"tenants.a.call_usd = -1.5: {AMOUNT}"),
        ('[tenants."a b"]\ncall_usd = 0.0000001', f'tenants."a b".call_usd = 1E-7: {AMOUNT}'),
        (
            '[default]\naction = "hang up"',
            'default.action = \'hang up\': must be "degrade" or "refuse"',
        ),
        ("[tenants.a]\nday = 1", "tenants.a.day is not known; did you mean day_usd?"),
        ("[defaults]", "defaults is not known; did you mean default?"),
        (f"default = '{'x' * 200}'", f"default = 'x{'x' * 77}…: must be a table, not a text"),
        ("default = 1", "default = 1: must be a table, not a whole number"),
        ("[tenants]\na = 2", "tenants.a = 2: must be a table, not a whole number"),
        ('[tenants]\n" " = {}', "tenants: ' ' cannot be the name of a tenant"),
        ("a =", "is not TOML: Invalid value (at end of document); a text stands in quotes"),
    ],
)
def test_each_fault_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(QuotasError) as caught:
        load_quotas(path)
    line = "" if "is not TOML" in problem else f":{text.count(chr(10)) + 1}"
    assert caught.value.problems == [f"{path}{line}: {problem}"]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, '[default]\nday_usd = 0\n[tenants.a]\naction = "x"\nday_usd = ""')
    with pytest.raises(QuotasError) as caught:
        load_quotas(path)
    assert len(caught.value.problems) == 3
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuotasError, match=r"none\.toml: cannot be read: No such file"):
        load_quotas(tmp_path / "none.toml")
    path = tmp_path / "quotas.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(QuotasError, match="is not UTF-8 text"):
        load_quotas(path)


VALUES = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from(['"x"', "[]", "{a=1}"])
).map(lambda value: str(value).lower())


@given(
    st.sampled_from(["default", "tenants.a", "tenants", "other"]),
    st.sampled_from(["call_usd", "day_usd", "action", "else"]),
    VALUES,
)
def test_any_file_gives_quotas_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, table: str, key: str, value: str
) -> None:
    path = written(tmp_path_factory.mktemp("quotas"), f"[{table}]\n{key} = {value}")
    try:
        load_quotas(path)
    except QuotasError as error:
        assert all(re.match(rf"{path}(:[12])?: ", problem) for problem in error.problems)
