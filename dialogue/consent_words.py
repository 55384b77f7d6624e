"""How callers agree, refuse and hesitate, by language: data for `aybiza.dialogue.assent`.

Contract: `words_for("es-MX")` is a language's `ConsentWords`; for `multi`, and for a language that
is not here, those of all languages together. Each row is written as the caller's words are
compared: in small letters, with straight apostrophes. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """One language's phrases, each group divided by `|`.

    yes: agree by themselves. no: refuse, wherever they stand. wavers: make of a yes no consent.
    harmless: hold a `no` word and refuse nothing. beside: may stand beside a yes without being
    about anything else. spaced: whether words are divided by blanks.
    """

    yes: str
    no: str
    wavers: str
    harmless: str = ""
    beside: str = ""
    spaced: bool = True


_WORDS: Final = {
    "en": ConsentWords(
        yes=(
            "yes|yeah|yep|yup|yea|ya|aye|sure|sure thing|ok|okay|alright|all right|right|correct"
            "|exactly|absolutely|definitely|certainly|of course|by all means|please do|go ahead"
            "|go for it|do it|do that|do so|that works|works for me|that is right|that's right"
            "|that is correct|that's correct|that is fine|that's fine|that's it|sounds good"
            "|sounds great|sounds right|perfect|confirmed|i confirm|i agree|agreed|affirmative"
            "|you bet|i do|i would|let's do it|book it|cancel it|move it|send it|make it so"
        ),
        no=(
            r"no|nope|nah|not|never|neither|nor|none|nothing|cannot|\w+n't|dont|wait|stop|hold on"
            "|hang on|hold off|wrong|incorrect|rather|instead|actually|leave it|forget it"
            "|scrap that"
            "|cancel that|refuse|decline|disagree|without"
        ),
        wavers=(
            "but|except|unless|if|maybe|perhaps|probably|possibly|i guess|i suppose|i think"
            "|let me think|hmm+|um+|uh+|er+|well|sort of|kind of|unsure|depends|before|first"
            "|later|until|though|however|only|or|what|when|where|which|who|how|why|could you"
            "|can you"
        ),
        harmless=(
            "no problem|not a problem|no worries|no objections?|no doubt|why not|no questions?"
            "|i don't mind|i do not mind|don't mind|i wouldn't mind|can't wait|no need to wait"
            "|nothing against it|nothing against that|no time like the present|that's not a problem"
        ),
        beside=(
            "please|thanks|thank you|very much|so much|great|good|lovely|wonderful|nice|cool|fine"
            "|excellent|super|brilliant|it|that|this|them|is|it's|that's|i|i'd|i'll|i'm|we|you"
            "|me|my"
            "|the|a|for|to|with|and|so|then|now|just|do|does|would|will|like|want|book|cancel|move"
            "|send|change|make|put|take|one|both|all|good with|happy|happy with|sir|ma'am|madam|am"
            "|there|here|again|absolutely|really|totally|yourself|go|let's|works|love|appointment"
        ),
    ),
    "es": ConsentWords(
        yes=(
            "sí|si|claro|claro que sí|por supuesto|desde luego|vale|de acuerdo|correcto|exacto"
            "|exactamente|perfecto|adelante|está bien|confirmo|confirmado|hágalo|hazlo|así es"
            "|eso es"
            "|cómo no|como no|dale|bueno|ok|okay|conforme"
        ),
        no=(
            "no|nunca|jamás|tampoco|nada|ni|espere|espera|un momento|pare|para|alto|mejor|en vez"
            "|en lugar|mal|incorrecto|déjelo|déjalo|olvídelo|olvídalo|ningún|ninguna|sin"
        ),
        wavers=(
            "pero|excepto|salvo|a menos|quizás?|tal vez|a lo mejor|puede ser|supongo|creo|depende"
            "|no sé|eh+|mmm+|antes|luego|después|solo|sólo|aunque|qué|cuándo|dónde|cuál|cuánto|cómo"
            "|por qué|o"
        ),
        harmless=(
            "no hay problema|ningún problema|sin problema|no me importa|no tengo inconveniente"
            "|sin duda|cómo no|como no|no se preocupe|por qué no"
        ),
        beside=(
            "por favor|gracias|muchas|muy|bien|lo|la|el|eso|esto|es|está|me|a|y|entonces|pues|que"
            "|señor|señora|señorita|quiero|reserve|resérvelo|cancele|cancélelo|cámbielo|la cita"
            "|cita"
        ),
    ),
    "fr": ConsentWords(
        yes=(
            "oui|ouais|bien sûr|d'accord|entendu|exact|exactement|c'est ça|c'est exact|parfait"
            "|absolument|certainement|tout à fait|allez-y|allez y|vas-y|volontiers|je confirme"
            "|c'est bon|ça marche|ok|okay|très bien|faites-le|faites"
        ),
        no=(
            "non|ne|n'\\w+|pas|jamais|rien|aucun|aucune|attendez|attends|arrêtez|arrête|stop|plutôt"
            "|au lieu|faux|incorrect|laissez|laisse|oubliez|sans|ni"
        ),
        wavers=(
            "mais|sauf|à moins|peut-être|peut être|probablement|je suppose|je pense|je crois"
            "|ça dépend"
            "|euh+|hum+|avant|après|plus tard|seulement|que|quand|où|quel|quelle|combien|comment"
            "|pourquoi|ou|si"
        ),
        harmless=(
            "pas de problème|pas de souci|aucun problème|aucun souci|sans problème|sans souci"
            "|ça ne me dérange pas|ça ne me gêne pas|pourquoi pas|sans doute"
        ),
        beside=(
            "s'il vous plaît|s'il te plaît|merci|beaucoup|bien|très|c'est|ça|cela|le|la|les|un"
            "|une|je"
            "|me|moi|et|alors|donc|monsieur|madame|réservez|annulez|veux|voudrais|rendez-vous|y"
            "|allez"
        ),
    ),
    "de": ConsentWords(
        yes=(
            "ja|jawohl|jo|jep|klar|na klar|sicher|natürlich|selbstverständlich|gerne|gern|genau"
            "|richtig|korrekt|stimmt|das stimmt|in ordnung|okay|ok|einverstanden|passt|das passt"
            "|perfekt|bitte machen sie das|machen sie das|mach das|tun sie das|ich bestätige"
            "|bestätigt|auf jeden fall|absolut|unbedingt|nur zu|abgemacht"
        ),
        no=(
            "nein|nee|nö|nicht|nichts|nie|niemals|kein|keine|keinen|keiner|keinem|keinesfalls"
            "|warten"
            "|warte|moment|halt|stopp?|lieber|statt|stattdessen|falsch|doch nicht|lassen sie|lass"
            "|vergessen sie|ohne|weder|auf keinen fall"
        ),
        wavers=(
            "aber|außer|falls|wenn|vielleicht|eventuell|wahrscheinlich|ich glaube|ich denke"
            "|ich schätze|kommt drauf an|hm+|äh+|ähm+|vorher|erst|später|nur|was|wann|wo"
            "|welche[rns]?"
            "|wie|warum|oder|ob"
        ),
        harmless=(
            "kein problem|keine ursache|nichts dagegen|habe nichts dagegen|hab nichts dagegen"
            "|keine einwände|kein einwand|warum nicht|keine frage|macht nichts"
        ),
        beside=(
            "bitte|danke|schön|sehr|gut|prima|super|toll|das|es|ist|ich|sie|mir|mich|so|dann|und"
            "|doch"
            "|der|die|den|ein|einen|buchen|stornieren|möchte|will|termin|machen|mal|da|dafür|also"
        ),
    ),
    "pt": ConsentWords(
        yes=(
            "sim|claro|claro que sim|com certeza|certo|certamente|correto|exato|exatamente|perfeito"
            "|pode ser|pode|podes|está bem|está bom|tá|tá bom|tudo bem|de acordo|combinado|concordo"
            "|confirmo|confirmado|isso|isso mesmo|ok|okay|beleza|vá em frente|faça|faça isso"
            "|positivo"
        ),
        no=(
            "não|nao|nunca|jamais|nada|nem|espere|espera|um momento|pare|para|melhor|em vez|errado"
            "|incorreto|deixe|esqueça|nenhum|nenhuma|sem|negativo"
        ),
        wavers=(
            "mas|exceto|a menos|talvez|quem sabe|acho|suponho|depende|hum+|é que|antes|depois"
            "|mais tarde|só|somente|embora|o que|quando|onde|qual|quanto|como|por que|ou|se"
        ),
        harmless=(
            "não tem problema|sem problemas?|nenhum problema|não me importo|sem dúvida|por que não"
            "|não há problema"
        ),
        beside=(
            "por favor|obrigad[oa]|muito|bem|bom|é|está|eu|me|o|a|para|mim|e|então|senhora?|quero"
            "|marque|marcar|cancele|consulta|que|pode"
        ),
    ),
    "it": ConsentWords(
        yes=(
            "sì|si|certo|certamente|certo che sì|sicuro|sicuramente|va bene|d'accordo|esatto"
            "|esattamente|giusto|corretto|perfetto|benissimo|volentieri|assolutamente|senz'altro"
            "|confermo|lo confermo|confermato|proceda|proceda pure|proceda così|procedi"
            "|faccia pure|faccia così|fai pure|lo faccia|ok|okay|come no|affermativo"
        ),
        no=(
            r"no|non|niente|nulla|mai|nessun|nessuno|nessuna|né|senza|aspetti|aspetta|fermo|ferma"
            "|un momento|un attimo|meglio|piuttosto|invece|sbagliato|errato|lasci|lascia|dimentichi"
            "|annulli tutto|negativo"
        ),
        wavers=(
            "ma|però|tranne|salvo|a meno|se|forse|magari|penso|credo|suppongo|dipende|ehm+|uhm+"
            "|mah|boh|prima|dopo|più tardi|poi|solo|soltanto|anche se|cosa|che cosa|quando|dove"
            "|quale|quanto|quanti|come|perché|oppure|o"
        ),
        harmless=(
            "non c'è problema|nessun problema|senza problemi|non c'è dubbio|senza dubbio"
            "|perché no|come no|non mi dispiace|niente in contrario"
        ),
        beside=(
            "per favore|per piacere|prego|grazie|mille|molte|tante|molto|bene|bello|ottimo|è|così"
            "|lo|la|il|un|una|mi|e|allora|pure|tutto|a posto|signor[ae]?|voglio|vorrei|prenoti"
            "|prenota|sposti|disdica|appuntamento|questo|questa"
        ),
    ),
    "nl": ConsentWords(
        yes=(
            "ja|jazeker|jawel|zeker|natuurlijk|tuurlijk|graag|goed|prima|precies|klopt|dat klopt"
            "|juist|correct|akkoord|oké|oke|ok|okay|perfect|in orde|doe maar|doe dat maar"
            "|ga uw gang"
            "|ga je gang|dat is goed|ik bevestig|bevestigd|absoluut"
        ),
        no=(
            "nee|neen|niet|niets|niks|nooit|geen|wacht|stop|liever|in plaats|verkeerd|fout|onjuist"
            "|laat maar|vergeet het|zonder|toch niet"
        ),
        wavers=(
            "maar|behalve|tenzij|als|misschien|waarschijnlijk|ik denk|ik geloof|hangt ervan af|eh+"
            "|uh+|hm+|eerst|later|alleen|wat|wanneer|waar|welke?|hoe|waarom|of"
        ),
        harmless=("geen probleem|geen bezwaar|niets op tegen|waarom niet|geen punt|maakt niet uit"),
        beside=(
            "alstublieft|alsjeblieft|dank|u|je|wel|bedankt|dat|het|is|ik|mij|me|de|een|en|dan|zo"
            "|graag"
            "|boek|boeken|annuleer|afspraak|wil|mooi|fijn|heel|hoor|doe"
        ),
    ),
    "hi": ConsentWords(
        yes=(
            "हाँ|हां|जी|जी हाँ|जी हां|हाँ जी|हां जी|ठीक|ठीक है|सही|सही है|बिल्कुल|बिलकुल|ज़रूर"
            "|जरूर|कर दो"
            "|कर दीजिए|कर दें|अच्छा|मंज़ूर|मंजूर|पक्का|हो जाए|ओके|हा"
        ),
        no="नहीं|नही|ना|न|मत|रुको|रुकिए|रुकें|रहने दो|रहने दीजिए|गलत|ग़लत|कभी नहीं|बजाय|बिना|छोड़ो",
        wavers=(
            "लेकिन|मगर|पर|शायद|अगर|यदि|सोचता|सोचती|पहले|बाद|सिर्फ|केवल|क्या|कब|कहाँ|कहां|कौन"
            "|कितना|कैसे"
            "|क्यों|या|हम्म"
        ),
        harmless="कोई बात नहीं|कोई दिक्कत नहीं|कोई समस्या नहीं|कोई परेशानी नहीं|क्यों नहीं",
        beside="कृपया|धन्यवाद|शुक्रिया|मेहरबानी|है|हैं|यह|ये|वह|मुझे|मैं|मेरा|मेरी|बुक|कर|करें|करो|दो|और|जी",
    ),
    "ja": ConsentWords(
        yes=(
            "はい|ええ|うん|そうです|その通り|お願いします|お願い|いいです|いいですよ|大丈夫です|承知しました"
            "|了解|了解です|結構です|もちろん|オーケー|かまいません|構いません|分かりました|わかりました|どうぞ"
        ),
        no=(
            "いいえ|いや|いえ|違|ちが|ない|ません|だめ|ダメ|やめ|待って|ちょっと待|待ち|不要|別の|キャンセルで"
        ),
        wavers="でも|けど|ただ|たぶん|多分|かも|もし|えーと|うーん|いつ|どこ|何|なに|どう(?!ぞ)|いくら|なぜ|か$|かな",
        harmless="問題ありません|問題ない|かまいません|構いません|すみません|差し支えありません",
        beside=(
            "で|に|を|が|は|と|も|よ|ね|の|です|ます|それ|これ|その|この|ありがとう|ございます|予約|してください"
            "|ください|して|まで|から|すみません"
        ),
        spaced=False,
    ),
}

LANGUAGES: Final = tuple(_WORDS)


@cache
def words_for(language: str) -> ConsentWords:
    """See the module."""
    words = _WORDS.get(language.partition("-")[0].lower())
    if words is not None:
        return words
    spaced = [each for each in _WORDS.values() if each.spaced]
    return ConsentWords(
        yes="|".join([*(each.yes for each in spaced), _WORDS["ja"].yes, "tak|да"]),
        no="|".join([*(each.no for each in spaced), "нет|nie|いいえ"]),
        wavers="|".join(each.wavers for each in spaced),
        harmless="|".join(each.harmless for each in _WORDS.values()),
        beside="|".join(each.beside for each in spaced),
    )
