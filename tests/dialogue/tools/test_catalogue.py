"""A tools' file becomes a registry that works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools
from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.crm import OPENAPI

FILE = """
[crm]
base_url = "{crm}"
auth = {{ bearer = "CRM_TOKEN" }}

[knowledge]
folder = "documents"

[transfer.sales]
number = "+14155550100"
description = "prices"

[mail]
sender = "desk@example.org"
domains = ["example.com", "example.org"]

[code]
function = "execute-code"

[connectors.tickets]
base_url = "{crm}"
auth = {{ bearer = "CRM_TOKEN" }}
openapi = "tickets.json"
only = ["findCustomer"]
"""
REGION = "us-east-1"


@pytest.fixture
def file(tmp_path: Path, services: ServicesEmulator) -> Path:
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "parking.md").write_text("Parking is free.")
    (tmp_path / "tickets.json").write_text(json.dumps(OPENAPI))
    path = tmp_path / "tools.toml"
    path.write_text(FILE.format(crm=f"{services.url}/crm"))
    return path


async def test_every_tool_of_the_specification_works(
    file: Path, services: ServicesEmulator
) -> None:
    tools = load_tools(file, region=REGION, environment=services.environment())
    await tools.warm()
    assert tools.registry.names == [
        "lookup_customer",
        "free_times",
        "book_appointment",
        "search_knowledge",
        "transfer_call",
        "send_email",
        "execute_code",
        "tickets_findCustomer",
    ]
    given: dict[str, dict[str, object]] = {
        "lookup_customer": {"identifier": "41573"},
        "free_times": {"day": "2026-12-01"},
        "book_appointment": {"customer_id": "41573", "start": "2026-12-01T09:00"},
        "search_knowledge": {"query": "parking"},
        "transfer_call": {"destination": "sales"},
        "send_email": {"to": "a@example.org", "subject": "Hello", "body": "Bye"},
        "execute_code": {"code": "1 + 1"},
        "tickets_findCustomer": {"identifier": "20418"},
    }
    for name, members in given.items():
        if tools.registry.effect(name) == "write":
            asked = await tools.registry.run(ToolRun(name, "asked", members, "CA1"))
            assert "needs_confirmation" in asked
        use = ToolRun(name, name, members, "CA1", turn=1, said="Yes.")
        result = await tools.registry.run(use)
        assert "error" not in result, (name, result)
        assert "needs_confirmation" not in result
    assert tools.destinations["sales"].number == "+14155550100"
    await tools.aclose()


def test_an_empty_file_gives_no_tools(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text("")
    tools = load_tools(path, region=REGION, environment={})
    assert tools.registry.specs() == []
    assert tools.aws is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[crm", "is not TOML"),
        ("[crm]", "crm.base_url: Field required"),
        ('[crm]\nbase_url = "ftp://a"', "crm: 'ftp://a' is no http"),
        ('[crm]\nbase_url = "https://a"\nauth = { bearer = "NO" }', "variable NO is not set"),
        ('[knowledge]\nfolder = "nowhere"', "knowledge: .*is no folder"),
        ('[knowledge]\nfolder = "."', "holds no .md or .txt"),
        ('[knowledge]\nkendra_index = "short"', "36 characters"),
        ('[transfer.sales]\nnumber = "555"', "transfer.sales: .*E.164"),
        ('[mail]\nsender = "desk"', "mail: the sender"),
        ('[mail]\nsender = "desk@example.org"', "mail: domains is missing"),
        ('[mail]\nsender = "desk@example.org"\ndomains = []', "mail: domains is missing"),
        ('[mail]\nsender = "desk@example.org"\ndomains = ["*"]', "mail.domains"),
        ('[connectors.a]\nbase_url = "https://a"', "connectors.a: a: give either"),
        ('[connectors.a]\nbase_url = "https://a"\nopenapi = "no.json"', "connectors.a: .*no.json"),
    ],
)
def test_what_is_wrong_is_named_with_its_table(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "tools.toml"
    path.write_text(text)
    with pytest.raises(ToolsError, match=says) as caught:
        load_tools(path, region=REGION, environment={})
    assert all(problem.startswith(str(path)) for problem in caught.value.problems)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolsError, match="cannot be read"):
        load_tools(tmp_path / "no.toml", region=REGION, environment={})


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "tools.toml"
    path.write_text('[mail]\nsender = "desk"\n[transfer.sales]\nnumber = "555"\n')
    with pytest.raises(ToolsError) as caught:
        load_tools(path, region=REGION, environment={})
    assert len(caught.value.problems) >= 2


async def test_the_connector_of_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "apis.md").read_text(encoding="utf-8")
    shown = re.search(r"^```toml\n(\[connectors\..*?)```", page, re.M | re.S)
    assert shown is not None
    paths = {
        "/tickets": {"get": {"operationId": "list"}, "post": {"operationId": "create"}},
        "/tickets/search": {"post": {"operationId": "search"}},
        "/tickets/export": {"get": {"operationId": "export"}},
    }
    (tmp_path / "tickets.json").write_text(json.dumps({"openapi": "3.0.3", "paths": paths}))
    (tmp_path / "tools.toml").write_text(shown[1])
    environment = {"TICKETS_SECRET": "s3cret", "PORTAL_SESSION": "s1"}
    tools = load_tools(tmp_path / "tools.toml", region=REGION, environment=environment)
    effects = {tool.name: tool.effect for tool in tools.registry.tools}
    assert effects == {"tickets_list": "none", "tickets_create": "write", "tickets_search": "none"}
    await tools.aclose()
