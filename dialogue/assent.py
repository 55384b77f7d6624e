"""Whether a caller has said yes.

`assent(words)` is True for a yes, False for a no, None where the words are neither. The first word
that decides, decides: "no, wait, yes" is a no, and the caller is asked once more. A yes inside a
question ("is it right that …?") is none.
"""

from __future__ import annotations

import re

# Some languages' plainest words; who answers otherwise is asked once more.
_YES = (
    "yes|yeah|yep|yup|yea|sure|ok|okay|alright|all right|right|correct|exactly|absolutely"
    "|definitely|certainly|of course|please do|go ahead|go for it|do it|do that|that works"
    "|that is right|that's right|that's fine|sounds good|sounds great|perfect|confirmed|i confirm"
    "|sí|claro|oui|ja|genau|sim|sì|certo|tak|да|hai|はい"
)
_NO = (
    "no|nope|nah|not|don't|do not|doesn't|isn't|wait|stop|hold on|never|wrong|incorrect|rather"
    "|instead|actually|nein|non|nicht|nie|нет|いいえ"
)
_ANSWER = re.compile(rf"(?<!\w)(?:(?P<no>{_NO})|(?P<yes>{_YES}))(?!\w)", re.IGNORECASE)
_QUESTION = re.compile(r"[^.!?。\uff1f]*[?\uff1f]")
_NO_OBJECTION = re.compile(r"\b(?:no problem|not a problem|why not|no worries)\b", re.IGNORECASE)


def assent(words: str) -> bool | None:
    """See the module."""
    plain = _NO_OBJECTION.sub(" ", words.replace("’", "'"))
    found = _ANSWER.search(plain)
    if found is None:
        return None
    if found["no"]:
        return False
    return None if _QUESTION.match(plain, found.end()) else True
