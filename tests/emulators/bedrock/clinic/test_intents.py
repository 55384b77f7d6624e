"""What a caller wants, in many wordings."""

import pytest

from aybiza.emulators.bedrock.clinic.intents import Intent, find_intent
from aybiza.emulators.bedrock.clinic.words import plain

WORDINGS: dict[Intent | None, list[str]] = {
    Intent.BOOK: [
        "I'd like to book an appointment.",
        "can i schedule a visit for next week",
        "i need to see the doctor",
        "could you fit me in tomorrow",
        "do you have anything free on friday",
        "is there an opening this week",
        "i want to come in for a check up",
        "when is your next available appointment",
        "my tooth hurts",
        "i need a flu shot",
        "i'm a new patient",
        "appointment please",
        "i was wondering if i could set up another appointment with doctor hill",
        "can someone see me today",
    ],
    Intent.MOVE: [
        "I need to reschedule.",
        "can i move my appointment to thursday",
        "i want to change my appointment",
        "could we push my cleaning back a week",
        "something came up can we postpone it",
        "i can't make it on monday",
        "i don't want to cancel it i want to move it",
        "i need a different time",
    ],
    Intent.CANCEL: [
        "I want to cancel my appointment.",
        "please call off my visit",
        "i don't need the appointment anymore",
        "i have to council my appointment",
        "take me off the schedule",
        "drop my cleaning on friday please",
        "i won't be needing my appointment any more",
        "could you take my appointment off the calendar",
    ],
    Intent.NEXT: [
        "When is my next appointment?",
        "what time am i supposed to come in",
        "do i have anything scheduled",
        "i forgot when my appointment is",
        "can you tell me when i'm booked in",
        "is my appointment still on friday",
    ],
    Intent.BALANCE: [
        "What's my balance?",
        "how much do i owe you",
        "do i have any outstanding bills",
        "i want to pay my invoice",
        "has my payment gone through",
        "how much do i have to pay",
    ],
    Intent.HOURS: [
        "What are your opening hours?",
        "are you open on saturdays",
        "when do you close today",
        "what time does the clinic open",
        "how late are you open",
        "office hours please",
        "what are your opening left",
    ],
    Intent.PRICE: [
        "How much is a cleaning?",
        "what does a filling cost",
        "can you tell me the price of a crown",
        "what do you charge for an x ray",
        "how expensive is whitening",
        "what do i have to pay for a flu shot",
    ],
    Intent.PERSON: [
        "I want to talk to a real person.",
        "can you put me through to someone",
        "operator",
        "let me speak to the receptionist",
        "is there anybody i can talk to",
        "i don't want to talk to a machine",
    ],
    Intent.ROBOT: ["are you a robot", "am i talking to a machine"],
    Intent.REPEAT: [
        "Could you repeat that?",
        "pardon",
        "say that again please",
        "sorry i didn't catch that",
        "what did you say",
        "once more please",
        "could you speak more slowly",
    ],
    Intent.EMERGENCY: ["this is an emergency", "i have chest pain", "it's urgent"],
    Intent.GOODBYE: ["goodbye", "bye bye", "that's all thank you", "i'm done", "have a nice day"],
    Intent.THANKS: ["thank you very much", "thanks"],
    Intent.GREETING: ["hello", "good morning"],
    Intent.HOLD: ["hold on", "just a second", "let me check my calendar"],
    Intent.HELP: ["what can you do", "i have a question", "who am i speaking to"],
    Intent.WHERE: ["where are you located", "do you have parking"],
    Intent.INSURANCE: ["do you take my insurance"],
    Intent.OTHER: ["can you send me a reminder", "what should i bring"],
    None: ["yes", "no", "tomorrow at ten", "john smith", "four one five", "purple dishwasher", ""],
}


@pytest.mark.parametrize(
    ("intent", "said"), [(intent, said) for intent, all_ in WORDINGS.items() for said in all_]
)
def test_find_intent(intent: Intent | None, said: str) -> None:
    assert find_intent(plain(said)) == intent


def test_every_intent_has_a_wording() -> None:
    assert set(Intent) <= set(WORDINGS)
