"""What the front desk makes of a tool's result.

Contract: `told` takes the desk, the tool's name and the result, and gives the reply: the result in
a sentence, or the next step of the task. A result that is an error becomes the question that mends
it, or the offer of a person. Pure; no result makes it fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aybiza.emulators.bedrock.clinic import speech
from aybiza.emulators.bedrock.clinic.desk import Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, say

Result = Mapping[str, Any]

NO_APPOINTMENT = "I can not find an appointment for you."
OUT_OF_ORDER = "I am sorry, I can not get at our book just now."


def told(desk: Desk, tool: str, result: Result) -> Reply:
    """The reply to a tool's result."""
    if "error" in result:
        mend = _ERRORS.get(str(result["error"]))
        return mend(desk, result) if mend else desk.offer_person(OUT_OF_ORDER)
    if "needs_confirmation" in result:
        return desk.ask_for_yes()
    tell = _RESULTS.get(tool)
    return tell(desk, result) if tell else desk.offer_person(OUT_OF_ORDER)


def _free_slots(desk: Desk, result: Result) -> Reply:
    lead = ""
    if not result.get("free"):
        following = result.get("next")
        if not isinstance(following, Mapping) or not following.get("free"):
            return desk.another_day("I am sorry, there is nothing free.")
        day = speech.on_day(str(result.get("date", "")))
        closed = result.get("reason") == "closed"
        lead = f"We are closed {day}." if closed else f"There is nothing free {day}."
        result = following
        desk.time = desk.time if desk.time in _times(result) else None
    desk.date = str(result.get("date", ""))
    ahead = result.get("days_ahead")
    desk.days_ahead = ahead if isinstance(ahead, int) else None
    desk.free = _times(result)
    return desk.choose(lead)


def _next_appointment(desk: Desk, result: Result) -> Reply:
    found = result.get("appointment")
    if not isinstance(found, Mapping):
        desk.goal = None
        return desk.ask(Asked.BOOKING, "Shall I book one?", NO_APPOINTMENT)
    if desk.goal in (Intent.MOVE, Intent.CANCEL):
        desk.appointment = dict(found)
        return desk.advance()
    text = f"Your next appointment is {speech.say_visit(found)}."
    return desk.back(text) if desk.goal is Intent.BOOK else desk.done(text)


def _booked(desk: Desk, result: Result) -> Reply:
    return desk.done(f"You are booked for {speech.say_visit(_member(result, 'booked'))}.")


def _moved(desk: Desk, result: Result) -> Reply:
    return desk.done(f"Done. Your appointment is now {speech.say_when(_member(result, 'moved'))}.")


def _cancelled(desk: Desk, result: Result) -> Reply:
    when = speech.say_when(_member(result, "cancelled"))
    return desk.done(f"Your appointment {when} is cancelled.")


def _account_balance(desk: Desk, result: Result) -> Reply:
    number = speech.say_digits(str(result.get("account_number", "")))
    balance = result.get("balance")
    owed = f"is {speech.say_money(balance)}" if balance else "is settled, nothing is owed"
    reply = desk.done(f"The balance of account {number} {owed}.")
    desk.topic = Intent.BALANCE
    return reply


def _opening_hours(desk: Desk, result: Result) -> Reply:
    week = result.get("week")
    days = [day for day in week if isinstance(day, Mapping)] if isinstance(week, list) else [result]
    spans: list[tuple[str, list[str]]] = []
    for day in days:
        said, weekday = _span(day), str(day.get("weekday", "")).title()
        if spans and spans[-1][0] == said:
            spans[-1][1].append(weekday)
        else:
            spans.append((said, [weekday]))
    text = " ".join(
        f"{'On' if len(days) == 1 else 'From' if len(on) > 1 else 'On'} "
        f"{on[0] if len(on) == 1 else f'{on[0]} to {on[-1]}'} we are {said}."
        for said, on in spans
    )
    return desk.back(text)


def _treatment_price(desk: Desk, result: Result) -> Reply:
    what = speech.say_treatment(str(result.get("treatment", "it")))
    return desk.back(f"{what.capitalize()} costs {speech.say_money(result.get('price'))}.")


def _transferring(desk: Desk, result: Result) -> Reply:
    return say("One moment, please.")


def _ending(desk: Desk, result: Result) -> Reply:
    return say("Have a nice day.")


def _who(desk: Desk, result: Result) -> Reply:
    desk.goal = desk.goal or Intent.NEXT
    return desk.ask(Asked.ACCOUNT, "What is your account number or your phone number?")


def _not_identified(desk: Desk, result: Result) -> Reply:
    desk.goal = desk.goal or Intent.NEXT
    if not (desk.account or desk.phone):
        return desk.ask(Asked.ACCOUNT, "What is your account number or your phone number?")
    if desk.name:
        desk.name, desk.account, desk.phone = None, "", ""
        return desk.offer_person("I am sorry, I can not find that number under this name.")
    return desk.ask(Asked.OWNER, "What name is it under?")


def _what_day(desk: Desk, result: Result) -> Reply:
    return desk.another_day("I am sorry, I can not give you that day.")


def _slot_taken(desk: Desk, result: Result) -> Reply:
    desk.time = None
    return _free_slots(desk, result)


def _no_appointment(desk: Desk, result: Result) -> Reply:
    return _next_appointment(desk, {})


def _unknown_treatment(desk: Desk, result: Result) -> Reply:
    known = result.get("known")
    some = (
        [speech.say_treatment(str(name)) for name in known[:3]] if isinstance(known, list) else []
    )
    text = "I am sorry, I have no price for that."
    if some:
        text += f" I can tell you the price of {speech.listed(some, 'or')}, for example."
    return desk.ask(Asked.TREATMENT, "Which treatment do you mean?", text)


def _bad_number(desk: Desk, result: Result) -> Reply:
    desk.account = desk.phone = ""
    return desk.ask(
        Asked.ACCOUNT, "Could you say the account number again?", "That is no account number."
    )


def _too_many(desk: Desk, result: Result) -> Reply:
    return desk.done("You have as many appointments as we give to one person.")


_RESULTS: dict[str, Callable[[Desk, Result], Reply]] = {
    "free_slots": _free_slots,
    "next_appointment": _next_appointment,
    "book_appointment": _booked,
    "move_appointment": _moved,
    "cancel_appointment": _cancelled,
    "account_balance": _account_balance,
    "opening_hours": _opening_hours,
    "treatment_price": _treatment_price,
    "transfer_to_person": _transferring,
    "end_call": _ending,
}

TOOLS = frozenset(_RESULTS)
"""The tools whose results the front desk understands."""

_ERRORS: dict[str, Callable[[Desk, Result], Reply]] = {
    "who": _who,
    "not_identified": _not_identified,
    "what_day": _what_day,
    "what_time": _what_day,
    "too_far": _what_day,
    "slot_taken": _slot_taken,
    "no_appointment": _no_appointment,
    "unknown_treatment": _unknown_treatment,
    "bad_number": _bad_number,
    "too_many": _too_many,
}


def _times(result: Result) -> list[str]:
    free = result.get("free")
    return [str(hh_mm) for hh_mm in free] if isinstance(free, list) else []


def _member(result: Result, name: str) -> Result:
    member = result.get(name)
    return member if isinstance(member, Mapping) else {}


def _span(day: Result) -> str:
    if day.get("closed"):
        return "closed"
    opens, closes = str(day.get("opens", "")), str(day.get("closes", ""))
    return f"open from {speech.say_time(opens)} to {speech.say_time(closes)}"
