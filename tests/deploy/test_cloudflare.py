"""The worker: the nearest region that takes calls, the next one if it does not, by any country."""

from __future__ import annotations

import http.server
import json
import re
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from xml.etree import ElementTree

import pytest

from aybiza.claude.regions import DEFAULT_COUNTRY, DEFAULT_REGION, REGION_OF_COUNTRY
from tests.deploy.kit import DEPLOY, run, text_of, tool

WORKER = text_of("cloudflare/worker.js")

SCRIPT = """
import fs from "node:fs";
const source = fs.readFileSync(process.argv[1], "utf-8");
const encoded = Buffer.from(source).toString("base64");
const worker = await import("data:text/javascript;base64," + encoded);
const asked = JSON.parse(process.argv[2]);
const answers = [];
for (const { url, method, form, country, env } of asked.requests || []) {
  const body = method === "POST" ? new URLSearchParams(form).toString() : undefined;
  const request = new Request(url, { method, body });
  Object.defineProperty(request, "cf", { value: { country } });
  const answer = await worker.default.fetch(request, env);
  answers.push({ status: answer.status, body: await answer.text() });
}
const orders = (asked.countries || []).map((country) => worker.orderOf(country, asked.origins));
console.log(JSON.stringify({ answers, orders, ...worker }));
"""


def in_node(**asked: Any) -> dict[str, Any]:
    """What the worker does, run by Node."""
    path = str(DEPLOY / "cloudflare" / "worker.js")
    ran = run(tool("node"), "--input-type=module", "--eval", SCRIPT, path, json.dumps(asked))
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_the_table_of_regions_is_the_projects() -> None:
    """By the text alone, so that it holds where there is no Node."""
    table = re.findall(r"^export const REGION_OF_COUNTRY = \{\n(.*?)^\};", WORKER, re.M | re.S)[0]
    assert dict(re.findall(r'^  ([A-Z]{2}): "([a-z0-9-]+)",$', table, re.M)) == REGION_OF_COUNTRY
    assert f'DEFAULT_COUNTRY = "{DEFAULT_COUNTRY}"' in WORKER
    assert f'DEFAULT_REGION = "{DEFAULT_REGION}"' in WORKER


def test_node_reads_the_same_table() -> None:
    told = in_node()
    assert told["REGION_OF_COUNTRY"] == REGION_OF_COUNTRY
    assert (told["DEFAULT_COUNTRY"], told["DEFAULT_REGION"]) == (DEFAULT_COUNTRY, DEFAULT_REGION)


def test_origins_are_tried_from_the_nearest_to_the_farthest() -> None:
    origins = {"us-east-1": "https://us", "eu-central-1": "https://de/", "eu-west-1": "https://ie"}
    told = in_node(countries=["DE", "GB", "US", "JP", None], origins=origins)
    assert told["orders"] == [
        ["https://de", "https://ie", "https://us"],
        ["https://ie", "https://de", "https://us"],
        ["https://us", "https://de", "https://ie"],
        ["https://us", "https://de", "https://ie"],
        ["https://us", "https://de", "https://ie"],
    ]


@contextmanager
def origin(status: int) -> Iterator[str]:
    """A region whose /readyz answers with this status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def request(origins: dict[str, str], path: str = "/incoming", **more: Any) -> dict[str, Any]:
    """A webhook at the worker."""
    env = {"ORIGINS": json.dumps(origins), "BUSY": "All <lines> & more are busy."}
    url = f"https://phone.example.org{path}"
    return {"url": url, "method": "POST", "form": {"CallSid": "CA1"}, "env": env, **more}


def redirect_of(answer: dict[str, Any]) -> str | None:
    """Where the TwiML sends the call, without the time at which it did."""
    assert answer["status"] == 200
    found = ElementTree.fromstring(answer["body"]).find("Redirect")
    if found is not None:
        assert found.get("method") == "POST"
    if found is None or found.text is None:
        return None
    url, _, edge = found.text.rpartition("edge=")
    assert 0 <= time.time() * 1000 - int(edge) < 600_000
    return url[:-1]


def test_a_call_goes_to_the_nearest_region_that_takes_calls() -> None:
    with ExitStack() as stack:
        us, de, ie = (stack.enter_context(origin(status)) for status in (200, 200, 503))
        origins = {"us-east-1": us, "eu-central-1": de, "eu-west-1": ie}
        german, british = {"FromCountry": "DE"}, {"FromCountry": "gb"}
        told = in_node(
            requests=[
                request(origins, form={"CallSid": "CA1", **german}, country="US"),
                request(origins, form={"CallSid": "CA1", **british}),
                request(origins, country="DE"),
                request(origins),
                request(origins, "/incoming/telnyx?a=1&b=2", form={"CallSid": "CA1", **german}),
            ]
        )
    assert [redirect_of(answer) for answer in told["answers"]] == [
        f"{de}/incoming",
        f"{de}/incoming",
        f"{de}/incoming",
        f"{us}/incoming",
        f"{de}/incoming/telnyx?a=1&b=2",
    ]


def test_the_next_origin_takes_the_call_when_the_nearest_is_gone() -> None:
    with origin(200) as us:
        origins = {"us-east-1": us, "eu-central-1": "http://127.0.0.1:1"}
        told = in_node(requests=[request(origins, form={"FromCountry": "DE"})])
    assert redirect_of(told["answers"][0]) == f"{us}/incoming"


def test_when_no_region_takes_calls_the_caller_is_told() -> None:
    with origin(503) as us:
        told = in_node(requests=[request({"us-east-1": us})])
    (answer,) = told["answers"]
    verbs = ElementTree.fromstring(answer["body"])
    assert [verb.tag for verb in verbs] == ["Say", "Hangup"]
    assert verbs.findtext("Say") == "All <lines> & more are busy."


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"path": "/metrics"}, 404),
        ({"path": "/incoming/a/b"}, 404),
        ({"path": "/healthz", "method": "GET"}, 200),
        ({"method": "GET"}, 405),
        ({"form": {"CallSid": "x" * 70_000}}, 413),
    ],
    ids=str,
)
def test_anything_but_a_webhook_is_turned_away(changes: dict[str, Any], status: int) -> None:
    told = in_node(requests=[request({"us-east-1": "http://127.0.0.1:1"}, **changes)])
    assert told["answers"][0]["status"] == status


def test_the_regions_of_the_configuration_are_known() -> None:
    variables = tomllib.loads(text_of("cloudflare/wrangler.toml"))["vars"]
    assert set(json.loads(variables["ORIGINS"])) <= set(REGION_OF_COUNTRY.values())
    assert set(variables) == set(re.findall(r"env\.([A-Z]+)", WORKER))
