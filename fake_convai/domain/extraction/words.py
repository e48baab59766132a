"""The word lists of fact extraction: alternatives of a regular expression, one theme each (docs/extraction.md).

They are closed on purpose. "I am vegetarian" is worth remembering and "I am tired" is not, and only a list can tell
the two apart without understanding English.
"""

import re
from functools import cache

from fake_convai.domain.english.tables import load

LASTING = (
    "left-handed|right-handed|ambidextrous|deaf|blind|mute|colou?r[- ]?blind|hard of hearing|nearsighted|farsighted|"
    "short-sighted|long-sighted|dyslexic|autistic|neurodivergent|diabetic|epileptic|asthmatic|disabled|pregnant|"
    "claustrophobic|tone-deaf|sober|bald|tall|short|shy|introverted|extroverted|clumsy|forgetful|ambitious|creative|"
    "athletic|punctual|religious|bilingual|trilingual|multilingual|retired|unemployed|self-employed|homeschooled|"
    "adopted|gay|lesbian|bisexual|queer|asexual|trans|transgender|non-?binary|male|female"
)
"""What someone still is next month; everything else after "I am" is taken for a mood."""

DIETS = "vegetarian|vegan|pescatarian|(?:lactose|gluten)[- ]intolerant|gluten[- ]free"

BELONGING = (
    "afghan|african|albanian|algerian|american|angolan|arab|argentin(?:ian|e)|armenian|asian|australian|austrian|"
    "bangladeshi|basque|belgian|bolivian|bosnian|brazilian|british|bulgarian|burmese|cambodian|cameroonian|canadian|"
    "catalan|chilean|chinese|colombian|congolese|croatian|cuban|czech|danish|dominican|dutch|ecuadorian|egyptian|"
    "english|estonian|ethiopian|european|fijian|filipin[oa]|finnish|french|georgian|german|ghanaian|greek|guatemalan|"
    "haitian|hawaiian|hispanic|hungarian|icelandic|indian|indonesian|iranian|iraqi|irish|israeli|italian|jamaican|"
    "japanese|jordanian|kenyan|korean|kurdish|latin[oa]|latvian|lebanese|libyan|lithuanian|malaysian|maltese|mexican|"
    "mongolian|moroccan|nepali|new zealander|nigerian|norwegian|pakistani|palestinian|panamanian|persian|peruvian|"
    "polish|portuguese|puerto rican|romanian|russian|rwandan|samoan|saudi|scottish|senegalese|serbian|singaporean|"
    "slovak(?:ian)?|slovenian|somali|south african|south korean|spanish|sri lankan|sudanese|swedish|swiss|syrian|"
    "taiwanese|tanzanian|thai|tunisian|turkish|ugandan|ukrainian|uruguayan|venezuelan|vietnamese|welsh|yemeni|"
    "zambian|zimbabwean|agnostic|atheist|baptist|buddhist|catholic|christian|hindu|jewish|lutheran|mormon|muslim|"
    "protestant|quaker|sikh"
)
"""Where and to what people belong. Without the list "I am German" would be a name."""

_NOT_THEIRS = ("character", "avatar", "ally", "student", "pupil", "client", "customer", "patient", "guide", "host")
_RELATIVES = frozenset(load("function")["relation"]).difference(_NOT_THEIRS)
_ANIMALS = ("guinea pig", "fish", "tortoise")
_COMPANY = ("manager", "supervisor", "team ?lead", "co-worker", "neighbour", "flatmate")
RELATIVES = "|".join(
    (
        *sorted(_RELATIVES.union(_ANIMALS, _COMPANY)),
        *(word for head, words in load("nouns").items() if head in _RELATIVES for word in words if " " not in word),
    )
)
"""People and animals whose names and lives are the user's too."""

ATTRIBUTES = (
    r"job(?: title)?|profession|occupation|position|employer|company|team|department|shift|hobby|hobbies|goals?|"
    "(?:biggest |greatest |lifelong )?(?:dream|fear|weakness|strength|ambition)s?|dream job|blood type|shoe size|"
    "(?:zodiac|star) sign|birthplace|home ?town|nationality|religion|gender|native language|mother tongue|"
    r"first language|phone number|e-?mail(?: address)?|(?:home )?address|(?:[\w-]+ )?(?:number|id)|time ?zone|"
    "major|degree|school|university|eyes|hair|gamertag"
)
"""What is worth keeping of "my ... is ..."."""

SKILLS = (
    "speak|read|write|drive|ride|swim|dive|sail|ski|skate|surf|climb|sing|dance|cook|bake|draw|paint|sew|knit|juggle|"
    "play|type|program|code|fly|operate|weld|lift|repair|fix"
)
"""What "I can" and "I cannot" tell about a person; the rest ("I can hear you") is about the moment."""

ACTIVITIES = (
    "watch|read|listen to|collect|write|practi[cs]e|commute|eat|drink|wear|take|ride|use|own|attend|follow|support|"
    "sleep|code|program"
)
"""Said with an object: "I collect stamps"."""

PASTIMES = (
    "smoke|vape|gamble|drink|drive|cook|bake|paint|draw|sing|dance|hike|climb|ski|surf|run|cycle|bike|swim|fish|hunt|"
    "garden|meditate|volunteer|travel|exercise|train|jog|walk|camp|sail|knit|sew"
)
"""Said with an object or without: "I smoke"."""

DONE = "completed|finished|passed|failed|earned|won|received|obtained|reached"

OTHERS_DO = (
    "lives?|works?|likes?|loves?|hates?|plays?|studies|study|speaks?|has|have|runs?|teaches|teach|drives?|owns?|wants?|"
    "needs?|collects?|moved|graduated|studied|worked|lived|served|grew up|was born|used to"
)
"""What relatives do that is worth keeping."""

