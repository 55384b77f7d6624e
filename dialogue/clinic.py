"""The tools of the demonstration agent: a clinic's front desk.

Contract: `TOOLS` maps a tool's name to its Converse specification (`spec`) and its implementation
(`run`). `run` is a plain function that takes microseconds; it returns a JSON-able dict and never
raises: what is wrong with the input comes back as `{"error": code, "message": sentence}`. Writes
are idempotent by call and tool-use id: the same write again returns what the first one did.
Time is handed in.

A tool that `concerns` a record reads and changes it for its owner alone (`_owners`): the record is
that of the line which calls, or the caller says its number and the name that stands in it. Who says
it wrongly too often is not listened to any more, and a call changes `WRITES_A_CALL` things at most.
Errors: `unknown_tool_input`, `who`, `not_identified`, `what_day`, `what_time`, `too_far`,
`slot_taken`, `no_appointment`, `too_many`, `unknown_treatment`, `bad_number`, `nobody_there`,
`unknown_destination` as values of `error`.
Source: Bedrock: Converse tool use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from aybiza.dialogue.clinic_book import (
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
from aybiza.dialogue.tool_limits import Identifying, Tally

__all__ = ["TOOLS", "ClinicBook", "Effect", "Tool", "ToolContext"]

Effect = Literal["none", "write", "transfer", "end_call"]
Concerns = Literal["nobody", "record"]

WRITES_A_CALL = 12
"""Changes of the book in one call."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool run is given: the book, the local time, and whose call it is.

    `caller` is the caller's own number, "" when it is withheld; `people` are the names of those
    whom a caller may be put through to.
    """

    book: ClinicBook
    now: datetime
    tool_use_id: str = ""
    call_id: str = ""
    caller: str = ""
    people: Sequence[str] = ()
    identifying: Identifying = field(default_factory=Identifying)
    writes: Tally = field(default_factory=lambda: Tally(WRITES_A_CALL))


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: what the model is told of it, and what it does.

    `effect`: `write` changes the book; `transfer` and `end_call` ask the call to do so once the
    agent has finished speaking. `concerns`: whose data it reads or changes, nobody's or those of a
    record, whose owner has to be identified.
    """

    name: str
    description: str
    handler: Callable[[dict[str, str], ToolContext], Result]
    properties: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    effect: Effect = "none"
    concerns: Concerns = "nobody"

    @property
    def spec(self) -> dict[str, Any]:
        """The tool for `toolConfig.tools`."""
        members = {n: {"type": "string", "description": d} for n, d in self.properties.items()}
        schema = {"type": "object", "properties": members, "required": list(self.required)}
        return {
            "toolSpec": {
                "name": self.name,
                "description": self.description,
                "inputSchema": {"json": schema},
            }
        }

    def run(self, tool_input: object, ctx: ToolContext) -> Result:
        """What the tool has to say. Never raises for bad input."""
        given = _clean(tool_input, self.properties)
        if given is None:
            return _error("unknown_tool_input", f"{self.name} takes an object of short strings.")
        missing = [name for name in self.required if not given.get(name)]
        if missing:
            return _error("unknown_tool_input", f"{self.name} needs {', '.join(missing)}.")
        if self.effect == "write" and ctx.tool_use_id:
            return ctx.book.once((ctx.call_id, ctx.tool_use_id), lambda: self._write(given, ctx))
        return self.handler(given, ctx)

    def _write(self, given: dict[str, str], ctx: ToolContext) -> Result:
        if ctx.writes.full(ctx.call_id):
            return _error("too_many", "Nothing was done: no more is changed in this call.")
        result = self.handler(given, ctx)
        if "error" not in result:
            ctx.writes.add(ctx.call_id)
        return result


def _opening_hours(given: dict[str, str], ctx: ToolContext) -> Result:
    if not given.get("day"):
        week = [_hours_of(ctx.now.date() + timedelta(days=n)) for n in range(7)]
        week.sort(key=lambda hours: WEEKDAYS.index(hours["weekday"]))
        return {"week": [{k: v for k, v in hours.items() if k != "date"} for hours in week]}
    day = resolve_day(given["day"], ctx.now.date())
    return _hours_of(day) if day else _error("what_day", f"{given['day']} is not a day.")


def _hours_of(day: date) -> Result:
    named: Result = {"date": day.isoformat(), "weekday": WEEKDAYS[day.weekday()]}
    if day.weekday() not in OPENING_HOURS:
        return {**named, "closed": True}
    opens, closes = OPENING_HOURS[day.weekday()]
    return {**named, "opens": opens.strftime("%H:%M"), "closes": closes.strftime("%H:%M")}


