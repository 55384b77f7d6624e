"""The tools of the demonstration agent: a clinic's front desk.

Contract: `TOOLS` are tools as any tools' file may name them (`[python.clinic]`); those of one
loading share a book, and `desk_tools` makes others. A run takes microseconds. What is wrong with
the input comes back as `{"error": code, "message": sentence}`.

A tool that concerns a record reads and changes it for its owner alone (`_owners`): the record is
that of the line which calls, or the caller says its number and the name that stands in it. Who says
it wrongly too often is not listened to any more.
Errors: `who`, `not_identified`, `what_day`, `what_time`, `too_far`, `slot_taken`,
`no_appointment`, `too_many`, `unknown_treatment`, `bad_number` as values of `error`.
Source: Bedrock: Converse tool use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias

from aybiza.dialogue.tool_limits import Identifying
from aybiza.dialogue.tool_registry import WRITES_A_CALL, Tool
from aybiza.dialogue.toolbox import Effect, ToolRun

from .book import (
    HORIZON_DAYS,
    MOST_APPOINTMENTS,
    OPENING_HOURS,
    PRICES,
    WEEKDAYS,
    Appointment,
    ClinicBook,
    Patient,
    Result,
    digits_of,
    key_of,
    resolve_day,
    resolve_time,
    treatment_named,
)

LONGEST = 100
"""Characters of a member of an input."""
WRITES_A_CALLER = 1_000
"""The demonstration's callers have few numbers, and call often."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a run is given besides its input: the book, the local time, and whose call it is.

    `caller` is the caller's own number, "" when it is withheld.
    """

    book: ClinicBook
    now: datetime
    call_id: str
    caller: str
    identifying: Identifying


Given: TypeAlias = dict[str, str]
Handler: TypeAlias = Callable[[Given, Use], Result]


def local_now() -> datetime:
    """The clinic's time. A simulated call sets the clock that is asked here."""
    return datetime.fromtimestamp(time.time())


def desk_tools(now: Callable[[], datetime] = local_now) -> list[Tool]:
    """The desk's tools over one new book."""
    book, identifying = ClinicBook(), Identifying()

    def made(
        name: str,
        description: str,
        handler: Handler,
        members: Mapping[str, str],
        required: tuple[str, ...],
        effect: Effect,
    ) -> Tool:
        async def run(given: dict[str, Any], use: ToolRun) -> Result:
            stripped = {member: str(given.get(member, "")).strip() for member in members}
            told = {name: text for name, text in stripped.items() if text or name in required}
            return handler(told, Use(book, now(), use.call_id, use.caller, identifying))

        return Tool(
            name,
            description,
            run,
            {
                "type": "object",
                "properties": {
                    member: {"type": "string", "maxLength": LONGEST, "description": meaning}
                    for member, meaning in members.items()
                },
                "required": list(required),
            },
            effect=effect,
            most_a_call=WRITES_A_CALL,
            most_a_caller=WRITES_A_CALLER,
        )

    return [made(*row) for row in _ROWS]


def _opening_hours(given: Given, use: Use) -> Result:
    if not given.get("day"):
        week = [_hours_of(use.now.date() + timedelta(days=n)) for n in range(7)]
        week.sort(key=lambda hours: WEEKDAYS.index(hours["weekday"]))
        return {"week": [{k: v for k, v in hours.items() if k != "date"} for hours in week]}
    day = resolve_day(given["day"], use.now.date())
    return _hours_of(day) if day else _error("what_day", f"{given['day']} is not a day.")


def _hours_of(day: date) -> Result:
    named: Result = {"date": day.isoformat(), "weekday": WEEKDAYS[day.weekday()]}
    if day.weekday() not in OPENING_HOURS:
        return {**named, "closed": True}
    opens, closes = OPENING_HOURS[day.weekday()]
    return {**named, "opens": opens.strftime("%H:%M"), "closes": closes.strftime("%H:%M")}


def _treatment_price(given: Given, use: Use) -> Result:
    treatment = treatment_named(given["treatment"])
    if treatment is None:
        message = f"There is no price for {given['treatment']}."
        return {**_error("unknown_treatment", message), "known": list(PRICES)}
    return {"treatment": treatment, "price": PRICES[treatment], "currency": "USD"}


