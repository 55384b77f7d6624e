"""A session of boto3 that keeps of botocore's data what its clients ask for.

botocore reads one table of the endpoints of all services and keeps it, 8 MB of objects. A client of
Bedrock wants to know of it which regions there are. Here each service of the table is let go of
when it has been read, so the table is never there as a whole.

    session = aws_session(region_name="us-east-1")
    client = session.client("bedrock-runtime")

Contract: clients of Bedrock are as those of `boto3.Session`, and so are the credentials that it
finds: the services that credentials are asked of stay in the table. Blocks, for it reads files.
Errors: as `boto3.Session`.
Source: botocore, `loaders` and `regions`; its `data/endpoints.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
from botocore.loaders import Loader

KEPT: Final = frozenset({"bedrock-runtime", "sts", "portal.sso", "oidc"})
"""By their names in the table: Bedrock, and those that credentials are asked of."""
_TABLE: Final = "endpoints"
_SERVICES: Final = re.compile(r'"services"\s*:\s*\{')
_BETWEEN: Final = re.compile(r"[\s,:]*")
_decode: Final = json.JSONDecoder().raw_decode


class _Loader(Loader):
    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if name == _TABLE:
            for folder in self.search_paths:
                file = Path(folder, f"{name}.json")
                if file.is_file():
                    return table(file.read_text(encoding="utf-8")), str(file.with_suffix(""))
        found: tuple[Any, str] = super().load_data_with_path(name)
        return found


def aws_session(**given: Any) -> boto3.Session:
    """A session; `given` as to `boto3.Session`."""
    session = botocore.session.get_session()
    paths = session.get_component("data_loader").search_paths
    session.register_component("data_loader", _Loader(paths, include_default_search_paths=False))
    return boto3.Session(botocore_session=session, **given)


def table(text: str) -> dict[str, Any]:
    """A table of endpoints, with the services `KEPT` alone.

    >>> table('{"partitions": [{"services": {"s3": {"a": 1}, "sts": {"b": {}}}}], "version": 3}')
    {'partitions': [{'services': {'sts': {'b': {}}}}], 'version': 3}
    """
    pieces, done = [], 0
    for found in _SERVICES.finditer(text):
        kept, at = {}, _next(text, found.end())
        while not text.startswith("}", at):
            name, at = _decode(text, at)
            service, at = _decode(text, _next(text, at))
            at = _next(text, at)
            if name in KEPT:
                kept[name] = service
        pieces += [text[done : found.start()], f'"services": {json.dumps(kept)}']
        done = at + 1
    told: dict[str, Any] = json.loads("".join([*pieces, text[done:]]))
    return told


def _next(text: str, at: int) -> int:
    between = _BETWEEN.match(text, at)
    return between.end() if between else at