def _treatment_price(given: dict[str, str], ctx: ToolContext) -> Result:
    treatment = treatment_named(given["treatment"])
    if treatment is None:
        message = f"There is no price for {given['treatment']}."
        return {**_error("unknown_treatment", message), "known": list(PRICES)}
    return {"treatment": treatment, "price": PRICES[treatment], "currency": "USD"}


def _free_slots(given: dict[str, str], ctx: ToolContext) -> Result:
    asked = given.get("day") or "soonest"
    day = resolve_day(asked, ctx.now.date())
    if day is None:
        return _error("what_day", f"{asked} is not a day.")
    if not ctx.now.date() <= day <= ctx.now.date() + timedelta(days=HORIZON_DAYS):
        return _error("too_far", f"Appointments are given up to {HORIZON_DAYS} days ahead.")
    part = given.get("part_of_day", "").lower()
    free = ctx.book.free(day, ctx.now, part)
    if free or asked not in ("soonest", "next week"):
        result = _slots(day, free, ctx.now)
        if free:
            return result
        result["reason"] = "full" if day.weekday() in OPENING_HOURS else "closed"
    else:
        result = {}
    for ahead in range(1, HORIZON_DAYS):
        later = day + timedelta(days=ahead)
        if free := ctx.book.free(later, ctx.now, part):
            following = _slots(later, free, ctx.now)
            return {**result, "next": following} if result else following
    return result or _slots(day, [], ctx.now)


def _slots(day: date, free: list[datetime], now: datetime) -> Result:
    return {
        "date": day.isoformat(),
        "weekday": WEEKDAYS[day.weekday()],
        "days_ahead": (day - now.date()).days,
        "free": [slot.strftime("%H:%M") for slot in free],
    }


def _next_appointment(given: dict[str, str], ctx: ToolContext) -> Result:
    patient = _owners(given, ctx)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, ctx)
    return {"appointment": found.as_json() if found else None, "name": patient.name}


def _book(given: dict[str, str], ctx: ToolContext) -> Result:
    told_by_name = given.get("name") and not (given.keys() & _NUMBERS or ctx.caller.strip())
    if told_by_name:
        patient: Patient | Result = ctx.book.newcomer(given["name"], ctx.call_id)
    else:
        patient = _owners(given, ctx)
    if not isinstance(patient, Patient):
        return patient
    slot = _slot(given, ctx)
    if not isinstance(slot, datetime):
        return slot
    if sum(made.start > ctx.now for made in patient.appointments) >= MOST_APPOINTMENTS:
        return _error("too_many", f"There are {MOST_APPOINTMENTS} appointments already.")
    patient.name = given.get("name") or patient.name
    made = ctx.book.add(
        patient, slot, treatment_named(given.get("treatment", "")) or "consultation"
    )
    return {"booked": made.as_json(), "name": patient.name}


def _move(given: dict[str, str], ctx: ToolContext) -> Result:
    patient = _owners(given, ctx)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, ctx)
    if found is None:
        return _error("no_appointment", "There is no such appointment.")
    slot = _slot(given, ctx)
    if not isinstance(slot, datetime):
        return slot
    ctx.book.remove(patient, found)
    moved = ctx.book.add(patient, slot, found.treatment)
    return {"moved": moved.as_json(), "from": found.as_json()}


def _cancel(given: dict[str, str], ctx: ToolContext) -> Result:
    patient = _owners(given, ctx)
    if not isinstance(patient, Patient):
        return patient
    found = _find(patient, given, ctx)
    if found is None:
        return _error("no_appointment", "There is no such appointment.")
    ctx.book.remove(patient, found)
    return {"cancelled": found.as_json()}


def _account_balance(given: dict[str, str], ctx: ToolContext) -> Result:
    digits = digits_of(given["account_number"])
    if not 3 <= len(digits) <= 15:
        return _error("bad_number", "An account number has 3 to 15 digits.")
    patient = _owners({**given, "account_number": digits}, ctx)
    if not isinstance(patient, Patient):
        return patient
    return {"account_number": digits, "balance": patient.balance, "currency": "USD"}


def _transfer(given: dict[str, str], ctx: ToolContext) -> Result:
    if not ctx.people:
        return _error("nobody_there", "Nobody can take the call. Offer to take a message.")
    to = given.get("to") or ctx.people[0]
    named = next((name for name in ctx.people if name.casefold() == to.casefold()), None)
    if named is None:
        return _error("unknown_destination", f"There are: {', '.join(ctx.people)}.")
    return {"transferring": True, "to": named}


def _end_call(given: dict[str, str], ctx: ToolContext) -> Result:
    return {"ending": True}


