"""What a caller wants: a table of patterns over plain words, each with its weight.

Contract: `find_intent` gives the intent with the heaviest pattern that matches, None when none
does. The table is the whole of it: wordings are added here and nowhere else. Pure.
"""

from __future__ import annotations

import re
from enum import StrEnum

from aybiza.emulators.bedrock.clinic.details import TREATMENT


class Intent(StrEnum):
    """What the front desk can be asked for. `OTHER` is what only a person can answer."""

    BOOK = "book"
    MOVE = "move"
    CANCEL = "cancel"
    NEXT = "next"
    BALANCE = "balance"
    HOURS = "hours"
    PRICE = "price"
    PERSON = "person"
    ROBOT = "robot"
    REPEAT = "repeat"
    HOLD = "hold"
    HELP = "help"
    WHERE = "where"
    INSURANCE = "insurance"
    OTHER = "other"
    EMERGENCY = "emergency"
    GOODBYE = "goodbye"
    THANKS = "thanks"
    GREETING = "greeting"


_VISIT = rf"(?:appointments?|visits?|bookings?|slots?|sessions?|treatments?|procedure|{TREATMENT})"
_WHO = r"(?:a|an|the|my|our|your|that|this|it|another|one|some|any)"
_SOMEONE = (
    r"(?:person|human|humans|being|agent|representative|operator|receptionist|front desk|manager"
    r"|someone|somebody|anyone|anybody|staff|colleague|assistant|nurse|supervisor|people)"
)
_DOCTOR = r"(?:doctor|dentist|hygienist|nurse|specialist|physician|orthodontist)"
_WHEN = r"(?:when|what time|what day|which day|what date|at what time)"
_CLINIC = r"(?:you|you guys|the clinic|the office|your office|the practice|we|they)"
_TIME = r"(?:time|day|date|slot|appointment|visit|opening|session)"

