"""What words are worth that come while the agent speaks, and what the agent has asked for.

    is_back_channel("Mm-hm.", "en-US")            somebody listens, and wants to hear on
    is_courtesy("Thanks, bye!", "en-US")          takes no goodbye back
    is_echo("from nine to five", said, asking)    the agent's own words, come back on the line
    asks_in_pieces("What is your number?", "en")  people answer that with pauses

Contract: pure; any text is answered, in any case and punctuation. `language` is as BCP 47 writes
it; `multi`, and a language that is not here, has the words of all. Errors: none.
"""

from __future__ import annotations

import re
from functools import cache

# The signs that hang on a letter, as the vowels of Devanagari do, are part of its word.
_LETTERS = r"(?:[^\W_][\u0300-\u036f\u0900-\u0903\u093a-\u094f\u200c\u200d]*)+"
_WORD = re.compile(rf"{_LETTERS}(?:['-]{_LETTERS})*")
_APOSTROPHES = str.maketrans({"’": "'", "\u2018": "'"})

# So many words of the agent's in a row are its echo, and so many where it asks: a caller may take
# one of the choices before the question is over.
ECHO_WORDS = 3
ECHO_WORDS_OF_A_QUESTION = 6

_BACK_CHANNELS = {
    "en": (
        "mm-hm|mhm|mm|mmm|mm-hmm|mhmm|mmhm|uh-huh|uhuh|uh|um|hm|hmm|huh|ah|oh|aha|yeah|yep"
        "|yes|yup|ok|okay|right|alright|sure|i see|got it|all right|go on|uh huh|mm hm|mm hmm"
        "|mmhmm|mkay|okey|gotcha|i got it|i understand|understood|great|nice|very good"
        "|perfect|ooh|interesting|of course|fine|absolutely|keep going|i'm listening"
        "|i hear you"
    ),
    "de": (
        "ja|jaja|mhm|mm|hm|hmm|aha|ach so|ach|so|okay|ok|genau|gut|klar|verstehe|alles klar|stimmt"
    ),
    "es": (
        "ajá|aja|mhm|mm|hm|sí|si|vale|ya|claro|bueno|okay|ok|eh|ah|entiendo|de acuerdo|muy bien"
    ),
    "fr": ("mhm|mm|hm|hum|euh|oui|ouais|ok|okay|d'accord|ah|ah bon|voilà|bien|très bien|je vois"),
    "pt": ("mhm|mm|hm|aham|ahã|sim|tá|está|ok|okay|certo|claro|pois|entendi|é|ah"),
    "it": ("mhm|mm|hm|sì|si|ok|okay|va bene|certo|ah|capisco|già|ecco|d'accordo"),
    "nl": ("ja|jaja|mhm|mm|hm|hmm|aha|oké|oke|ok|okay|juist|precies|goed|ik snap het|begrijp ik"),
    "hi": ("हाँ|हां|जी|जी हाँ|हम्म|अच्छा|ठीक|ठीक है|ओके|haan|ji|accha|theek hai|ok|okay|hmm"),
    "ja": ("はい|ええ|うん|うんうん|なるほど|そうですか|そうですね|へえ|あー|えー"),
}

# The same; but what may be the beginning of one of these is more often that of something else.
_BACK_CHANNELS_WHOLE = {
    "en": (
        "k|dokey|okey-dokey|makes sense|that makes sense|sounds good|cool|good|exactly|wow|true"
        "|totally|alrighty|please continue|continue"
    ),
    "de": (
        "mh|hmhm|sehr gut|ich verstehe|na klar|na gut|ah|oh|jo|jep|super|prima|richtig|eben"
        "|interessant|ach was|weiter|bitte weiter"
    ),
    "es": (
        "mjm|ujum|okey|claro que sí|por supuesto|ya veo|oh|entendido|perfecto|exacto|correcto"
        "|genial|eso|eso es|siga"
    ),
    "fr": (
        "hmm|mm-hmm|oh|je comprends|exactement|parfait|super|c'est ça|entendu|bien sûr"
        "|tout à fait|continuez"
    ),
    "pt": (
        "uhum|okey|claro que sim|tá bom|tá bem|pois é|entendo|oh|isso|isso mesmo|exato|perfeito"
        "|beleza|legal|sei|continue"
    ),
    "it": ("uhm|oh|capito|ho capito|esatto|perfetto|bene|giusto|chiaro|continui"),
    "nl": ("ja hoor|okee|okeetjes|ah|oh|o|goed zo|snap ik|begrepen|klopt|prima|inderdaad|ga door"),
    "hi": ("सही|बिल्कुल|समझ गया|समझ गई|acha|theek"),
    "ja": (
        "はいはい|うーん|ふーん|なるほどですね|そうか|そうなんですね|へえー|ほう|はあ|ああ"
        "|分かりました|わかりました|了解です"
    ),
}

