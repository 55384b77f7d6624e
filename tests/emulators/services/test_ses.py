"""SES v2's SendEmail."""

from __future__ import annotations

import copy

import httpx

from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.ses import PATH
from tests.emulators.services.kit import signed
from tests.emulators.services.test_server import MAIL


async def test_a_mail_lands_in_the_outbox(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    answer = await client.post(PATH, json=MAIL, headers=signed("ses"))
    [message] = services.mail.messages
    assert answer.json() == {"MessageId": message.id}
    assert (message.sender, message.to) == ("a@example.org", ("b@example.org",))
    assert (message.subject, message.body) == ("Hi", "There")


async def test_rejected_recipients_and_none_are_refused(
    services: ServicesEmulator, client: httpx.AsyncClient
) -> None:
    services.mail.rejected.add("b@example.org")
    nobody = copy.deepcopy(MAIL)
    nobody["Destination"] = {"ToAddresses": []}
    for mail in (MAIL, nobody):
        answer = await client.post(PATH, json=mail, headers=signed("ses"))
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "MessageRejected")
    assert not services.mail.messages


async def test_a_mail_without_content_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json={"Destination": {}}, headers=signed("ses"))
    assert answer.headers["x-amzn-errortype"] == "BadRequestException"
