"""A stand-in for the model that plays a caller: it answers by what its prompt says of them.

`played` reads a Converse request: the line of the system prompt behind `WANTS` is what the caller
says first, the lines behind `KNOWS` (`- name: value`) are what they know. It agrees to what it is
asked to agree to, tells what it knows where that is asked for, takes no offer, and says goodbye
when there is nothing else. The same request always has the same reply.

Contract: pure. Errors: none; a prompt without these lines is that of somebody who wants nothing.
"""

from __future__ import annotations

import re
from typing import Final

from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.bedrock.reply import Reply, say

WANTS: Final = "What you want, in your own words: "
KNOWS: Final = "What you know:"
YES: Final = "[yes]"
HANG_UP: Final = "[hang up]"

_FACT = re.compile(r"^- ([^:\n]+): (.*)$", re.M)
_GOODBYE = re.compile(r"\b(good ?bye|nice day|bye)\b", re.I)
_NOTHING_ELSE = re.compile(r"\b(anything else|what else|was that all)\b", re.I)
_OFFERS = re.compile(r"\b(shall|would you like|do you want)\b", re.I)
_ASKS_FOR_YES = re.compile(
    r"\b(shall i|may i|is that (right|correct)|would you like me to)\b", re.I
)


def played(body: Body) -> Reply:
    """What the caller says next."""
    told = "\n".join(str(block.get("text", "")) for block in body.get("system") or ())
    messages = body["messages"]
    if not any(message["role"] == "assistant" for message in messages):
        return say(_wants(told))
    heard = text_of(messages[-1])
    if _GOODBYE.search(heard):
        return say(f"Goodbye. {HANG_UP}")
    if _ASKS_FOR_YES.search(heard):
        return say(f"{YES} Yes, please.")
    known = [value for name, value in _facts(told) if _asked_for(name, heard)]
    if known:
        return say(f"{', '.join(known)}, please.")
    if _NOTHING_ELSE.search(heard) or _OFFERS.search(heard) or "?" not in heard:
        return say(f"No, thank you. Goodbye. {HANG_UP}")
    return say(f"I do not know. {_wants(told)}")


def _wants(told: str) -> str:
    line = next((line for line in told.splitlines() if line.startswith(WANTS)), "")
    return line.removeprefix(WANTS) or "Hello."


def _facts(told: str) -> list[tuple[str, str]]:
    return _FACT.findall(told.partition(KNOWS)[2])


def _asked_for(name: str, heard: str) -> bool:
    """Whether a sentence of what was heard asks for this."""
    questions = re.findall(r"[^.!?]*\?", heard)
    words = re.escape(name.replace("_", " "))
    return any(re.search(rf"\b{words}s?\b", question, re.I) for question in questions)