_TABLE: dict[Intent, tuple[tuple[int, str], ...]] = {
    Intent.EMERGENCY: ((95, r"emergency(?! visit)|urgent|chest pain|can not breathe|bleeding"),),
    Intent.ROBOT: (
        (
            92,
            r"(?:are you|is this|am i (?:talking|speaking) (?:to|with)) (?:a |an )?"
            r"(?:real|human|robot|machine|computer|bot|recording|automated)",
        ),
    ),
    Intent.PERSON: (
        (
            88,
            rf"(?:talk|talking|speak|speaking|connected|transferred|put|get|reach|connect|transfer"
            rf"|pass|hand|give|forward|have|want)\b.*\b{_SOMEONE}",
        ),
        (
            88,
            r"(?:real|live|actual|human) (?:person|human|being|one|voice|doctor)|operator"
            r"|receptionist|representative|human(?: being)?|member of staff|^agent|^front desk",
        ),
        (
            88,
            r"transfer me|put me (?:through|on)|connect me|hand me over|pass me on|forward me"
            r"|put through|someone please|call me back(?! (?:at|on))|let me (?:talk|speak)",
        ),
        (86, r"talk to a (?:machine|robot|computer|bot)"),
        (
            80,
            rf"(?:is|are) (?:not )?there (?:a |not )?{_SOMEONE}|complaint|this is not working"
            r"|you do not understand|i can (?:talk|speak) to",
        ),
    ),
    Intent.REPEAT: (
        (
            84,
            r"repeat|(?:say|tell me) (?:(?:that|it|what you said|the \w+(?: \w+)?) )?(?:to me )?"
            r"(?:again|once more|one more time)|again please|^again$|once more|one more time",
        ),
        (
            84,
            r"(?:say|tell me|go over|run) (?:that|it|what you said)(?! (?:is|will|costs?))"
            r"|(?:go over|run) the \w+|(?:say|tell me) the (?:last|first|options|question)",
        ),
        (
            84,
            r"^(?:sorry )?(?:pardon|come again|excuse me)(?: me| sorry| again| please)*$"
            r"|beg your pardon|pardon",
        ),
        (
            84,
            r"(?:did|could|can|do) not (?:quite )?(?:catch|hear|get|follow|understand)"
            r"(?! me| an?\b| the appointment)|(?:i|we) missed (?:that|it|what|the|all|catch|hear)",
        ),
        (
            84,
            r"what (?:was|is) that$|what was that|what did you say|what do you mean|^huh$"
            r"|^what did you(?: \w+){0,3}$"
            r"|^(?:(?:i am )?(?:sorry|hold on|say|excuse me) )*what(?: please| again)?$"
            r"|^(?:i am )?sorry(?: please)?$",
        ),
        (
            84,
            r"(?:speak|talk) (?:more slowly|slower|up|louder|a (?:bit|little) \w+)|more slowly"
            r"|slower|what was the \w+|which day was that|breaking up|line is bad|bad line",
        ),
    ),
    Intent.CANCEL: (
        (82, r"cancel|call off|calling off|delete|scratch|take me off"),
        (77, r"(?:drop|remove|get rid of)(?! (?:by|in|off))"),
        (
            76,
            r"(?:no longer|do not|will not|not) (?:be )?need(?:ing)? (?:the|my|our|that|an|it|this)"
            r"|do not need to come|appointment any ?more|take (?:\w+ )+off (?:the|your|that)",
        ),
        (76, rf"do not want (?:{_WHO} )?(?:\w+ )?{_VISIT}|(?:forget|never mind) about"),
    ),
    Intent.MOVE: (
        (
            80,
            r"reschedule|postpone|rearrange|rebook|bring (?:it )?forward|push (?:it )?back"
            r"|move up",
        ),
        (
            79,
            rf"(?:move|moved|moving|shift|push|swap|switch|delay|change|changed|changing)"
            rf"(?! (?:my|your) mind)\b.*\b(?:{_VISIT}|it|that|me|day|date|time|one)",
        ),
        (70, r"(?:move|shift|postpone|change)(?! (?:my|your) mind)"),
        (
            66,
            rf"(?:need|want|like|find|have|looking for) (?:a |an )?(?:different|another|earlier"
            rf"|later|new) {_TIME}",
        ),
        (
            86,
            r"(?:can|could|will|might|would) not (?:be able to )?(?:make|come|be there|get there"
            r"|attend|keep)|(?:not able|unable) to (?:make|be|get there|attend|keep|come)",
        ),
        (66, r"something (?:has )?(?:came|come) up|running late|be late|stuck in traffic"),
        (40, r"(?:different|another|later|earlier|other) (?:time|day|date|slot)"),
    ),
    Intent.BALANCE: (
        (
            78,
            r"balance|owe|owed|owing|outstanding|invoices?|bills?|statement|unpaid|amount due"
            r"|total due|payments?|charges|paid up|already paid|everything paid|left to pay"
            r"|(?:my|the|a|our|an) (?:\w+ )?(?:total|amount)|my account(?! number)",
        ),
        (72, r"(?:pay|settle|clear|look up) (?:\w+ )*account|is left on"),
        (77, r"how much (?:do|did|does|will|would) .*\bpay(?! for)"),
        (55, r"what (?:do|did|does|will|would) .*\bpay(?! for)|paid"),
    ),
    Intent.HOURS: (
        (
            83,
            r"(?:opening|office|business|regular|weekend|holiday|clinic|closing)"
            r" (?:hours|times?|schedule)|what are your open\w*",
        ),
        (
            79,
            r"(?:your|the|clinic is|clinic's) (?:\w+ )?(?:hours|opening times|times|schedule)"
            r"(?! again)|hours(?! (?:later|earlier))",
        ),
        (
            83,
            rf"(?:are|do|is|will|does) {_CLINIC}(?: \w+)? (?:be )?"
            r"(?:open|opened|closed|close|shut|there)",
        ),
        (
            83,
            r"(?:when|what time|how late|how early|until when|until what time|till what time)\b"
            r".*\b(?:open|opens|opening|close|closes|closing|shut|shuts)(?! slot| appointment)",
        ),
        (
            78,
            rf"(?:when|what time|how early|how late) (?:do|does|will|is|are) {_CLINIC} start"
            r"|you (?:open|close)",
        ),
    ),
    Intent.NEXT: (
        (73, rf"{_WHEN} (?:is|was|are) (?:my|our)|(?:what|where|which) is my (?:next|upcoming)"),
        (
            73,
            rf"(?:when|what|where|what time|what day|which day) (?:is|was) (?:my|our|the)"
            rf" (?:next |upcoming |dental )*(?:{_VISIT}|time)",
        ),
        (85, rf"(?:date|time|day) of (?:my|our|an|the)? ?(?:next )?(?:{_VISIT}|time)"),
        (
            83,
            r"(?:do i have|have i got|do we have|is there|did i make|did i book|do you see)\b.*\b"
            r"(?:scheduled|booked|coming up|on the books|planned|for me)",
        ),
        (
            83,
            r"(?:do i have|have i got|do we have|did i make|did i book|do you see) "
            r"(?:an|any|my|a|another|something|anything) "
            rf"(?:{_VISIT}|time)",
        ),
        (
            73,
            rf"{_WHEN} (?:am i|i am|do i|are we|do we|should i|was i|i was|i have|i need"
            r"|i should)",
        ),
        (
            73,
            rf"(?:forgot|lost track|(?:do|can) not remember|not sure|remind me)\b.*\b"
            rf"(?:{_WHEN}|date|time|{_VISIT})",
        ),
        (
            84,
            rf"(?:check|confirm|know|find out|look up|look|tell me|see|let me know|remind me)\b"
            rf".*\b(?:{_WHEN}|if i have)\b.*\b(?:{_VISIT}|time)",
        ),
        (
            71,
            rf"(?:my|our|the) (?:next|upcoming) (?:\w+ )?{_VISIT}|is my (?:\w+ )?(?:{_VISIT}|time)"
            r"|next appointment$",
        ),
        (
            66,
            rf"(?:check|confirm|look up|remind me (?:of|about)|tell me about|see about|find out"
            rf" about|know about) (?:my |our |an )?(?:next |upcoming )?(?:{_VISIT}|time)",
        ),
    ),
    Intent.PRICE: (
        (
            85,
            r"(?:price|prices|cost|costs|fees?|rates?|quote|estimate|charge|price list) "
            r"(?:of|for|on)",
        ),
        (
            76,
            r"price|prices|cost|costs|fee|fees|rates?|quote|estimate|expensive|price list"
            r"|set me back|charge|discount|installments?|payment plans?",
        ),
        (79, rf"(?:how much|what)\b.*\b{TREATMENT}\b.*\b(?:cost|run|be|charge|come to)"),
        (
            79,
            rf"how much\b.*\b{TREATMENT}|pay for (?:a |an |the |one )?{TREATMENT}"
            r"|what (?:do you want|do i pay|will it be|would it be|do you take|is it) for",
        ),
        (
            60,
            rf"how much|what (?:is|does|do|are|will|would|for) (?:a |an |the |one )?{TREATMENT}"
            rf"|(?:is|are) (?:a |an |the |your )?{TREATMENT} (?:free|cheaper)|does that include",
        ),
    ),
    Intent.INSURANCE: (
        (
            79,
            r"(?<!without )(?<!with )(?<!by )insur\w+|medicare|medicaid|covered(?! by)"
            r"|credit cards(?! for)",
        ),
        (50, r"covered|insurance"),
    ),
    Intent.BOOK: (
        (
            82,
            r"(?:any|an|first|next|earliest|soonest|nearest|best|your|some|anything|have|got)"
            r" (?:available|open|free|possible|opening|openings|availability)",
        ),
        (
            81,
            r"openings|availability|anything (?:free|available)"
            rf"|(?:any|free|available|open) (?:slots?|times?|appointments?|space|room)"
            rf"|(?:earliest|soonest|nearest|best) {_TIME}"
            rf"|(?:your|the|a) (?:first|next) {_TIME} .*\byou (?:have|can)|your next {_TIME}",
        ),
        (
            65,
            rf"(?:book|schedule|make|arrange|set up|get|have|reserve|request|require|fix|need"
            rf"|want|like|love|use|looking for)\b.*\b(?:{_VISIT}|time|opening)",
        ),
        (89, r"see someone"),
        (64, r"(?:see|seen by|visit) (?:a|the|my|doctor)|see doctor"),
        (
            64,
            r"come (?:in|by|over)|stop by|drop (?:by|in)|be seen|get in|fit me in|squeeze me in"
            r"|see me|book me|get me in|take me|find me|book it|time for me"
            r"|(?:put|sign|schedule|pencil) me",
        ),
        (
            64,
            r"(?:how soon|when|what times?|what days?|which days?) (?:can|could|would|will|are)"
            r" (?:you|i)",
        ),
        (62, rf"{_DOCTOR}\b.*\b(?:in|available|free|there|working|work)"),
        (62, rf"(?:talk|talking|speak|speaking) (?:to|with) (?:the |a |my )?{_DOCTOR}"),
        (45, r"appointments?|book|booking|new patient|new here"),
        (
            44,
            r"hurts?|hurting|aches?|in pain|pain|swollen|broke|broken|chipped|cracked|fell out"
            r"|fever|sore|infection|feel well|feeling well|feel sick|rash|cough|killing me"
            r"|came off|getting worse|lost (?:a|my) (?:tooth|crown|filling)|cavity",
        ),
        (
            43,
            rf"(?:do|offer) (?:you )?{TREATMENT}|need (?:a |an )?{TREATMENT}",
        ),
        (42, rf"(?:to|i|we) come(?! again)|{_DOCTOR}"),
    ),
    Intent.WHERE: (
        (
            75,
            r"address|directions|parking|located|fax|website|your email|get there"
            r"|where (?:are you|is the clinic|is your office|is the office)",
        ),
    ),
    Intent.OTHER: (
        (
            86,
            r"(?:send|text|email|mail) me|a referral|how long does|(?:what should i|to) bring"
            r"|(?:can|may) i bring|prescription|test results|reminder|confirmation",
        ),
        (42, r"do you (?:do|offer)"),
    ),
    Intent.HOLD: (
        (
            58,
            r"hold on|hang on|one moment|just a (?:moment|second|minute|sec)|one second"
            r"|one minute|give me a (?:second|minute|moment)|bear with me|^wait$"
            r"|let me (?:think|check|see|find|look)",
        ),
    ),
    Intent.HELP: (
        (
            57,
            r"what (?:can|else can|do) you do|can you help me(?: with something| please)?$|^help$"
            r"|question|ask (?:you )?something|who (?:is this|am i (?:speaking|talking))"
            r"|what are my options|is this the|how are you",
        ),
    ),
    Intent.GOODBYE: (
        (
            59,
            r"goodbye|^bye|bye$|see you|have a (?:nice|good|great|lovely|wonderful)|take care"
            r"|good night|talk to you later|so long|hang(?:ing)? up|end the call|^you too",
        ),
        (
            59,
            r"that (?:is|was|will be|would be) (?:all|everything)|nothing else"
            r"|that is it(?:$| for| thanks)"
            r"|i am (?:done|all set|good thanks|good|finished|fine thanks)$|all good$|we are done"
            r"|have to go|i will call back",
        ),
    ),
    Intent.THANKS: ((30, r"thanks|appreciate|very helpful"),),
    Intent.GREETING: (
        (
            10,
            r"hello|hi|hey|good (?:morning|afternoon|evening|day)|are you there|hear me"
            r"|anybody there",
        ),
    ),
}
_COMPILED = tuple(
    (weight, intent, re.compile(rf"(?<![\w'])(?:{pattern})(?![\w'])"))
    for intent, rows in _TABLE.items()
    for weight, pattern in rows
)

# What the caller says is not wanted.
_DENIED = re.compile(
    r"\b(?:do not|not) (?:want|need|have|going|trying|calling|asking)? ?(?:to|for|about)? ?"
    r"(?:cancel|move|book|change|reschedule)\b"
    r"(?: (?:it|that|my appointment|an appointment|the appointment))?"
)
_NAMED_DOCTOR = re.compile(r"\bdoctor (?!in\b|is\b|at\b|on\b|about\b|for\b|today\b|please\b)\w+")


def find_intent(words: str) -> Intent | None:
    """The intent of plain words."""
    wanted = _NAMED_DOCTOR.sub("doctor", _DENIED.sub(" ", words))
    best: tuple[int, Intent] | None = None
    for weight, intent, pattern in _COMPILED:
        if (best is None or weight > best[0]) and pattern.search(wanted):
            best = (weight, intent)
    return best[1] if best else None
