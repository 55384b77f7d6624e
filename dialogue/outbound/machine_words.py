"""What answering machines, mailboxes and menus say and people do not, by language.

    is_machine("You have reached the mailbox of …", "en-US")     True

Each row is written as words are compared: in small letters, without punctuation. A text counts as
soon as one phrase stands in it, so interim words do. For a language that is not here those of all
count. Contract: pure. Errors: none.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from aybiza.dialogue.overheard import words_of

PHRASES: Final = {
    "en": (
        "leave a message|leave your message|leave me a message|leave us a message"
        "|leave your name|leave a brief message|leave a short message|leave a voicemail"
        "|after the tone|after the beep|at the tone|at the beep|sound of the tone"
        "|you have reached|you've reached|you reached|voicemail|voice mail|voice mailbox"
        "|mailbox is full|is not available|not available right now|are not available"
        "|unavailable to take|can't take your call|cannot take your call"
        "|can't come to the phone|can't get to the phone|unable to take your call"
        "|record your message|get back to you as soon|return your call|call you back as soon"
        "|please hang up|not in service|has been disconnected|press one|press 1|press star"
        "|press the pound key|to page this person|google voice|call screening|forwarded to"
    ),
    "de": (
        "nach dem signalton|nach dem ton|nach dem piepton|hinterlassen sie|hinterlasse eine"
        "|hinterlasst|eine nachricht hinterlassen|anrufbeantworter|mailbox|sprachbox"
        "|nicht erreichbar|vorübergehend nicht|derzeit nicht|zurzeit nicht|zur zeit nicht"
        "|im moment nicht erreichen|rufen sie zurück|rufe zurück|rufe dich zurück"
        "|kein anschluss unter|drücken sie|persönlich nicht"
    ),
    "es": (
        "deje su mensaje|deje un mensaje|deja tu mensaje|deja un mensaje|dejar un mensaje"
        "|después de la señal|después del tono|al oír la señal|tras la señal|buzón de voz|buzón"
        "|contestador|no está disponible|no estoy disponible|no podemos atender"
        "|no puedo atender|no puede atender|se ha comunicado con|apagado o fuera de cobertura"
        "|fuera de servicio|marque uno|pulse uno|oprima uno|devolveremos la llamada"
    ),
    "fr": (
        "laissez un message|laissez moi un message|laissez votre message|laisser un message"
        "|laisser votre message|après le bip|après le signal sonore|après la tonalité"
        "|messagerie|boîte vocale|répondeur|n'est pas disponible|ne suis pas disponible"
        "|pas disponible|vous êtes bien sur|ne peux pas vous répondre"
        "|ne pouvons pas vous répondre|rappellerai|rappellerons|n'est pas attribué|tapez un"
        "|tapez 1|appuyez sur"
    ),
    "pt": (
        "deixe o seu recado|deixe seu recado|deixe um recado|deixe a sua mensagem"
        "|deixe sua mensagem|deixe uma mensagem|após o sinal|depois do sinal|após o bip"
        "|caixa postal|correio de voz|não está disponível|não posso atender|não podemos atender"
        "|no momento não|desligado ou fora|secretária eletrônica|não existe|digite um|pressione"
    ),
    "it": (
        "lasciate un messaggio|lasci un messaggio|lascia un messaggio|lasciare un messaggio"
        "|dopo il segnale|dopo il bip|dopo il segnale acustico|segreteria telefonica|segreteria"
        "|casella vocale|non è raggiungibile|non raggiungibile|non è disponibile"
        "|non posso rispondere|non possiamo rispondere|al momento non|spento o non|prema uno"
        "|premere uno|digiti uno"
    ),
    "nl": (
        "spreek een bericht in|spreek uw bericht|spreek een boodschap|spreek uw boodschap"
        "|laat een bericht|laat een boodschap|na de piep|na de toon|na de pieptoon|voicemail"
        "|antwoordapparaat|niet bereikbaar|niet beschikbaar|kunnen u niet|kan uw oproep"
        "|bel ik terug|bel u terug|bel je terug|toets een|druk op|niet in gebruik"
    ),
    "hi": (
        "संदेश छोड़ें|संदेश छोड़िए|मैसेज छोड़ें|बीप के बाद|टोन के बाद|वॉइसमेल|वॉयस मेल"
        "|उपलब्ध नहीं|पहुंच से बाहर|पहुँच से बाहर|बंद है|सेवा में नहीं|उत्तर नहीं दे|एक दबाएं"
        "|एक दबाएँ|sandesh chhode|beep ke baad|uplabdh nahin|switched off|not reachable"
    ),
    "ja": (
        "発信音の後|発信音のあと|ピーという音|ピーッという音|メッセージをお願い|メッセージをどうぞ|メッセージを録音|ご用件をお|伝言をお|留守番電話|留守電"
        "|ただいま電話に出る|電話に出ることができません|電波の届かない|電源が入っていない|おかけになった電話|使われておりません"
    ),
}
"""By the main tag of the language."""

UNSPACED: Final = frozenset({"ja"})


def is_machine(text: str, language: str) -> bool:
    """See the module.

    >>> is_machine("Bonjour, laissez un message après le bip", "fr"), is_machine("Hello?", "en")
    (True, False)
    """
    spoken = " ".join(words_of(text))
    padded, joined = f" {spoken} ", spoken.replace(" ", "")
    return any(
        phrase in joined if one in UNSPACED else f" {phrase} " in padded
        for one in _languages(language)
        for phrase in _phrases(one)
    )


@cache
def _phrases(language: str) -> tuple[str, ...]:
    joint = "" if language in UNSPACED else " "
    return tuple(joint.join(words_of(phrase)) for phrase in PHRASES[language].split("|"))


def _languages(language: str) -> list[str]:
    main = language.split("-", maxsplit=1)[0].lower()
    return [main] if main in PHRASES else list(PHRASES)