def _free_slots(given: Given, use: Use) -> Result:
    asked = given.get("day") or "soonest"
    day = resolve_day(asked, use.now.date())
    if day is None:
        return _error("what_day", f"{asked} is not a day.")
    if not use.now.date() <= day <= use.now.date() + timedelta(days=HORIZON_DAYS):
        return _error("too_far", f"Appointments are given up to {HORIZON_DAYS} days ahead.")
    part = given.get("part_of_day", "").lower()
    free = use.book.free(day, use.now, part)
    if free or asked not in ("soonest", "next week"):
        result = _slots(day, free, use.now)
        if free:
            return result
        result["reason"] = "full" if day.weekday() in OPENING_HOURS else "closed"
    else:
        result = {}
    for ahead in range(1, HORIZON_DAYS):
        later = day + timedelta(days=ahead)
        if free := use.book.free(later, use.now, part):
            following = _slots(later, free, use.now)
            return {**result, "next": following} if result else following
    return result or _slots(day, [], use.now)


def _slots(day: date, free: list[datetime], now: datetime) -> Result:
    return {
        "date": day.isoformat(),
        "weekday": WEEKDAYS[day.weekday()],
        "days_ahead": (day - now.date()).days,
        "free": [slot.strftime("%H:%M") for slot in free],
    }


def _next_appointment(given: Given, use: Use) -> Result:
    patient = _owners(given, use)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, use)
    return {"appointment": found.as_json() if found else None, "name": patient.name}


def _book(given: Given, use: Use) -> Result:
    told_by_name = given.get("name") and not (given.keys() & _NUMBERS or use.caller.strip())
    if told_by_name:
        patient: Patient | Result = use.book.newcomer(given["name"], use.call_id)
    else:
        patient = _owners(given, use)
    if not isinstance(patient, Patient):
        return patient
    slot = _slot(given, use)
    if not isinstance(slot, datetime):
        return slot
    if sum(made.start > use.now for made in patient.appointments) >= MOST_APPOINTMENTS:
        return _error("too_many", f"There are {MOST_APPOINTMENTS} appointments already.")
    patient.name = given.get("name") or patient.name
    made = use.book.add(
        patient, slot, treatment_named(given.get("treatment", "")) or "consultation"
    )
    return {"booked": made.as_json(), "name": patient.name}


def _move(given: Given, use: Use) -> Result:
    patient = _owners(given, use)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, use)
    if found is None:
        return _error("no_appointment", "There is no such appointment.")
    slot = _slot(given, use)
    if not isinstance(slot, datetime):
        return slot
    use.book.remove(patient, found)
    moved = use.book.add(patient, slot, found.treatment)
    return {"moved": moved.as_json(), "from": found.as_json()}


def _cancel(given: Given, use: Use) -> Result:
    patient = _owners(given, use)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, use)
    if found is None:
        return _error("no_appointment", "There is no such appointment.")
    use.book.remove(patient, found)
    return {"cancelled": found.as_json()}


def _account_balance(given: Given, use: Use) -> Result:
    digits = digits_of(given["account_number"])
    if not 3 <= len(digits) <= 15:
        return _error("bad_number", "An account number has 3 to 15 digits.")
    patient = _owners({**given, "account_number": digits}, use)
    if not isinstance(patient, Patient):
        return patient
    return {"account_number": digits, "balance": patient.balance, "currency": "USD"}


def _owners(given: Given, use: Use) -> Patient | Result:
    """The record of a number that is told, else of the line, else of a name; an error for anybody
    but its owner."""
    name, line = given.get("name", ""), key_of(use.caller)
    number = given.get("account_number") or given.get("phone_number") or ""
    who = number or use.caller.strip() or name
    if not who:
        return _error("who", "An account number, a phone number or a name is needed.")
    if use.identifying.over(use.call_id, use.caller):
        return _error("not_identified", f"{_NOBODYS} Nothing more is told: offer a person.")
    patient = use.book.patient(who, use.now.date())
    patient.owner = patient.owner or line or use.call_id
    named = bool(number and name) and name.casefold() == patient.name.casefold()
    if patient.owner in (line, use.call_id) or named:
        return patient
    if number and not name:
        return _error("not_identified", f"{_NOBODYS} Ask for the name, and use both.")
    use.identifying.failed(use.call_id, use.caller)
    return _error(
        "not_identified", f"{_NOBODYS} Ask for its number and the full name, and use both."
    )


