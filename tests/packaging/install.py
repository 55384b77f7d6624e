"""`python -m tests.packaging.install -c constraints.txt -e '.[test]'`: pip install, in less time.

It is given what `pip install` is given. uv does it in a tenth of pip's time; it is told what pip
has been told of indexes, links, certificates and proxies, in pip's files or its environment
(`pip config list`), since it reads neither. Where uv cannot be had, or fails, pip does it.

Exit codes: pip's, where it came to that; else 0.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOLD = {
    "index_url": "UV_DEFAULT_INDEX",
    "extra_index_url": "UV_INDEX",
    "find_links": "UV_FIND_LINKS",
    "no_index": "UV_NO_INDEX",
    "trusted_host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default_timeout": "UV_HTTP_TIMEOUT",
}
"""An option of pip's (as in `PIP_…`), and the variable by which uv is told the same."""
SEPARATED = {"UV_FIND_LINKS": ","}
LIKE_PIP = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
"""pip takes the best version of all indexes; uv would take the first index that has the package."""
_LINE = re.compile(r"(:env:|global|install)\.\.?([a-z-]+)=(['\"].*)")


def environment(listed: str) -> dict[str, str]:
    """What uv is to be told, from what `pip config list` prints; the later of two lines counts,
    as with pip: files first, its own commands' tables, then the environment.

    >>> environment("global.timeout='60'")
    {'UV_INDEX_STRATEGY': 'unsafe-best-match', 'UV_HTTP_TIMEOUT': '60'}
    """
    found = [line for line in map(_LINE.fullmatch, listed.splitlines()) if line]
    ranks = ("global", "install", ":env:")
    told = dict(LIKE_PIP)
    for line in sorted(found, key=lambda line: ranks.index(line[1])):
        name = TOLD.get(line[2].replace("-", "_"))
        if name and (values := str(ast.literal_eval(line[3])).split()):
            told[name] = SEPARATED.get(name, " ").join(values)
    return told


def commands(asked: Sequence[str]) -> Iterator[tuple[list[str], dict[str, str]]]:
    """What is tried, one behind the other until something succeeds; and what each is told."""
    pip = [sys.executable, "-m", "pip"]
    quiet = ["--quiet", "--disable-pip-version-check"]
    constraints = ["-c", str(ROOT / "constraints.txt")]
    if not subprocess.run([*pip, "install", *quiet, *constraints, "uv"], check=False).returncode:
        listed = subprocess.run(
            [*pip, "config", "list"], capture_output=True, text=True, check=True
        )
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable]
        yield [*uv, *asked], {**environment(listed.stdout), **os.environ}
    yield [*pip, "install", *quiet, *asked], dict(os.environ)


def main(asked: Sequence[str]) -> int:
    """The command."""
    code = 1
    for command, told in commands(asked):
        code = subprocess.run(command, env=told, check=False).returncode
        if code == 0:
            break
        print(f"{command[2]} has failed with {code}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
