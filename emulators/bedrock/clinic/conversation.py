"""A telephone conversation with the front desk, from its first word on.

Contract: fed in order with what the caller said (`hear`), what the caller has heard of the answers
(`said`) and what the tools gave (`learn`), it gives each time the reply that comes next. It holds
nothing but what follows from what it was fed. What is not understood is asked again; the second
time in a row a person is offered. Pure and deterministic. Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aybiza.emulators.bedrock.clinic import speech
from aybiza.emulators.bedrock.clinic.desk import GOALS, Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked, Heard, understand
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.clinic.results import told
from aybiza.emulators.bedrock.clinic.sides import SIDES, WHAT_I_DO, goodbye, hours, price, transfer
from aybiza.emulators.bedrock.reply import Reply, say

GREETING = "Good day, this is the clinic's front desk. How can I help you?"
STILL_THERE = "Are you still there?"

_HEARD_SHARE = 0.6
_ANSWERS = frozenset({None, Intent.THANKS, Intent.GOODBYE})
# What a day or a number that comes with these is about is not the booking.
_WITHOUT_DETAILS = frozenset(
    {Intent.HOURS, Intent.PRICE, Intent.GOODBYE, Intent.NEXT, Intent.PERSON, Intent.HOLD}
)


@dataclass(slots=True)
class Conversation:
    """One conversation."""

    desk: Desk
    last: str = ""
    unheard: bool = False
    unknowns: int = 0

    def hear(self, text: str) -> Reply:
        """The reply to what the caller said."""
        self.desk.turns += 1
        heard = understand(text, self.desk.asked)
        if heard.intent is Intent.REPEAT:
            return say(f"I said: {self.last}" if self.last else WHAT_I_DO)
        reply = self._react(heard)
        if reply is None:
            self.unknowns += 1
            reply = self._not_understood()
        else:
            self.unknowns = 0
        return self._noted(reply)

    def said(self, text: str) -> None:
        """What the caller has heard of the last reply."""
        self.last = self.last or text
        share = len(text.split()) / max(1, len(self.last.split()))
        self.unheard = share < _HEARD_SHARE

    def learn(self, tool: str, result: Mapping[str, Any]) -> Reply:
        """The reply to what a tool gave."""
        return self._noted(told(self.desk, tool, result))

    def _noted(self, reply: Reply) -> Reply:
        self.last = reply.text or self.last
        return reply

    def _react(self, heard: Heard) -> Reply | None:
        desk = self.desk
        reply = (
            self._to_read_back(heard) if desk.asked is Asked.CONFIRM else _to_question(desk, heard)
        )
        if reply is not None:
            return reply
        intent = heard.intent
        if desk.goal in GOALS and heard.gives_up and intent not in GOALS - {Intent.CANCEL}:
            return desk.done("Alright, nothing is changed.")
        declined = heard.other and desk.goal in (Intent.BOOK, Intent.MOVE)
        if declined and intent in (None, Intent.MOVE, Intent.BOOK):
            return self._other_time(heard)
        if intent in GOALS:
            desk.begin(intent)
        noted = intent not in _WITHOUT_DETAILS and desk.take(heard)
        if noted and intent in (Intent.THANKS, Intent.GREETING, Intent.HELP):
            intent = None
        if intent in GOALS:
            return desk.advance()
        if intent is not None:
            return SIDES[intent](desk, heard)
        return _take_up(desk, heard) if noted or heard.price_of else None

    def _to_read_back(self, heard: Heard) -> Reply | None:
        """The reply to an answer to a read-back; None when it was none."""
        desk = self.desk
        own = heard.intent is desk.goal or heard.intent in _ANSWERS
        changed = own and desk.goal is not Intent.CANCEL and _changes(desk, heard)
        if changed:
            desk.take(heard)
            return desk.advance("Alright.")
        if heard.yes and own:
            return desk.ask_for_yes("Just to be sure.") if self.unheard else desk.write()
        gives_up = heard.intent is Intent.CANCEL and "appointment" not in heard.words
        if gives_up and desk.goal is not Intent.CANCEL:
            return desk.done("Alright, nothing is changed.")
        if heard.no and own:
            if desk.goal is Intent.CANCEL or heard.intent is not None or heard.gives_up:
                return desk.done("Alright, I leave everything as it is.")
            return desk.another_day("Alright, nothing is changed.")
        return None

    def _other_time(self, heard: Heard) -> Reply:
        self.desk.day = self.desk.time = self.desk.date = None
        if self.desk.take(heard):
            return self.desk.advance("Alright.")
        return self.desk.another_day("Alright.")

    def _not_understood(self) -> Reply:
        if self.unknowns > 1:
            self.unknowns = 0
            return self.desk.offer_person("I am sorry, I still did not understand you.")
        if self.desk.asked is Asked.CONFIRM:
            return self.desk.ask_for_yes("Sorry, was that a yes or a no?")
        if self.desk.asked in (Asked.NOTHING, Asked.MORE):
            return say(f"Sorry, I did not get that. {WHAT_I_DO}")
        return say(f"Sorry, I did not get that. {self.desk.question}")


def _changes(desk: Desk, heard: Heard) -> bool:
    """Whether something else is wanted than what was read back."""
    return (
        heard.day is not None
        or (heard.time is not None and heard.time != desk.time)
        or (heard.name is not None and heard.name != desk.name)
        or (heard.treatment is not None and heard.treatment != desk.treatment)
    )


def _to_question(desk: Desk, heard: Heard) -> Reply | None:
    """The reply to a plain yes or no; None when it was none, or not what was asked for."""
    if heard.intent not in _ANSWERS or heard.has_when or not (heard.yes or heard.no):
        return None
    if desk.asked is Asked.PERSON:
        return transfer(desk, heard) if heard.yes else desk.advance("Alright.")
    if desk.asked is Asked.BOOKING:
        if heard.no:
            return desk.done("Alright.")
        desk.begin(Intent.BOOK)
        return desk.advance()
    if desk.asked is Asked.MORE and heard.intent is not Intent.GOODBYE:
        if heard.no:
            return goodbye(desk, heard)
        return None if heard.intent else desk.advance("Of course.")
    if desk.asked is Asked.NAME and not heard.name:
        return desk.read_back()
    if desk.asked is Asked.TIME and heard.yes and desk.offered:
        desk.time = desk.offered[0]
        return desk.choose()
    if desk.asked is Asked.TIME and heard.no:
        return desk.another_day("Alright.")
    if desk.asked is Asked.DAY and heard.no:
        return desk.done("Alright, nothing is changed.")
    return None


def _take_up(desk: Desk, heard: Heard) -> Reply | None:
    """The reply to details that came without an intent."""
    if desk.goal is None and desk.topic is Intent.HOURS and heard.day:
        return hours(desk, heard)
    of_price = desk.asked is Asked.TREATMENT or (desk.goal is None and desk.topic is Intent.PRICE)
    if of_price and heard.price_of:
        return price(desk, heard)
    if heard.digits and desk.goal is None and desk.topic is Intent.BALANCE:
        desk.begin(Intent.BALANCE)
    if desk.goal is not None:
        return desk.advance()
    if heard.day or heard.time or heard.treatment:
        desk.begin(Intent.BOOK)
        desk.take(heard)
        return desk.advance()
    if heard.digits:
        kind = "phone" if heard.is_phone else "account"
        number = speech.say_digits(heard.digits)
        return desk.advance(f"Thank you, {kind} number {number}.")
    return desk.advance(f"Thank you, {heard.name}.") if heard.name else None
