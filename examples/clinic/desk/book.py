"""A clinic's appointment book in memory: the data behind the demonstration agent.

Contract: `ClinicBook` holds appointments and accounts; the same questions get the same answers in
every run. It knows everybody: a number or name that is not in its list gets a record made out of
its letters, for whoever asks first, so that any caller can be shown everything. Memory is bounded.
Time is handed in.
`resolve_day` and `resolve_time` read what a caller or a model says for a day and a time.
Errors: none raised; what cannot be read is None.
"""

from __future__ import annotations

import re
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

Result = dict[str, Any]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
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
    "skin check": 65,
    "allergy test": 90,
    "hearing test": 55,
    "ultrasound": 110,
    "covid test": 30,
    "implant": 1500,
    "bridge": 950,
    "denture": 800,
    "veneer": 700,
    "braces": 3000,
    "night guard": 180,
}
TREATMENT_WORDS = {
    "check up": "checkup",
    "check-up": "checkup",
    "exam": "checkup",
    "hygienist": "cleaning",
    "x ray": "x-ray",
    "health check": "checkup",
    "mouth guard": "night guard",
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
_NATIONAL = 10
"""Digits of a number without the country code 1."""


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
    """Somebody's record. `balance` is what is owed, in whole dollars; `owner` is the line (or, if
    it is withheld, the call) for which a record was made."""

    account: str
    phone: str = ""
    owner: str = ""
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
        self._issued = 0

    def patient(self, who: str, today: date) -> Patient:
        """The record under an account number, a phone number or a name."""
        key = key_of(who)
        known = next((k for k in KNOWN if key in (k.account, k.phone, k.name.casefold())), None)
        key = known.account if known else key

        def make() -> Patient:
            return _from_list(known, today) if known else _from_letters(key, who, today)

        return self._kept(key, make)

    def newcomer(self, name: str, call_id: str) -> Patient:
        """A new record for somebody who has no number, and is whoever the name says in this call;
        it opens no other one of the name."""
        return self._kept(f"call {call_id}", lambda: Patient("", owner=call_id, name=name))

    def _kept(self, key: str, make: Callable[[], Patient]) -> Patient:
        if key not in self._patients:
            self._patients[key] = make()
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
        """Whether somebody has this slot. An eighth of the book is full from the start."""
        return at in self._taken or _fingerprint(at.isoformat()) % 8 == 0

    def add(self, patient: Patient, at: datetime, treatment: str) -> Appointment:
        """Enter an appointment."""
        self._issued += 1
        made = Appointment(f"A{1000 + self._issued}", at, treatment, _doctor(at))
        patient.appointments.append(made)
        self._taken.add(at)
        return made

    def remove(self, patient: Patient, appointment: Appointment) -> None:
        """Take an appointment out."""
        patient.appointments.remove(appointment)
        self._taken.discard(appointment.start)


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


def resolve_time(words: str) -> time | None:
    """The time of day in "14:30", "2:30 pm" or "9 am"."""
    match = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?(?::\d{2})? ?([ap])?\.?(?:m\.?)?", words.lower())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        hour = hour % 12 + (12 if match[3] == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def treatment_named(words: str) -> str | None:
    """The treatment that these words speak of."""
    text = " ".join(words.lower().split())
    named = [name for name in PRICES if name in text]
    named += [name for alias, name in TREATMENT_WORDS.items() if alias in text]
    return named[0] if named else None


def key_of(who: str) -> str:
    """Under what a record is kept: the whole of a number, without the country code that all here
    share; a name or a SIP address as it is, for its digits are no number.

    >>> key_of("+1 (415) 555-0123"), key_of("+41 5555 0123"), key_of("sip:4155550123@example.org")
    ('4155550123', '+4155550123', 'sip:4155550123@example.org')
    """
    text = who.strip().casefold()
    digits = "" if "@" in text or ":" in text else digits_of(text)
    if len(digits) == _NATIONAL + 1 and digits[0] == "1":
        return digits[1:]
    return f"{'+' * text.startswith('+')}{digits}" if digits else text


def digits_of(words: str) -> str:
    """The digits in a text."""
    return "".join(letter for letter in words if letter.isascii() and letter.isdigit())


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _fingerprint(words: str) -> int:
    return zlib.crc32(words.encode())


def _from_list(known: _Known, today: date) -> Patient:
    start = datetime.combine(_open_day(today + timedelta(days=known.days_ahead)), known.at)
    visit = Appointment(f"K{known.account}", start, known.treatment, _doctor(start))
    return Patient(known.account, known.phone, known.phone, known.name, known.balance, [visit])


def _from_letters(key: str, who: str, today: date) -> Patient:
    mark = _fingerprint(key)
    day = _open_day(today + timedelta(days=2 + mark % 9))
    opens, _ = OPENING_HOURS[day.weekday()]
    start = datetime.combine(day, opens) + SLOT * (mark % 7)
    treatment = ("checkup", "cleaning", "consultation", "physiotherapy")[mark % 4]
    visit = Appointment(f"P{mark % 100_000}", start, treatment, _doctor(start))
    name = "" if digits_of(who) or "@" in who else who
    return Patient(key, name=name, balance=mark % 30 * 5, appointments=[visit])


def _open_day(day: date) -> date:
    return day if day.weekday() in OPENING_HOURS else day + timedelta(days=1)


def _doctor(start: datetime) -> str:
    return DOCTORS[_fingerprint(start.isoformat()) % len(DOCTORS)]
