"""The console's files: all are served, and all are there."""

from __future__ import annotations

import re

import pytest

from aybiza.gateway.console.assets import ASSETS, FOLDER, policy_of


def test_every_file_of_the_folder_is_served_and_no_other() -> None:
    bodies = {asset.body for asset in ASSETS.values()}
    not_served = {"LICENSE", "README.md"}
    files = [path for path in FOLDER.rglob("*") if path.is_file() and path.name not in not_served]
    assert bodies == {path.read_bytes() for path in files}


@pytest.mark.parametrize("path", ASSETS)
def test_what_a_file_names_of_others_is_served(path: str) -> None:
    text = ASSETS[path].body.decode()
    for name in re.findall(r'(?:src|href)="(/[^"]*)"|addModule\("([^"]*)"\)', text):
        assert "".join(name) in ASSETS
    for name in re.findall(r'from "\./([^"]*)"', text):
        assert f"/console/{name}" in ASSETS


def test_the_ids_that_the_scripts_ask_for_stand_in_the_pages() -> None:
    pages = {name: ASSETS[name].body.decode() for name in ("/console", "/console/phone")}
    scripts = {
        "/console": ("console", "actions", "calls", "listen", "past", "plots"),
        "/console/phone": ("phone",),
    }
    for page, names in scripts.items():
        ids = set(re.findall(r' id="([^"]+)"', pages[page])) | {"fault", "kill", "restart", "trace"}
        for name in names:
            asked = set(re.findall(r'by\("([^"]+)"\)', ASSETS[f"/console/{name}.js"].body.decode()))
            assert asked <= ids, name


def test_the_policy_names_where_the_softphone_connects() -> None:
    policy = policy_of("ws://127.0.0.1:8080")["content-security-policy"]
    assert "connect-src 'self' ws://127.0.0.1:8080;" in policy
    assert "unsafe" not in policy
