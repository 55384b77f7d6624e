"""The tools of the demonstration agent: a clinic's appointment book in memory.

Contract: `TOOLS` maps a tool's name to its Converse specification (`spec`) and its implementation
(`run`). `run` is a plain function that takes microseconds; it returns a JSON-able dict and never
raises: what is wrong with the input comes back as `{"error": code, "message": sentence}`. Writes
are idempotent by call and tool-use id: the same write again returns what the first one did.
The book knows everybody: a number or name that is not in its list gets a record made out of its
letters, so that any caller can be shown everything. Time is handed in.
Errors: `unknown_tool_input`, `who`, `what_day`, `what_time`, `too_far`, `slot_taken`,
`no_appointment`, `too_many`, `unknown_treatment`, `bad_number` as values of `error`.
Source: Bedrock: Converse tool use.
"""

from __future__ import annotations

import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

Result = dict[str, Any]
Effect = Literal["none", "write", "transfer", "end_call"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january february march april may june july august september october november december"
).split()
OPENING_HOURS: dict[int, tuple[time, time]] = {
    **dict.fromkeys(range(5), (time(8), time(18))),
    5: (time(9), time(13)),
}
PARTS = {
    "morning": (time(0), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(16), time(23)),
}
PRICES = {
    "consultation": 60,
    "checkup": 45,
    "cleaning": 80,
    "filling": 120,
    "x-ray": 35,
    "blood test": 40,
    "flu shot": 25,
    "vaccination": 30,
    "physiotherapy": 70,
    "eye test": 50,
    "whitening": 250,
    "extraction": 150,
    "root canal": 600,
    "crown": 900,
}
TREATMENT_WORDS = {
    "check up": "checkup",
    "check-up": "checkup",
    "exam": "checkup",
    "hygienist": "cleaning",
    "x ray": "x-ray",
    "blood": "blood test",
    "vaccine": "vaccination",
    "physio": "physiotherapy",
    "massage": "physiotherapy",
    "doctor": "consultation",
    "tooth out": "extraction",
}
DOCTORS = ("Doctor Adams", "Doctor Lee", "Doctor Novak")

SLOT = timedelta(minutes=30)
HORIZON_DAYS = 90
MOST_APPOINTMENTS = 10
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Appointment:
    """A visit in the book."""

    id: str
    start: datetime
    treatment: str
    doctor: str

    def as_json(self) -> Result:
        return {
            "appointment_id": self.id,
            "date": self.start.date().isoformat(),
            "time": self.start.strftime("%H:%M"),
            "treatment": self.treatment,
            "with": self.doctor,
        }