MOODS = (
    "afraid|alone|angry|anxious|ashamed|awake|aware|back|bad|better|bored|broke|busy|certain|cold|cool|confused|curious|"
    "dead|depressed|done|down|drunk|dying|excited|exhausted|fine|free|full|glad|going|good|great|grateful|happy|here|home|"
    "honest|hot|hungry|hurt|ill|impressed|in|interested|just|kidding|late|lonely|looking|lost|mad|nervous|new|next|nice|"
    "ok|okay|old|on|out|over|pleased|proud|ready|right|sad|safe|scared|serious|sick|single|sleepy|sorry|starving|strong|"
    "stuck|sure|surprised|thirsty|thankful|tired|trying|unsure|up|upset|waiting|warm|weak|well|wondering|worried|wrong|"
    "young|chief|head|vice|president|director|manager|senior|junior|lead|team|married|divorced|engaged"
)
"""Never a name after "I am", whatever the case."""

NOT_NAMES = (
    "a|about|above|again|also|always|am|an|and|any|anything|anytime|are|as|at|back|because|before|but|by|classified|common|"
    "confidential|crazy|difficult|easy|for|from|good|hard|he|her|here|his|how|i|if|important|in|irrelevant|is|it|just|"
    "immediately|later|long|maybe|me|my|never|nice|no|none|not|nothing|now|of|off|on|one|or|our|please|private|pronounced|rare|really|"
    "same|secret|she|short|since|so|some|something|soon|sorry|spelled|spelt|strange|tell|that|the|there|these|they|this|"
    "those|to|today|tomorrow|tonight|too|unique|unknown|unusual|up|very|was|we|weird|what|whatever|when|whenever|where|who|"
    "why|with|you|your"
)
"""A name ends before these: "my name is jordan nice to meet you"."""

NAME_PARTICLES = "al|bin|da|de|del|della|den|der|di|dos|du|el|ibn|la|le|van|von|y|zu"

MOMENTARY = (
    "appointment|break|bug|call|chance|choice|clue|cold|comments?|complaint|concerns?|confession|doubts?|errors?|favou?r|"
    "feedback|feeling|fever|flu|guess|hangover|headache|hunch|ideas?|information|intention|issues?|joke|look|message|"
    "minutes?|moment|news|objections?|opinion|plan|point|problems?|questions?|reasons?|request|seconds?|sec|secret|sense|"
    "stomachache|story|suggestions?|surprise|theory|things?|thoughts?|time|toothache|trouble"
)
"""What one has for an hour: "I have a question"."""

PASSING_NEEDS = (
    "advice|answers?|assistance|bathroom|coffee|directions?|drink|food|hand|help|hint|info|lift|money|more|rest|restroom|"
    "ride|sleep|toilet|water"
)
"""What one needs for an hour: "I need help"."""

_NUMBERS = {int(digits): words for digits, words in load("numbers").items() if digits.isdecimal()}


def _numbers(*values: int) -> str:
    return "|".join(word for value in values for word in _NUMBERS[value])


NUMBERS = (
    rf"\d{{1,3}}|(?:{_numbers(*range(20, 100, 10))})(?:[- ](?:{_numbers(*range(1, 10))}))?|{_numbers(*range(2, 20))}"
)
QUANTITIES = f"an?|my own|the same|another|many|several|plenty of|{NUMBERS}|no|zero|any"
"""What opens a possession: "I have two cats". "the" is missing: "I have the keys" is about now."""

BARE_POSSESSIONS = (
    "hair|eyes|eyesight|allerg(?:y|ies)|experience|children|kids|siblings|brothers|sisters|pets|dogs|cats|twins|asthma|"
    "diabetes|adhd|add|autism|dyslexia|epilepsy|arthritis|migraines|insomnia|vertigo|tinnitus|anxiety|depression|ptsd|"
    "tattoos|freckles|braces|glasses|grandchildren|parents"
)
"""What one has without an article: "I have blue eyes"."""

HAPPENING = (
    "go|come|take|open|close|look|need|want|have|be|do|get|give|ask|hear|enter|leave|pick|put|turn|push|pull|grab|find|"
    "attack|hit|kill|use|pay|wait|stop|start|begin|finish|follow|remember|forget|love|like|hate|enjoy|prefer|call|send|"
    "appreciate|agree|disagree|promise|understand|accept|refuse|recommend|suggest|apologize|thank|miss|trust|show|bring|"
    "hold|try|let|keep|make|notice|expect|realize|care|mind|order|choose|buy|sell|demand|request|swear|check|lose|win|"
    "walk|run|jump|throw|drop|sit|stand|press|move|cast|climb|reach|report|read|see"
)
"""Verbs that as often tell what happens now: "I open a box"."""

OPINIONS = (
    "think|guess|wonder|suppose|assume|believe|hope|wish|imagine|bet|doubt|pretend|feel|know|mean|say|tell|ask|see|"
    "said|thought|knew|felt|meant|told|asked|saw|heard|wondered|seem|want|wanted|would|could|should|might|may|will|can|"
    "cannot|am|was|were|had|did"
)
"""Verbs that make no habit: "I never said that", "I always knew"."""

NO_VERBS = (
    "(?!rely|apply|fly|supply)[a-z]+ly|just|also|still|even|too|very|not|to|the|an?|in|at|on|by|my|late|early|alone|here|"
    "there|so|more|less|with|for|from|of|as|one|all"
)


@cache
def regex(pattern: str) -> re.Pattern[str]:
    """A pattern that ignores case, compiled when first used, so that importing costs nothing."""
    return re.compile(pattern, re.IGNORECASE)
