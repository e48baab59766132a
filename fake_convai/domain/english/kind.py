"""What kind of word a token is, as bits: a reader asks for them at every step."""

(
    BREAK, STOP, CONJUNCTION, OPENER, CONTENT, PREPOSITION, ADVERB, NUMBER, SELF, USER, ROLE, FINITE, VERBAL, MODAL,
    HELPER, ARTICLE, DETERMINER, POSSESSIVE, OWNERS, HE, SHE, THEY, IT, NAMING, NEGATION, TIME, DATE, HOUR, RELATION,
    KNOWN, PLURAL, NUMERAL, RARE, HALF, SIGN, FOREIGN, SHARED, OPPOSITE, FILLER, WEAK, TITLE, BE, DO, HAVE, CAN, MAYBE,
    MUST, WILL, WOULD, HEDGE, SELDOM, STATE, SKILL, ACQUIRE, LESSON, PARTAKE, PRIVATIVE, GENERIC, APART,
) = (1 << place for place in range(59))  # fmt: skip
"""The classes of `words/function.txt`, and what `tokens` works out."""

PRONOUN = SELF | HE | SHE | THEY | IT
MARKED = ARTICLE | DETERMINER | POSSESSIVE
"""What stands before a noun."""

KINDS: dict[str, int] = {name.lower(): bit for name, bit in tuple(globals().items()) if name.isupper()}