@dataclass(slots=True)
class Patient:
    """Somebody's record. `balance` is what is owed, in whole dollars."""

    account: str
    phone: str = ""
    name: str = ""
    balance: int = 0
    appointments: list[Appointment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    account: str
    phone: str
    name: str
    balance: int
    days_ahead: int
    at: time
    treatment: str


KNOWN = (
    _Known("41573", "4155550123", "Maria Lopez", 85, 3, time(10, 30), "checkup"),
    _Known("20418", "4155550144", "John Smith", 0, 6, time(14), "cleaning"),
    _Known("77120", "2065550187", "Anna Becker", 140, 9, time(9), "filling"),
    _Known("55302", "3125550162", "Tom Walker", 35, 1, time(16, 30), "blood test"),
)


class ClinicBook:
    """The clinic's appointments and accounts. Use it from one thread."""

    def __init__(self) -> None:
        self._patients: OrderedDict[str, Patient] = OrderedDict()
        self._taken: set[datetime] = set()
        self._done: OrderedDict[tuple[str, str], Result] = OrderedDict()
        self._issued = 0

    def patient(self, who: str, today: date) -> Patient:
        """The record under an account number, a phone number or a name."""
        digits = _digits(who)
        key = digits[-10:] if digits else who.casefold()
        known = next((k for k in KNOWN if key in (k.account, k.phone, k.name.casefold())), None)
        key = known.account if known else key
        if key not in self._patients:
            made = _from_list(known, today) if known else _from_letters(key, who, today)
            self._patients[key] = made
        self._patients.move_to_end(key)
        if len(self._patients) > REMEMBERED:
            self._patients.popitem(last=False)
        return self._patients[key]

    def free(self, day: date, now: datetime, part: str = "") -> list[datetime]:
        """The free slots of a day that are still to come."""
        opens, closes = OPENING_HOURS.get(day.weekday(), (time(0), time(0)))
        first, last = PARTS.get(part, (time(0), time(23, 59)))
        slots = []
        at = datetime.combine(day, opens)
        while at + SLOT <= datetime.combine(day, closes):
            if at > now and first <= at.time() < last and not self.taken(at):
                slots.append(at)
            at += SLOT
        return slots

    def taken(self, at: datetime) -> bool:
        """Whether somebody has this slot. A third of the book is full from the start."""
        return at in self._taken or _fingerprint(at.isoformat()) % 3 == 0

    def add(self, patient: Patient, at: datetime, treatment: str) -> Appointment:
        """Enter an appointment."""
        self._issued += 1
        doctor = DOCTORS[_fingerprint(at.isoformat()) % len(DOCTORS)]
        made = Appointment(f"A{1000 + self._issued}", at, treatment, doctor)
        patient.appointments.append(made)
        self._taken.add(at)
        return made

    def remove(self, patient: Patient, appointment: Appointment) -> None:
        """Take an appointment out."""
        patient.appointments.remove(appointment)
        self._taken.discard(appointment.start)

    def once(self, key: tuple[str, str], write: Callable[[], Result]) -> Result:
        """The result of a write that happens once under this key; an error may be tried again."""
        if key in self._done:
            return self._done[key]
        result = write()
        if "error" not in result:
            self._done[key] = result
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        return result


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool run is given: the book, the local time, and whose call it is.

    `caller` is the caller's own number, "" when it is withheld.
    """

    book: ClinicBook
    now: datetime
    tool_use_id: str = ""
    call_id: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: what the model is told of it, and what it does.

    `effect`: `write` changes the book; `transfer` and `end_call` ask the call to do so once the
    agent has finished speaking.
    """

    name: str
    description: str
    handler: Callable[[dict[str, str], ToolContext], Result]
    properties: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    effect: Effect = "none"

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
        if self.effect == "write":
            return ctx.book.once((ctx.call_id, ctx.tool_use_id), lambda: self.handler(given, ctx))
        return self.handler(given, ctx)


def resolve_day(words: str, today: date) -> date | None:
    """The date that a caller means: an ISO date, "tomorrow", "Friday", "the 9th of October"."""
    text = re.sub(r"\b(the|on|of|this|coming|st|nd|rd|th)\b", " ", words.lower())
    text = " ".join(re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text).replace(",", " ").split())
    if text in _RELATIVE_DAYS:
        return today + timedelta(days=_RELATIVE_DAYS[text])
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return _date(*map(int, text.split("-")))
    if match := re.fullmatch(r"in (\d{1,2}) (day|week)s?", text):
        return today + timedelta(days=int(match[1]) * (7 if match[2] == "week" else 1))
    week_later, named = text.startswith("next "), text.removeprefix("next ")
    if named in WEEKDAYS:
        ahead = (WEEKDAYS.index(named) - today.weekday()) % 7
        if week_later and ahead + today.weekday() < 7:
            ahead += 7
        return today + timedelta(days=ahead or 7)
    if text == "next week":
        return today + timedelta(days=7 - today.weekday())
    if match := re.fullmatch(r"(\d{1,2})(?: ([a-z]+))?|([a-z]+) (\d{1,2})", text):
        return _day_of_month(int(match[1] or match[4]), match[2] or match[3], today)
    return None


_RELATIVE_DAYS = {"today": 0, "tomorrow": 1, "day after tomorrow": 2, "soonest": 0}


def _day_of_month(day: int, month: str | None, today: date) -> date | None:
    """The next such day, this month or later."""
    if month is not None and month not in MONTHS:
        return None
    for ahead in range(13):
        year, index = divmod(today.month - 1 + ahead, 12)
        if month is not None and MONTHS[index] != month:
            continue
        found = _date(today.year + year, index + 1, day)
        if found is not None and found >= today:
            return found
    return None


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
    treatment = _treatment(given["treatment"])
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
    patient = _patient(given, ctx)
    if patient is None:
        return _who()
    found = _find(patient, given, ctx)
    return {"appointment": found.as_json() if found else None, "name": patient.name}


def _book(given: dict[str, str], ctx: ToolContext) -> Result:
    patient = _patient(given, ctx)
    if patient is None:
        return _who()
    slot = _slot(given, ctx)
    if not isinstance(slot, datetime):
        return slot
    if sum(made.start > ctx.now for made in patient.appointments) >= MOST_APPOINTMENTS:
        return _error("too_many", f"There are {MOST_APPOINTMENTS} appointments already.")
    patient.name = given.get("name") or patient.name
    made = ctx.book.add(patient, slot, _treatment(given.get("treatment", "")) or "consultation")
    return {"booked": made.as_json(), "name": patient.name}


def _move(given: dict[str, str], ctx: ToolContext) -> Result:
    patient = _patient(given, ctx)
    if patient is None:
        return _who()
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
    patient = _patient(given, ctx)
    if patient is None:
        return _who()
    found = _find(patient, given, ctx)
    if found is None:
        return _error("no_appointment", "There is no such appointment.")
    ctx.book.remove(patient, found)
    return {"cancelled": found.as_json()}


def _account_balance(given: dict[str, str], ctx: ToolContext) -> Result:
    digits = _digits(given["account_number"])
    if not 3 <= len(digits) <= 15:
        return _error("bad_number", "An account number has 3 to 15 digits.")
    patient = ctx.book.patient(digits, ctx.now.date())
    return {"account_number": digits, "balance": patient.balance, "currency": "USD"}


def _transfer(given: dict[str, str], ctx: ToolContext) -> Result:
    return {"transferring": True, "to": "front desk"}


def _end_call(given: dict[str, str], ctx: ToolContext) -> Result:
    return {"ending": True}
