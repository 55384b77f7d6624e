"""Who guesses the console's token is soon not looked at any more, not even with the right one."""

from __future__ import annotations

from pathlib import Path

from aybiza.gateway.admission.guesses import MOST
from tests.security.doors import outside

TOKEN = "the-token-of-the-console"
METRICS = "/metrics"
ANOTHER = "198.51.100.7"


def given(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_the_right_token_behind_many_wrong_ones_is_not_told_from_them(tmp_path: Path) -> None:
    async with outside(tmp_path, console_token=TOKEN) as made:
        wrong = [await made.ask("GET", METRICS, b"", given(str(n))) for n in range(MOST + 1)]
        right = await made.ask("GET", METRICS, b"", given(TOKEN))
        assert [answer.status_code for answer in wrong] == [401] * MOST + [429]
        assert (right.status_code, right.text) == (429, wrong[-1].text)
        assert right.headers["retry-after"] == "60"
        # Who guesses from one address keeps nobody out at another.
        elsewhere = await made.ask("GET", METRICS, b"", given(TOKEN), ANOTHER)
        assert elsewhere.status_code not in (401, 429)


async def test_who_has_the_token_may_come_as_often_as_they_like(tmp_path: Path) -> None:
    async with outside(tmp_path, console_token=TOKEN) as made:
        for _ in range(2 * MOST):
            answer = await made.ask("GET", METRICS, b"", given(TOKEN))
            assert answer.status_code not in (401, 429)
        for _ in range(2 * MOST):
            assert (await made.ask("GET", METRICS)).status_code == 401
        assert (await made.ask("GET", METRICS, b"", given(TOKEN))).status_code not in (401, 429)
