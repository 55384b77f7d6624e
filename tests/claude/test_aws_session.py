"""A session that keeps little of botocore's data makes the clients that boto3's own makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest

from aybiza.claude import aws_session as module
from aybiza.claude.aws_session import KEPT, aws_session, table

GIVEN: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
WHOLE = Path(botocore.__file__).with_name("data") / "endpoints.json"


def told(session: boto3.Session, service: Any, region: str) -> tuple[str, str, str]:
    meta = session.client(service, region_name=region).meta
    return meta.endpoint_url, meta.partition, meta.region_name


def test_its_clients_are_those_of_a_session_that_keeps_all() -> None:
    own, all_kept = aws_session(**GIVEN), boto3.Session(**GIVEN)
    for service in ("bedrock-runtime", "sts", "sso", "sso-oidc"):
        for region in ("us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"):
            assert told(own, service, region) == told(all_kept, service, region)


def test_the_table_is_botocores_but_for_services_that_nobody_asks_for() -> None:
    text = WHOLE.read_text(encoding="utf-8")
    whole = json.loads(text)
    for partition in whole["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in KEPT}
    assert table(text) == whole
    assert len(json.dumps(whole)) < len(text) / 10


def test_a_folder_of_ones_own_data_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"partitions": [], "version": 3}
    (tmp_path / "endpoints.json").write_text(json.dumps(own))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    loader = aws_session(**GIVEN)._session.get_component("data_loader")
    assert loader.load_data("endpoints") == own


def test_where_there_is_no_table_it_is_missed_as_botocore_misses_it(tmp_path: Path) -> None:
    loader = module._Loader([str(tmp_path)], include_default_search_paths=False)
    with pytest.raises(botocore.exceptions.DataNotFoundError):
        loader.load_data("endpoints")
