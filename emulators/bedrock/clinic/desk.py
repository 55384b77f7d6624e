"""The front desk's task at hand: what is known, what is missing, and the next step.

Contract: a `Desk` keeps what a conversation has brought and gives the reply that comes next: a
missing detail is asked for, a look-up is a tool use. A write is used once to
propose it, read back and asked about (`ask_for_yes`), and used again when the caller has said yes.
Pure and deterministic. Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aybiza.emulators.bedrock.clinic import speech
from aybiza.emulators.bedrock.clinic.hearing import Asked, Heard
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, say, use

GOALS = frozenset({Intent.BOOK, Intent.MOVE, Intent.CANCEL})
FEWEST_DIGITS = 3

_MORE = (
    "Is there anything else?",
    "What else can I do for you?",
    "Can I help you with anything else?",
)
_MOST_OFFERED = 3


@dataclass(slots=True)
class Desk:
    """One conversation's state. `tools`: the names of those that may be used."""

    tools: frozenset[str]
    goal: Intent | None = None
    topic: Intent | None = None
    asked: Asked = Asked.NOTHING
    question: str = ""
    day: str | None = None
    part: str | None = None
    time: str | None = None
    treatment: str | None = None
    name: str | None = None
    account: str = ""
    phone: str = ""
    date: str | None = None
    days_ahead: int | None = None
    free: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)
    appointment: dict[str, Any] | None = None
    name_asked: bool = False
    lead: str = ""
    turns: int = 0

    def ask(self, asked: Asked, question: str, lead: str = "") -> Reply:
        """Ask, and remember what was asked."""
        self.asked, self.question = asked, question
        return say(f"{lead} {question}".strip())

    def look_up(self, tool: str, tool_input: dict[str, Any]) -> Reply:
        """Use a tool, if there is such a one."""
        if tool in self.tools:
            return use(tool, {name: value for name, value in tool_input.items() if value})
        return self.offer_person("I am afraid I can not do that from here.")

    def offer_person(self, lead: str) -> Reply:
        """Offer to put the caller through."""
        return self.ask(Asked.PERSON, "Shall I put you through to a colleague?", lead)

    def begin(self, goal: Intent) -> None:
        """A new task; one that is going on is dropped."""
        if goal is self.goal:
            return
        appointment = self.appointment if {goal, self.goal} <= GOALS else None
        self._forget()
        self.goal, self.topic, self.appointment = goal, goal, appointment

    def done(self, text: str) -> Reply:
        """The task is finished or given up."""
        self.goal = None
        self._forget()
        return self.ask(Asked.MORE, _MORE[self.turns % len(_MORE)], text)

    def back(self, text: str) -> Reply:
        """An answer on the side, and back to what was asked before it."""
        if self.goal is not None and self.question:
            return say(f"{text} {self.question}")
        return self.ask(Asked.MORE, _MORE[self.turns % len(_MORE)], text)

    def take(self, heard: Heard) -> bool:
        """Note the details; True when there were any."""
        chosen = heard.choice is not None and bool(self.offered)
        day = None if chosen and heard.day == "soonest" else heard.day
        if day or heard.part:
            self.day = day or self.day
            self.part = heard.part or (None if day else self.part)
            self.date = None
        if heard.time:
            self.time = heard.time
        elif heard.choice is not None and self.offered and not day:
            self.time = self.offered[min(heard.choice, len(self.offered) - 1)]
        self.name = heard.name or self.name
        self.treatment = heard.treatment or self.treatment
        if heard.digits:
            self._take_digits(heard)
        when = heard.day or heard.part or heard.time or chosen
        return bool(when or heard.name or heard.digits or heard.treatment)

    def another_day(self, lead: str) -> Reply:
        """The day and time are not wanted: ask for others."""
        self.day = self.part = self.time = self.date = None
        return self.ask(Asked.DAY, "Which other day would suit you?", lead)

    def advance(self, lead: str = "") -> Reply:
        """The next step of the task."""
        step = _STEPS.get(self.goal) if self.goal else None
        return step(self, lead) if step else self.ask(Asked.NOTHING, "What can I do for you?", lead)

    def choose(self, lead: str = "") -> Reply:
        """The free times are known: take the wanted one, or offer some."""
        day = speech.on_day(self.date or "", self.days_ahead)
        if self.time in self.free:
            if self.goal is Intent.BOOK and self.name is None and not self.name_asked:
                self.name_asked = True
                return self.ask(Asked.NAME, "What name shall I put it under?", lead)
            return self.read_back(lead)
        if self.time is None:
            self.offered = _spread(self.free)
            text = (
                f"{lead} {day[0].upper()}{day[1:]} I have {speech.say_times(self.offered)}.".strip()
            )
        else:
            self.offered = _nearest(self.free, self.time)
            wanted, self.time = speech.say_time(self.time).capitalize(), None
            have = speech.say_times(self.offered)
            text = f"{lead} {wanted} is not free {day}. I have {have}.".strip()
        only = len(self.offered) == 1
        question = "Would that suit you?" if only else "Which time would you like?"
        return self.ask(Asked.TIME, question, text)

    def read_back(self, lead: str = "") -> Reply:
        """Propose what would be written; the tool asks for the caller's yes."""
        self.lead = lead
        return self.write()

    def ask_for_yes(self, lead: str = "") -> Reply:
        """Say what would be written, and ask for a yes."""
        lead, self.lead = lead or self.lead, ""
        if self.goal is Intent.CANCEL:
            text = f"Your next appointment is {speech.say_visit(self.appointment or {})}."
            return self.ask(Asked.CONFIRM, "Shall I cancel it?", f"{lead} {text}".strip())
        day = speech.on_day(self.date or "", self.days_ahead)
        when = f"{day} at {speech.say_time(self.time or '', part=True)}"
        if self.goal is Intent.MOVE:
            before = speech.say_when(self.appointment or {})
            text = f"Your appointment {before} moves. The new one is {when}."
            return self.ask(Asked.CONFIRM, "Shall I do that?", f"{lead} {text}".strip())
        what = speech.say_treatment(self.treatment)
        whose = f", for {self.name}" if self.name else ""
        text = f"That is {what} {when}{whose}."
        return self.ask(Asked.CONFIRM, "Shall I book it?", f"{lead} {text}".strip())

    def write(self) -> Reply:
        """Do what was read back."""
        slot = {"day": self.date, "time": self.time}
        which = {"appointment_id": (self.appointment or {}).get("appointment_id")}
        if self.goal is Intent.BOOK:
            details = {**slot, "treatment": self.treatment, **self._who()}
            return self.look_up("book_appointment", details)
        if self.goal is Intent.MOVE:
            return self.look_up("move_appointment", {**which, **slot, **self._who()})
        return self.look_up("cancel_appointment", {**which, **self._who()})

    def _who(self) -> dict[str, str | None]:
        return {"account_number": self.account, "phone_number": self.phone, "name": self.name}

    def _forget(self) -> None:
        self.day = self.part = self.time = self.treatment = self.date = None
        self.appointment, self.free, self.offered = None, [], []
        self.name_asked, self.asked, self.question = False, Asked.NOTHING, ""

    def _take_digits(self, heard: Heard) -> None:
        if heard.is_phone:
            self.phone = heard.digits
        elif self.account and len(heard.digits) <= FEWEST_DIGITS and self.asked is Asked.MORE:
            self.account += heard.digits  # the rest of a number that was said in two breaths
        else:
            self.account = heard.digits

    def _find_slot(self, lead: str) -> Reply:
        if self.date is not None:
            return self.choose(lead)
        if self.day is None:
            return self.ask(Asked.DAY, "Which day would suit you?", lead)
        return self.look_up("free_slots", {"day": self.day, "part_of_day": self.part})

    def _find_appointment(self, lead: str) -> Reply:
        if self.appointment is None:
            return self.look_up("next_appointment", self._who())
        if self.goal is Intent.CANCEL:
            return self.read_back(lead)
        if self.date is None and self.day is None:
            text = f"{lead} Your appointment is {speech.say_when(self.appointment)}.".strip()
            return self.ask(Asked.DAY, "Which day would you like instead?", text)
        return self._find_slot(lead)

    def _find_balance(self, lead: str) -> Reply:
        number = self.account or self.phone
        if not number:
            return self.ask(Asked.ACCOUNT, "What is your account number?", lead)
        if len(number) < FEWEST_DIGITS:
            self.account = self.phone = ""
            heard = f"I only heard {speech.say_digits(number)}."
            return self.ask(Asked.ACCOUNT, "Could you say the whole account number?", heard)
        return self.look_up("account_balance", {"account_number": number, "name": self.name})


_STEPS: dict[Intent, Callable[[Desk, str], Reply]] = {
    Intent.BOOK: Desk._find_slot,
    Intent.MOVE: Desk._find_appointment,
    Intent.CANCEL: Desk._find_appointment,
    Intent.NEXT: Desk._find_appointment,
    Intent.BALANCE: Desk._find_balance,
}


def _spread(free: list[str]) -> list[str]:
    """A few times from the whole of the day."""
    if len(free) <= _MOST_OFFERED:
        return list(free)
    return [free[0], free[len(free) // 2], free[-1]]


def _nearest(free: list[str], wanted: str) -> list[str]:
    """The few times that are nearest to the wanted one, in their order."""
    near = sorted(free, key=lambda hh_mm: abs(_minutes(hh_mm) - _minutes(wanted)))
    return sorted(near[:_MOST_OFFERED])


def _minutes(hh_mm: str) -> int:
    hours, _, minutes = hh_mm.partition(":")
    return int(hours) * 60 + int(minutes) if hours.isdigit() and minutes.isdigit() else 0
