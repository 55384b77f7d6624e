"""What the front desk says to everything that is not booking, moving or cancelling.

Contract: `SIDES` has a function for each such intent, from the desk and what was heard to the
reply. A task that is going on goes on afterwards. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from aybiza.emulators.bedrock.clinic.desk import Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked, Heard
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, say, use

WHAT_I_DO = (
    "I can book, move or cancel an appointment, and tell you your next one. "
    "I also know balances, opening hours and prices."
)
GOODBYE = "Thank you for calling. Goodbye."
TRANSFER = "Of course. I am putting you through to a colleague now."


def transfer(desk: Desk, heard: Heard) -> Reply:
    """Put the caller through."""
    if "transfer_to_person" not in desk.tools:
        return desk.done("I am sorry, nobody else can take the call. A colleague will call you.")
    reason = desk.goal or desk.topic
    return use("transfer_to_person", {"reason": reason} if reason else {}, TRANSFER)


def goodbye(desk: Desk, heard: Heard) -> Reply:
    """Say goodbye and hang up."""
    return use("end_call", {}, GOODBYE) if "end_call" in desk.tools else say(GOODBYE)


def emergency(desk: Desk, heard: Heard) -> Reply:
    """Point to the emergency number, and go on as with a booking."""
    desk.begin(Intent.BOOK)
    lead = "If this is an emergency, please hang up and dial nine one one now."
    return desk.ask(Asked.DAY, "Otherwise, which day would you like to come in?", lead)


def hours(desk: Desk, heard: Heard) -> Reply:
    """The opening hours."""
    desk.topic = Intent.HOURS
    day = None if heard.day == "soonest" else heard.day
    return desk.look_up("opening_hours", {"day": day})


def price(desk: Desk, heard: Heard) -> Reply:
    """What a treatment costs."""
    desk.topic = Intent.PRICE
    treatment = heard.price_of or desk.treatment
    if treatment is None:
        return desk.ask(Asked.TREATMENT, "Which treatment do you mean?")
    desk.treatment = desk.treatment or heard.treatment
    return desk.look_up("treatment_price", {"treatment": treatment})


def _next_appointment(desk: Desk, heard: Heard) -> Reply:
    if desk.goal not in GOALS_WITH_QUESTION:
        desk.begin(Intent.NEXT)
        return desk.advance()
    return desk.look_up("next_appointment", {"account_number": desk.account})


def _balance(desk: Desk, heard: Heard) -> Reply:
    desk.begin(Intent.BALANCE)
    return desk.advance()


def _hold(desk: Desk, heard: Heard) -> Reply:
    return say("Of course, take your time.")


def _help(desk: Desk, heard: Heard) -> Reply:
    return desk.back(WHAT_I_DO) if desk.goal else desk.advance(WHAT_I_DO)


def _thanks(desk: Desk, heard: Heard) -> Reply:
    return desk.back("You are welcome.")


def _greeting(desk: Desk, heard: Heard) -> Reply:
    hello = f"Hello, {heard.name}." if heard.name else "Hello."
    if desk.goal is not None:
        return desk.back(hello)
    return desk.ask(Asked.NOTHING, "How can I help you?", hello)


def _offers_person(lead: str) -> Callable[[Desk, Heard], Reply]:
    return lambda desk, heard: desk.offer_person(lead)


GOALS_WITH_QUESTION = frozenset({Intent.BOOK, Intent.MOVE, Intent.CANCEL})

SIDES: dict[Intent, Callable[[Desk, Heard], Reply]] = {
    Intent.EMERGENCY: emergency,
    Intent.PERSON: transfer,
    Intent.ROBOT: _offers_person("I am the clinic's automated assistant."),
    Intent.NEXT: _next_appointment,
    Intent.BALANCE: _balance,
    Intent.HOURS: hours,
    Intent.PRICE: price,
    Intent.WHERE: _offers_person("I am afraid I can not tell you the way."),
    Intent.INSURANCE: _offers_person("I am afraid I know nothing about insurance."),
    Intent.OTHER: _offers_person("I am afraid I do not know that."),
    Intent.HOLD: _hold,
    Intent.HELP: _help,
    Intent.GOODBYE: goodbye,
    Intent.THANKS: _thanks,
    Intent.GREETING: _greeting,
}
