"""What kind of word a token is, as bits: a reader asks for them at every step."""

(
    BREAK, STOP, CONJUNCTION, CONTENT, PREPOSITION, ADVERB, NUMBER, SELF, USER, ROLE, FINITE, VERBAL, HELPER, ARTICLE,
    DETERMINER, POSSESSIVE, OWNERS, TIME, DATE, RELATION, KNOWN, PLURAL, RARE, SIGN, SHARED, WEAK, BE, HAVE, NEGATION,
    GENERIC, HE, SHE, THEY, IT, NAMING, HOUR, NUMERAL, FOREIGN, LY, DO, ABILITY, POSSIBILITY, DUTY, FUTURE, CONDITION,
    HEDGE, SELDOM, STATE, SKILL, PRIVATIVE, APART, LIGHT, FORMER, SOMEONE, CONTRARY, PARTICLE,
) = (1 << place for place in range(56))  # fmt: skip
"""The classes of `words/function.txt`, and what `tables` and `tokens` work out; first 30 bits that most words have."""

KINDS: dict[str, int] = {name.lower(): bit for name, bit in tuple(globals().items()) if name.isupper()}
PRONOUN = SELF | HE | SHE | THEY | IT
MODAL = ABILITY | POSSIBILITY | DUTY | FUTURE | CONDITION
MARKED = ARTICLE | DETERMINER | POSSESSIVE
PARTING, SAYING, TALKING = BREAK | CONJUNCTION, CONTENT | ADVERB | NUMBER, SELF | USER
OPENER = MARKED | PREPOSITION | OWNERS  # a noun follows, no verb
GRAMMAR = OPENER | PRONOUN | MODAL | CONJUNCTION | BE | DO | HAVE | NEGATION | USER | ROLE  # words that show English