def _owners(given: dict[str, str], ctx: ToolContext) -> Patient | Result:
    """The record of a number that is told, else of the line, else of a name; an error for anybody
    but its owner."""
    name, line = given.get("name", ""), key_of(ctx.caller)
    number = given.get("account_number") or given.get("phone_number") or ""
    who = number or ctx.caller.strip() or name
    if not who:
        return _error("who", "An account number, a phone number or a name is needed.")
    if ctx.identifying.over(ctx.call_id, ctx.caller):
        return _error("not_identified", f"{_NOBODYS} Nothing more is told: offer a person.")
    patient = ctx.book.patient(who, ctx.now.date())
    patient.owner = patient.owner or line or ctx.call_id
    named = bool(number and name) and name.casefold() == patient.name.casefold()
    if patient.owner in (line, ctx.call_id) or named:
        return patient
    if number and not name:
        return _error("not_identified", f"{_NOBODYS} Ask for the name, and use both.")
    ctx.identifying.failed(ctx.call_id, ctx.caller)
    return _error(
        "not_identified", f"{_NOBODYS} Ask for its number and the full name, and use both."
    )


def _find(patient: Patient, given: dict[str, str], ctx: ToolContext) -> Appointment | None:
    to_come = sorted((a for a in patient.appointments if a.start > ctx.now), key=lambda a: a.start)
    wanted = given.get("appointment_id")
    return next((a for a in to_come if not wanted or a.id == wanted), None)


def _slot(given: dict[str, str], ctx: ToolContext) -> datetime | Result:
    """The free slot that is asked for, or the error to answer."""
    day, at = resolve_day(given["day"], ctx.now.date()), resolve_time(given["time"])
    if day is None:
        return _error("what_day", f"{given['day']} is not a day.")
    if at is None:
        return _error("what_time", f"{given['time']} is not a time of day; say it as HH:MM.")
    if day > ctx.now.date() + timedelta(days=HORIZON_DAYS):
        return _error("too_far", f"Appointments are given up to {HORIZON_DAYS} days ahead.")
    free = ctx.book.free(day, ctx.now)
    slot = datetime.combine(day, at)
    if slot not in free:
        return {**_error("slot_taken", "This slot is not free."), **_slots(day, free, ctx.now)}
    return slot


def _error(code: str, message: str) -> Result:
    return {"error": code, "message": message}


def _clean(tool_input: object, known: Mapping[str, str]) -> dict[str, str] | None:
    """The members that the tool knows, as stripped strings; None when the input is no input."""
    if not isinstance(tool_input, Mapping):
        return None
    given: dict[str, str] = {}
    for name in known:
        value = tool_input.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            return None
        text = "" if value is None else str(value).strip()
        if len(text) > LONGEST:
            return None
        if text:
            given[name] = text
    return given


LONGEST = 100

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

TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "next_appointment",
            f"The caller's next appointment, or null. {_NO_WHO}",
            _next_appointment,
            _WHO,
            concerns="record",
        ),
        Tool(
            "free_slots",
            "The free appointment times of a day. When there are none, `next` is the next day that"
            " has some.",
            _free_slots,
            {"day": _DAY, "part_of_day": "morning, afternoon or evening"},
        ),
        Tool(
            "book_appointment",
            f"Book a free slot. {_NO_WHO}",
            _book,
            {**_WHEN, "treatment": "What for; left out: a consultation", **_WHO},
            ("day", "time"),
            "write",
            "record",
        ),
        Tool(
            "move_appointment",
            f"Move an appointment to a free slot. {_NO_WHO}",
            _move,
            {**_WHICH, **_WHEN, **_WHO},
            ("day", "time"),
            "write",
            "record",
        ),
        Tool(
            "cancel_appointment",
            f"Cancel an appointment. {_NO_WHO}",
            _cancel,
            {**_WHICH, **_WHO},
            effect="write",
            concerns="record",
        ),
        Tool(
            "account_balance",
            "What is owed on an account, in whole dollars. For another account than that of the"
            " number that the caller is calling from, give the name, too.",
            _account_balance,
            {
                "account_number": "The account number or phone number, digits only",
                "name": "The full name on the account",
            },
            ("account_number",),
            concerns="record",
        ),
        Tool(
            "opening_hours",
            "The clinic's opening hours, of one day or of the week.",
            _opening_hours,
            {"day": _DAY},
        ),
        Tool(
            "treatment_price",
            "What a treatment costs, in whole dollars.",
            _treatment_price,
            {"treatment": "The treatment, such as checkup or cleaning"},
            ("treatment",),
        ),
        Tool(
            "transfer_to_person",
            "Put the caller through to a person. Say so before.",
            _transfer,
            {"reason": "Why, in a few words", "to": "Whom; left out: the first of them"},
            effect="transfer",
        ),
        Tool("end_call", "Hang up, after goodbye.", _end_call, effect="end_call"),
    )
}