_COURTESIES = {
    "en": (
        "thanks|thank|you|thank you|so|much|very|a|lot|bye|bye-bye|goodbye|good|night|day|evening"
        "|afternoon|weekend|one|nice|great|have|the|too|as|well|same|to|take|care|see|later|cheers"
        "|then|all|perfect|lovely|wonderful|your|for|help|and|that's|it|was|is|alright|likewise|now"
        "|appreciate it|i appreciate it|talk to you later|no thanks|no thank you|no that's all"
        "|no that's it|nope that's all|nope that's it|that's all|that was all|you've been"
        "|helpful|see you tomorrow|see you monday|see you tuesday|see you wednesday"
        "|see you thursday|see you friday"
    ),
    "de": (
        "danke|dankeschön|vielen|dank|schön|sehr|tschüss|tschüs|ciao|auf|wiederhören|wiedersehen"
        "|einen|schönen|guten|tag|abend|noch|ihnen|auch|gleichfalls|ebenso|bis|bald|dann|super"
        "|prima"
        "|tschau|nein danke|das war's|das war alles|nein das war's|nein das war alles"
    ),
    "es": (
        "gracias|muchas|muy|amable|adiós|adios|chao|hasta|luego|pronto|mañana|que|tenga|un|buen"
        "|buena|día|tarde|noche|igualmente|a|usted|perfecto|nada|de|chau|no gracias|eso es todo"
        "|nada más|no nada más"
    ),
    "fr": (
        "merci|beaucoup|bien|au|revoir|à|bientôt|bonne|journée|soirée|vous|aussi|de|même|parfait"
        "|également|salut|non merci|c'est tout|non c'est tout"
    ),
    "pt": (
        "obrigado|obrigada|muito|tchau|adeus|até|logo|bom|boa|dia|tarde|noite|igualmente|perfeito"
        "|só isso|não só isso|não obrigado|não obrigada|é só isso"
    ),
    "it": (
        "grazie|mille|tante|arrivederci|ciao|buona|giornata|serata|anche|a|lei|perfetto|altrettanto"
        "|no grazie|è tutto|no è tutto"
    ),
    "nl": "dank|bedankt|u|je|wel|dag|tot|ziens|doei|fijne|avond|ook|hoor|straks|gelijk"
    "|nee dank u|dat was alles|nee dat was alles|dat was het",
    "hi": "धन्यवाद|शुक्रिया|नमस्ते|अलविदा|बहुत|dhanyavaad|shukriya|namaste|alvida|bahut",
    "ja": (
        "ありがとう|ありがとうございます|ありがとうございました|どうも|さようなら|失礼します|では"
    ),
}

# What people say in pieces: numbers, names, dates, addresses. A question for whether somebody has
# one is answered in a word. As `casefold` leaves them.
_PIECES = {
    "en": (
        r"\b(?:number|digits?|code|pin|zip|spell|name|address|street|e-?mail|date|birthday|birth"
        r"|day and time|account|who am i speaking)\b"
    ),
    "de": (
        r"\b(?:\w*nummer|ziffern?|code|pin|plz|postleitzahl|buchstabier\w*|\w*name|\w*adresse"
        r"|anschrift|strasse|e-?mail|\w*datum|geburtstag|geboren|konto|namen|heissen)\b"
    ),
    "es": (
        r"\b(?:número|numero|dígitos?|código|deletre\w*|nombre|apellidos?|dirección|calle|correo"
        r"|fecha|nacimiento|cuenta|se llama)\b"
    ),
    "fr": (
        r"\b(?:numéro|chiffres?|code|épel\w*|nom|prénom|adresse|rue|e-?mail|courriel|date"
        r"|naissance|compte|appelez-vous)\b"
    ),
    "pt": (
        r"\b(?:número|dígitos?|código|soletr\w*|nome|endereço|rua|e-?mail|data|nascimento"
        r"|conta|telefone|se chama)\b"
    ),
    "it": (
        r"\b(?:numero|cifre|codice|nome|cognome|indirizzo|via|e-?mail|data|nascita|conto"
        r"|si chiama)\b"
    ),
    "nl": (
        r"\b(?:\w*nummer|cijfers?|code|spel\w*|\w*naam|adres|straat|e-?mail|datum|geboorte\w*"
        r"|heet)\b"
    ),
    "hi": r"(?:नंबर|कोड|नाम|पता|तारीख|ईमेल|naam|number|pata|tareekh)",
    "ja": r"(?:番号|コード|お名前|名前|住所|日付|生年月日|メール)",
}
_WHETHER = {
    "en": (
        r"^(?:do|does|did|is|are|was|were|(?:can|could) i(?! have| get| take)|shall|should"
        r"|would you like|have you|has)\b"
    ),
    "de": r"^(?:ist|sind|war|haben|hat|soll|sollen|darf ich(?! ihren?)|möchten|stimmt|passt)\b",
    "es": r"^¿?\s*(?:es|son|tiene|quiere|desea|está|le gustaría)\b",
    "fr": r"^(?:est-ce|avez|voulez|souhaitez|êtes|puis-je)\b",
    "pt": r"^(?:é|são|tem|quer|deseja|está|posso)\b",
    "it": r"^(?:è|sono|ha|vuole|desidera|posso)\b",
    "nl": r"^(?:is|zijn|heeft|wilt|zal|mag)\b",
    "hi": r"^क्या(?=\s)",
    "ja": r"(?:よろしいですか|ありますか|ですね)",
}


