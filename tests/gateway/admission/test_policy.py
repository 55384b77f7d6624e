"""The table of the doors: each request finds its row, and what has none is nobody's."""

from __future__ import annotations

import pytest

from aybiza.gateway.admission.policy import HTTP, MEDIA, POLICY, Proof, door, paths
from aybiza.gateway.carriers.paths import CARRIERS, SOFTPHONE


@pytest.mark.parametrize(
    ("method", "path", "proof"),
    [
        ("POST", "/incoming", Proof.SIGNATURE),
        ("POST", "/incoming/telnyx", Proof.SIGNATURE),
        ("POST", "/status", Proof.SIGNATURE),
        ("GET", "/incoming", Proof.NOBODY),
        ("POST", "/incoming/", Proof.NOBODY),
        ("POST", "/incoming/nobody", Proof.NOBODY),
        ("GET", "/healthz", Proof.NONE),
        ("HEAD", "/readyz", Proof.NONE),
        ("GET", "/metrics", Proof.CONSOLE),
        ("DELETE", "/metrics", Proof.NOBODY),
        ("GET", "/console", Proof.SHELL),
        ("POST", "/console", Proof.NOBODY),
        ("POST", "/console/act", Proof.PAGE),
        ("GET", "/console/act", Proof.NOBODY),
        ("GET", "/elsewhere", Proof.NOBODY),
    ],
)
def test_a_request_is_let_in_by_its_method_and_path(method: str, path: str, proof: Proof) -> None:
    assert door(HTTP, method, path).proof is proof


def test_every_carrier_has_its_doors_and_no_webhook_is_without_a_signature() -> None:
    assert {row.path for row in paths(MEDIA)} == {
        each.path for each in (*CARRIERS.values(), SOFTPHONE)
    }
    for carrier in CARRIERS.values():
        if carrier.webhook:
            row = door(HTTP, "POST", carrier.webhook)
            assert (row.carrier, row.proof, row.is_call) == (carrier.name, Proof.SIGNATURE, True)


def test_every_row_says_who_what_proves_it_what_it_may_cost_and_what_refuses_it() -> None:
    for row in POLICY:
        told = row.row()
        assert all(told[name] for name in told if name != "carrier"), told
