"""E-mail through Amazon SES: the tool that writes to a caller.

Contract: plain text from one configured sender to one recipient. A write, so the caller is asked
first. `domains` limits where it may go: an agent can be talked into much.
Errors: `bad_address`, `not_allowed` and `Aws`'s for the model.
Source: specification 001, "Tool Integration Examples" (`email_tool`); Amazon SES v2, SendEmail.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from aybiza.dialogue.tool_registry import Tool, ToolError
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.aws import Aws

_ADDRESS = re.compile(
    r"(?=.{3,254}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63})"
)


def email_tool(aws: Aws, sender: str, domains: Collection[str]) -> Tool:
    """`send_email`, from `sender`, to addresses of these `domains` only: whoever talks to the agent
    could else have it write to anybody.

    Raises ValueError for a sender that is no address, and without domains.
    """
    if not _ADDRESS.fullmatch(sender):
        raise ValueError(f"the sender {sender!r} is no e-mail address")
    allowed = {domain.lower() for domain in domains if domain.strip()}
    if not allowed or isinstance(domains, str):
        raise ValueError(
            'domains is missing: name where mail may go, such as domains = ["example.org"];'
            " without it a caller could have mail sent to anybody"
        )

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        to = given["to"].strip()
        address = _ADDRESS.fullmatch(to)
        if address is None:
            raise ToolError("bad_address", "This is no e-mail address. Have the caller spell it.")
        if address["domain"].lower() not in allowed:
            raise ToolError("not_allowed", f"Mail goes to {', '.join(sorted(allowed))} only.")
        sent = await aws.call(
            "sesv2",
            "send_email",
            {
                "FromEmailAddress": sender,
                "Destination": {"ToAddresses": [to]},
                "Content": {
                    "Simple": {
                        "Subject": {"Data": _one_line(given["subject"]), "Charset": "UTF-8"},
                        "Body": {"Text": {"Data": given["body"], "Charset": "UTF-8"}},
                    }
                },
            },
        )
        return {"sent": True, "to": to, "message_id": str(sent.get("MessageId", ""))}

    return Tool(
        name="send_email",
        description="Send an e-mail. Spell the address back first.",
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "to": {"type": "string", "maxLength": 254, "description": "One address"},
                "subject": {"type": "string", "minLength": 1, "maxLength": 150},
                "body": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 5_000,
                    "description": "Plain text",
                },
            },
            "required": ["to", "subject", "body"],
        },
        effect="write",
        seconds=8.0,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
