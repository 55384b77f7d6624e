"""Words before a full stop that say whether the stop ends a sentence.

Purpose: data for `aybiza.claude.sentences.SentenceSplitter`.
Contract: every word is lower case and written without its last stop ("dr", "e.g"). The classes
answer one question: a stop after this word and then a blank, does a sentence end there?

- NEVER: no, something always follows (a title before a name, "e.g.").
- BEFORE_NUMBER: not when a number or a small letter follows ("No. 5", "mar. a las"), otherwise yes
  ("I said no. We left.").
- CLOCK: yes when a capitalised word follows that is no day, month or time zone ("5 p.m. We open",
  but "5 p.m. Monday").
- BROKEN: the first part of an abbreviation with a blank in it; no when the second one follows
  ("z. B."), otherwise yes.
- MAYBE: yes when a capitalised word follows that usually opens a sentence ("Acme Inc. We make",
  but "Inc. Magazine").

Errors: none.
Source: the project's own choice; English first, then the commonest of Spanish, French, German and
Italian.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER = _words(
    """
    mr mrs ms mx dr prof rev messrs mme mlle mt
    e.g i.e eg viz vs v cf approx esp incl excl
    z.b d.h u.a bzw ggf evtl inkl zzgl
    sig sig.ra sig.na dott dott.ssa ing avv med ca
    dhr mevr mw drs bijv o.a d.w.z i.p.v m.b.t
    av bd डॉ श्री प्रो
    """
)

BEFORE_NUMBER = _words(
    """
    no nos num núm nr n art sec fig figs vol p pp ch par ext tel apt rm dept bldg
    jan feb mar apr jun jul aug sep sept oct nov dec
    ene abr ago dic fév fev avr juil déc mär okt dez giu lug ott
    """
)

CLOCK = frozenset({"a.m", "p.m", "am", "pm"})

MAYBE = _words(
    """
    st ste ft ave blvd rd ln hwy pkwy sq str
    hon gov sen rep pres gen col maj capt cmdr lt sgt
    jr sr sra srta dra ud uds hr fr esq ph.d m.d d.d.s b.a m.a b.s m.s r.n
    etc al inc ltd co corp llc plc bros
    u.s u.k u.n e.u u.s.a d.c l.a
    mon tue tues wed thu thur thurs fri sat sun
    usw etw min max hrs oz lb lbs mg kg km cm mm ml mo di mi uu mm
    """
)

# Abbreviations that are written with a blank, by their first part.
BROKEN = {
    "z": frozenset({"b"}),
    "d": frozenset({"h"}),
    "u": frozenset({"a"}),
    "p": frozenset({"ej", "ex", "es"}),
    "ee": frozenset({"uu"}),
    "ss": frozenset({"mm"}),
}

# Before a number with a stop that says which of a row something is, as German writes it.
BEFORE_ORDINAL = _words("der die das den dem des am im vom zum beim zur ein einen einem eines")

SENTENCE_OPENERS = _words(
    """
    a about actually after all also although an and another any anything are as at because
    before both but by can could did do does during each either every everything first for from
    good great had has have hello here hi how however i i'd i'll i'm i've if in instead is it
    it's its just last let let's many may maybe might most my next no not now of oh ok okay on
    once one or our over perhaps please right second she should since so some sorry sure thank
    thanks that that's the their then there there's these they they're this those to today
    tomorrow two under unless until very was we we'd we'll we're we've well were what what's
    when where which while who why will with would yes yesterday yet you you'd you'll you're
    you've your
    """
)

MONTHS = _words(
    """
    january february march april may june july august september october november december jan
    feb mar apr jun jul aug sep sept oct nov dec januar februar märz mai juni juli oktober
    dezember
    """
)

DAYS_AND_ZONES = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri
    sat sun eastern central mountain pacific atlantic est edt cst cdt mst mdt pst pdt et ct mt
    pt gmt utc bst cet cest
    """
)