def words_of(text: str) -> list[str]:
    """The words as they are compared: in small letters, without punctuation."""
    return _WORD.findall(text.translate(_APOSTROPHES).casefold())


def is_back_channel(
    text: str,
    language: str,
    more: tuple[str, ...] = (),
    *,
    begun: bool = False,
    patient: bool = False,
) -> bool:
    """Whether it says no more than that somebody listens. Nothing at all does not. `begun`: the
    last word may be the beginning of one; `patient`: of one, too, that is more often that of
    something else."""
    phrases = _phrases("back", language) | _spoken(more)
    if patient:
        phrases |= _phrases("whole", language)
    return _consists_of(words_of(text), phrases, begun, _phrases("whole", language))


def is_courtesy(text: str, language: str, *, begun: bool = False) -> bool:
    """Whether it is thanks and farewell, and no further matter; `begun` as above."""
    phrases = _phrases("back", language) | _phrases("kind", language)
    return _consists_of(words_of(text), phrases, begun, _phrases("whole", language))


def is_echo(text: str, said: str, *, asking: bool = False, begun: bool = False) -> bool:
    """Whether the words are a run of what the agent has `said`; `asking`: in a question. `begun`:
    more may follow, so that one word of a statement may be the first of an echo."""
    words, own = words_of(text), words_of(said)
    if asking or not begun:
        least = ECHO_WORDS_OF_A_QUESTION if asking else ECHO_WORDS
        return len(words) >= least and is_run(words, own)
    return bool(words) and is_run(words, own, begun=True)


def is_run(words: list[str], of: list[str], *, begun: bool = False) -> bool:
    """Whether the words stand in `of`, one behind the other; `begun`: the last may be the beginning
    of one."""
    length = len(words)
    runs = (of[start : start + length] for start in range(len(of) - length + 1))
    return any(run == words or (begun and _begins(words, tuple(run))) for run in runs)


def is_same(text: str, other: str) -> bool:
    """Whether both have the same words, and both ask or neither does."""
    return words_of(text) == words_of(other) and is_question(text) == is_question(other)


def is_question(text: str) -> bool:
    """Whether it asks."""
    return text.rstrip(" \"'”»").endswith(("?", "\uff1f", "\u061f"))


def asks_in_pieces(text: str, language: str) -> bool:
    """Whether the agent's words ask for digits, a name, a date or an address."""
    last = re.split(r"(?<=[.!?\uff1f。])\s*", text.strip().casefold())
    asked = next((part for part in reversed(last) if part), "")
    named = any(re.search(_PIECES[one], asked) for one in _languages(language))
    whether = any(re.search(_WHETHER[one], asked) for one in _languages(language))
    return named and not whether and (is_question(asked) or _invites(asked))


def _invites(asked: str) -> bool:
    """Whether it asks without a question mark: "Please spell your name."."""
    return (
        re.search(
            r"\b(?:please|bitte|por favor|s'il vous plaît|per favore|graag|tell me|i'll need)\b"
            r"|お願いします|教えて",
            asked,
        )
        is not None
    )


def _consists_of(
    words: list[str],
    phrases: frozenset[tuple[str, ...]],
    begun: bool,
    whole: frozenset[tuple[str, ...]],
) -> bool:
    """Whether the words are phrases, one behind the other; none of `whole` is one that begins."""
    known = phrases | whole
    longest = max(map(len, known), default=0)
    place = 0
    while place < len(words):
        for length in range(min(longest, len(words) - place), 0, -1):
            if tuple(words[place : place + length]) in known:
                place += length
                break
        else:
            return begun and any(_begins(words[place:], phrase) for phrase in phrases)
    return bool(words)


def _begins(words: list[str], phrase: tuple[str, ...]) -> bool:
    *whole, last = words
    here = len(whole)
    same = len(phrase) > here and phrase[:here] == tuple(whole)
    return same and phrase[here].startswith(last)


def _spoken(phrases: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words_of(phrase)) for phrase in phrases)


_TABLES = {"back": _BACK_CHANNELS, "whole": _BACK_CHANNELS_WHOLE, "kind": _COURTESIES}


@cache
def _phrases(kind: str, language: str) -> frozenset[tuple[str, ...]]:
    table = _TABLES[kind]
    rows = (table[one].split("|") for one in _languages(language))
    return frozenset(tuple(words_of(phrase)) for row in rows for phrase in row)


def _languages(language: str) -> list[str]:
    main = language.split("-", maxsplit=1)[0].lower()
    return [main] if main in _BACK_CHANNELS else list(_BACK_CHANNELS)
