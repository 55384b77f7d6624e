"""What all tests share: a cookie of their own, so that none is made in anybody's home folder."""

import os
from collections.abc import Iterator

import pytest

from actors.node.cookie import ensure_cookie


@pytest.fixture(scope="session", autouse=True)
def cookie_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """The cookie of the tests' clusters; its file is named in the environment."""
    path = tmp_path_factory.mktemp("cookie") / "cookie"
    before = os.environ.get("AYBIZA_COOKIE_FILE")
    os.environ["AYBIZA_COOKIE_FILE"] = str(path)
    yield ensure_cookie(path)
    if before is None:
        del os.environ["AYBIZA_COOKIE_FILE"]
    else:
        os.environ["AYBIZA_COOKIE_FILE"] = before
