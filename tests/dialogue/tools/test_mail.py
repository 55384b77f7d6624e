"""E-mail through SES."""

from __future__ import annotations

import pytest

from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.mail import email_tool
from aybiza.emulators.services import ServicesEmulator
from tests.dialogue.tools.kit import used

SENDER = "desk@example.org"
DOMAINS = ["example.com", "example.org", "b.org", "c.de"]
TEXT = {"subject": "Your\nvisit", "body": "See you\nTuesday."}


async def test_a_mail_is_sent(services: ServicesEmulator, aws: Aws) -> None:
    got = await used(email_tool(aws, SENDER, DOMAINS), to=" maria@example.com ", **TEXT)
    assert got == {"sent": True, "to": "maria@example.com", "message_id": "message-1"}
    [message] = services.mail.messages
    assert (message.sender, message.to) == (SENDER, ("maria@example.com",))
    assert (message.subject, message.body) == ("Your visit", "See you\nTuesday.")


@pytest.mark.parametrize(
    "to",
    ["maria", "maria@", "a@b@c.org", "a@b.org, c@d.org", "a@b.org\r\nBcc: x@y.org", "a b@c.de"],
)
async def test_what_is_no_address_is_told(services: ServicesEmulator, aws: Aws, to: str) -> None:
    assert (await used(email_tool(aws, SENDER, DOMAINS), to=to, **TEXT))["error"] == "bad_address"
    assert not services.mail.messages


async def test_mail_may_be_kept_to_some_domains(services: ServicesEmulator, aws: Aws) -> None:
    tool = email_tool(aws, SENDER, ["Example.org"])
    assert (await used(tool, to="a@evil.example", **TEXT))["error"] == "not_allowed"
    assert (await used(tool, to="a@EXAMPLE.org", **TEXT))["sent"]


async def test_a_recipient_that_ses_refuses_is_told(services: ServicesEmulator, aws: Aws) -> None:
    services.mail.rejected.add("a@example.org")
    assert (await used(email_tool(aws, SENDER, DOMAINS), to="a@example.org", **TEXT))[
        "error"
    ] == "refused"


async def test_a_mail_whose_answer_is_lost_may_be_on_its_way(
    services: ServicesEmulator, aws: Aws
) -> None:
    services.stall("ses", 3)
    got = await used(email_tool(aws, SENDER, DOMAINS), to="a@example.org", **TEXT)
    assert got["error"] == "outcome_unknown"
    assert len(services.mail.messages) == 1


def test_a_sender_has_to_be_an_address(aws: Aws) -> None:
    with pytest.raises(ValueError, match="sender"):
        email_tool(aws, "desk", DOMAINS)


@pytest.mark.parametrize("domains", [[], [""], [" "], "example.org"])
def test_nobody_writes_to_just_anybody(aws: Aws, domains: list[str]) -> None:
    with pytest.raises(ValueError, match="domains is missing"):
        email_tool(aws, SENDER, domains)