def _find(patient: Patient, given: Given, use: Use) -> Appointment | None:
    to_come = sorted((a for a in patient.appointments if a.start > use.now), key=lambda a: a.start)
    wanted = given.get("appointment_id")
    return next((a for a in to_come if not wanted or a.id == wanted), None)


def _slot(given: Given, use: Use) -> datetime | Result:
    """The free slot that is asked for, or the error to answer."""
    day, at = resolve_day(given["day"], use.now.date()), resolve_time(given["time"])
    if day is None:
        return _error("what_day", f"{given['day']} is not a day.")
    if at is None:
        return _error("what_time", f"{given['time']} is not a time of day; say it as HH:MM.")
    if day > use.now.date() + timedelta(days=HORIZON_DAYS):
        return _error("too_far", f"Appointments are given up to {HORIZON_DAYS} days ahead.")
    free = use.book.free(day, use.now)
    slot = datetime.combine(day, at)
    if slot not in free:
        return {**_error("slot_taken", "This slot is not free."), **_slots(day, free, use.now)}
    return slot


def _error(code: str, message: str) -> Result:
    return {"error": code, "message": message}


_DAY = "An ISO date, or the caller's words: tomorrow, Friday, next week, 9 October, soonest"
_WHO = {
    "account_number": "The caller's account number, digits only",
    "phone_number": "The caller's phone number, digits only",
    "name": "The caller's full name",
}
_NUMBERS = frozenset({"account_number", "phone_number"})
_NO_WHO = (
    "Leave all three out for the record of the number that the caller is calling from; for another"
    " one, give its number and the name."
)
_NOBODYS = "The caller is not known to be the one whose record this is."
_WHICH = {"appointment_id": "Which one, as next_appointment gave it; left out: the next one"}
_WHEN = {"day": _DAY, "time": "The start, as HH:MM"}

_Row: TypeAlias = tuple[str, str, Handler, Mapping[str, str], tuple[str, ...], Effect]

_ROWS: tuple[_Row, ...] = (
    (
        "next_appointment",
        f"The caller's next appointment, or null. {_NO_WHO}",
        _next_appointment,
        _WHO,
        (),
        "none",
    ),
    (
        "free_slots",
        "The free appointment times of a day. When there are none, `next` is the next day that has"
        " some.",
        _free_slots,
        {"day": _DAY, "part_of_day": "morning, afternoon or evening"},
        (),
        "none",
    ),
    (
        "book_appointment",
        f"Book a free slot. {_NO_WHO}",
        _book,
        {**_WHEN, "treatment": "What for; left out: a consultation", **_WHO},
        ("day", "time"),
        "write",
    ),
    (
        "move_appointment",
        f"Move an appointment to a free slot. {_NO_WHO}",
        _move,
        {**_WHICH, **_WHEN, **_WHO},
        ("day", "time"),
        "write",
    ),
    (
        "cancel_appointment",
        f"Cancel an appointment. {_NO_WHO}",
        _cancel,
        {**_WHICH, **_WHO},
        (),
        "write",
    ),
    (
        "account_balance",
        "What is owed on an account, in whole dollars. For another account than that of the number"
        " that the caller is calling from, give the name, too.",
        _account_balance,
        {
            "account_number": "The account number or phone number, digits only",
            "name": "The full name on the account",
        },
        ("account_number",),
        "none",
    ),
    (
        "opening_hours",
        "The clinic's opening hours, of one day or of the week.",
        _opening_hours,
        {"day": _DAY},
        (),
        "none",
    ),
    (
        "treatment_price",
        "What a treatment costs, in whole dollars.",
        _treatment_price,
        {"treatment": "The treatment, such as checkup or cleaning"},
        ("treatment",),
        "none",
    ),
)

TOOLS = desk_tools()
