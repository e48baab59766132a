"""The table of fact extraction: what is understood, and what is remembered (docs/extraction.md).

A row reads like a sentence. The left text is a regular expression with slots; it must fit a whole clause, after
"I'm" became "I am" and "really" and the like were dropped (`clauses`). `{thing}` and the other slots of
`values` take a value in; `{verb:like|love}` takes one of the words listed. The right text is the fact:
`{verb}` as said, `{verbs}` in the third person, `{not}` " not" or nothing. Without one, what was said is told of the
user. The first row that fits wins.
"""

import re
from typing import NamedTuple

from fake_convai.domain.extraction import words


class Kind(NamedTuple):
    """One way of telling something: its name in `docs/extraction.md`, what is said, what is remembered."""

    name: str
    said: str
    fact: str


_OF_THE_USER = (
    ("I {verb}", "The user {verbs}"),
    ("I am", "The user is"),
    ("I have", "The user has"),
    ("I do not", "The user does not"),
    ("I", "The user"),
    ("my", "The user's"),
)


def kind(name: str, said: str, fact: str = "") -> Kind:
    """A row; without a fact, what is said without the words that may be left out, in the third person."""
    told = re.sub(r"\([^()]* \)\?", "", re.sub(r"\{(\w+):[^{}]*\}", r"{\1}", said))
    first, third = next((pair for pair in _OF_THE_USER if told.startswith(pair[0])), ("", ""))
    return Kind(name, said, fact or f"{third}{told.removeprefix(first)}.")


KINDS = (
    # Names and pronouns
    kind("name", "(my|the) name is {name}", "The user's name is {name}."),
    kind("name", "I am (called|named|known as) {name}", "The user's name is {name}."),
    kind("name", "{name} is my name", "The user's name is {name}."),
    kind("not the name", "my name is not {proper_name}"),
    kind(
        "part of the name",
        "my {part:(first|last|middle|family|full|real|maiden) name|surname|nickname|username} is {name}",
    ),
    kind(
        "wants to be called",
        "((you|people|everyone|everybody|they|(all )?my (friends|colleagues|family)) )?((can|may|could) )?(just )?"
        "calls? me {name}",
        "The user wants to be called {name}.",
    ),
    kind("wants to be called", "I go by {proper_name}", "The user wants to be called {proper_name}."),
    kind(
        "wants to be called",
        "I (want|prefer|like|would like|would prefer) (to be called|being called|you to call me) {name}",
        "The user wants to be called {name}.",
    ),
    kind("not to be called", "do not call me {name}", "The user does not want to be called {name}."),
    kind("pronouns", "my pronouns are {pronouns}"),
    kind("pronouns", "I (use|go by) {pronouns} pronouns", "The user's pronouns are {pronouns}."),
    # Body and origin
    kind(
        "age",
        "(I am|I have turned|I turned|my age is) {age}( years? old| years? of age| ?y/?o)?",
        "The user is {age} years old.",
    ),
    kind("height", "I am {measure} tall"),
    kind("weight", "I weigh {measure}", "The user weighs {measure}."),
    kind("birthday", "my (birthday|birth date|date of birth) is (on )?{thing}", "The user's birthday is {thing}."),
    kind("birth", "I was {born:born|raised|brought up|born and raised} {where:in|on|at|near|by} {thing}"),
    kind("upbringing", "I grew up {where:in|on|at|near|with|without} {thing}"),
    kind("origin", "I (am|come){not} from {place}", "The user is{not} from {place}."),
    kind("diet", "I am{not} (a |an )?{diet}"),
    kind("nationality or faith", "I am{not} (an? )?{belonging}"),
    kind("lasting trait", "I am{not} {trait}"),
    kind("marital status", "I am{not} {status:married|engaged|divorced|widowed|separated|single|in a relationship}"),
    kind("married to", "I am {status:married|engaged} to {thing}"),
    kind("name", "I am {proper_name}", "The user's name is {proper_name}."),
    # Home
    kind("lives alone", "I (live|am living) (alone|by myself|on my own)", "The user lives alone."),
    kind(
        "home",
        "I (live|am living|reside) {where:in|at|on|near|by|close to|outside|with} {place}",
        "The user lives {where} {place}.",
    ),
    kind("shared home", "I share {home}", "The user shares {home}."),
    kind("not the home", "I do not live {where:in|at|on|near|outside|with} {place}"),
    kind("base", "I am based {where:in|at|near} {place}"),
    kind("move", "I (have )?moved {where:to|from|out of|back to|in with} {place}"),
    kind("coming move", "I am moving {where:to|out of|back to|in with} {place}"),
    # Work
    kind("how long", "I have {done} {thing} {span}"),
    kind("work", "I (work|am working|am employed) as {thing}", "The user works as {thing}."),
    kind("hours", "I (work|am working) {hours}", "The user works {hours}."),
    kind(
        "workplace",
        "I (work|am working|am employed) {where:at|for|in|with|on|by|under} {place}",
        "The user works {where} {place}.",
    ),
    kind("not the work", "I do not work {where:as|at|for|in|with|on} {place}"),
    kind("former work", "I (have )?worked {where:as|at|for|in|with|on} {place}"),
    kind("role", "I am{not} {role}"),
    kind("former role", "I was {role}"),
    kind(
        "what one runs",
        "I {verb:manage|lead|teach|coach|supervise|run|sell|repair|design|develop|build|grow|raise|breed} {charge}",
    ),
    kind(
        "duty",
        "I am{not} {duty:responsible for|in charge of|certified (in|as|for)|licensed (to|as)|trained (in|as)|"
        "qualified (as|for)|enrolled (in|at)} {thing}",
    ),
    kind("affiliation", "I {verb:report to|belong to|volunteer (at|for|with)} {thing}"),
    kind("attribute", "my {attribute} {is:is|are} {thing}"),
    # What was done
    kind("completion", f"I (have )?{{did:{words.DONE}}} {{thing}}"),
    kind(
        "deed", "I (have )?{did:bought|built|wrote|published|climbed|visited|sold|launched|inherited|rescued} {object}"
    ),
    kind("not completed", f"I have not {{did:{words.DONE}}} {{thing}}"),
    kind("not done", "I did not {verb:complete|finish|pass|attend} {thing}"),
    kind(
        "step in life",
        "I (have )?{step:graduated (from|in)|dropped out of|majored in|studied|retired from|quit|stopped|gave up|"
        "started (working|learning|studying|playing)|joined|founded|served in|enlisted in|adopted} {thing}",
    ),
    kind("event", "I got {event:married|engaged|divorced|promoted|hired|fired|laid off}{rest}"),
    kind("event", "I am getting {event:married|divorced}{rest}"),
    kind("event", "I {event:retired|graduated}{rest}"),
    kind("been to", "I have {ever:(never )?been to|visited} {place}"),
    kind("never done", "I have never {past} {thing}"),
    # Learning and skills
    kind("studies", "I (study|am studying) {thing}", "The user studies {thing}."),
    kind("year of study", "I am in my {year}", "The user is in the user's {year}."),
    kind("learning", "I am (learning|teaching myself) {thing}", "The user is learning {thing}."),
    kind("language", "I speak {language}", "The user speaks {language}."),
    kind("not the language", "I do not speak {language}"),
    kind("fluent", "I am{not} fluent in {thing}"),
    kind("skill", "I can {skill}"),
    kind("cannot", "I (cannot|am not able to|am unable to) {limit}", "The user cannot {limit}."),
    kind("knowledge", "I know {known}", "The user knows {known}."),
    kind("knows how", "I know how to {thing}", "The user knows how to {thing}."),
    kind("does not know how", "I do not know how to {skill}"),
    kind(
        "good or bad at",
        "I am{not} {grade:good|bad|great|terrible|excellent|skilled|experienced|better} {at:at|in|with} {thing}",
    ),
    # Possessions and needs
    kind("possession", "I (have got|have|got) {owned}", "The user has {owned}."),
    kind("no possession", "I do not have {owned}"),
    kind("need", "I {verb:need|require} {needed}"),
    kind("no need", "I do not need {needed}"),
    # Tastes
    kind(
        "contact preference",
        "I (prefer|want|would like|would prefer) to be contacted {how:by|via|through|on|at} {thing}",
        "The user prefers to be contacted {how} {thing}.",
    ),
    kind(
        "contact preference",
        "contact me {how:by|via|through|on|at} {thing}",
        "The user prefers to be contacted {how} {thing}.",
    ),
    kind(
        "contact preference",
        "the best way to (reach|contact) me is (by )?{thing}",
        "The user prefers to be contacted by {thing}.",
    ),
    kind("liking", "I {verb:like|love|enjoy|adore} {thing}"),
    kind("dislike", "I {verb:hate|dislike|detest|despise} {thing}"),
    kind("preference", "I {verb:prefer} {thing}"),
    kind("dislike", "I cannot stand {thing}"),
    kind("no liking", "I do not {verb:like|love|enjoy|hate|dislike|mind} {thing}"),
    kind(
        "interest",
        "I am{not} {taste:fond of|into|interested in|passionate about|crazy about|obsessed with|keen on|"
        "addicted to} {thing}",
    ),
    kind("favourite", "my {favourite} {what} {is:is|are} {thing}"),
    kind("favourite", "{thing} {is:is|are} my {favourite} {what}", "The user's {favourite} {what} {is} {thing}."),
    kind("fear", "I am{not} (afraid|scared|frightened|terrified) of {thing}", "The user is{not} afraid of {thing}."),
    kind("allergy", "I am{not} {sensitive:allergic|intolerant|sensitive} to {thing}"),
    kind("health", "I {verb:suffer from|struggle with} {thing}"),
    kind(
        "injury",
        "I (have )?{hurt:broke|sprained|twisted|fractured|injured|tore} my {thing}",
        "The user {hurt} the user's {thing}.",
    ),
    kind("pain", "my {body} {hurts:hurts?}{rest}"),
    kind("diagnosis", "I (was|have been|am) diagnosed with {thing}", "The user was diagnosed with {thing}."),
    kind("belief", "I believe in {thing}", "The user believes in {thing}."),
    kind("no belief", "I do not believe in {thing}"),
    # Plans
    kind("ambition", "I (want|would like|would love|hope|aspire) to {ambition}", "The user wants to {ambition}."),
    kind("dream", "I dream (of|about) {thing}", "The user dreams of {thing}."),
    kind("plan", "I (plan|am planning|intend) to {thing}", "The user plans to {thing}."),
    kind(
        "project",
        "I am {project:training for|preparing for|studying for|saving (up )?for|writing|building|"
        "recovering from|expecting|raising} {thing}",
    ),
    # Changes and habits
    kind("no longer", "I am no longer {thing}"),
    kind("no longer", "I no longer {habit}"),
    kind("no longer", "I do not {habit} any ?more", "The user no longer {habit}."),
    kind("formerly", "I used to {formerly}"),
    kind(
        "habit",
        "I {often:usually|often|always|never|rarely|seldom|hardly ever|sometimes|normally|typically|generally|"
        "regularly|only|mostly|mainly} {habit}",
    ),
    kind("loyalty", "I {verb:support|follow|root for} {thing}"),
    kind("practice", "I do {practice}", "The user does {practice}."),
    kind("outing", "I go {outing}", "The user goes {outing}."),
    kind("daily rhythm", "I {verb:get up|wake up|go to bed} {when}"),
    kind("activity", "I {verb:play} {thing}"),
    kind("activity", f"I {{verb:{words.PASTIMES}}}"),
    kind("activity", f"I {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}"),
    kind("no activity", "I do not {verb:play} {thing}"),
    kind("no activity", f"I do not {{verb:{words.PASTIMES}}}"),
    kind("no activity", f"I do not {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}"),
    kind("custom", "I {doing} {object}"),
    kind("custom", "I do not {undone} {object}"),
    # The user's people and animals
    kind("someone's name", "my {relative}('?s)? name is {name}", "The user's {relative} is called {name}."),
    kind(
        "someone's name",
        "my {relative} {is:is|are} (called|named) {thing}",
        "The user's {relative} {is} called {thing}.",
    ),
    kind("someone's age", "my {relative} is {age}( years? old)?", "The user's {relative} is {age} years old."),
    kind("someone's name", "my {relative} is {proper_name}", "The user's {relative} is called {proper_name}."),
    kind("about someone", "my {relative} {proper_name} {is:is|was}{not} {state}"),
    kind("about someone", f"my {{relative}} {{proper_name}} {{does:{words.OTHERS_DO}}} {{thing}}"),
    kind(
        "someone's name",
        "my {relative} {proper_name} (is|was|has|lives|works|likes|loves|hates|plays|studies|speaks) .+",
        "The user's {relative} is called {proper_name}.",
    ),
    kind("about someone", "my {relative} {is:is|was|are|were}{not} {state}"),
    kind("about someone", f"my {{relative}} {{does:{words.OTHERS_DO}}} {{thing}}"),
    kind("about someone", "my {relative} {does:died|passed away|retired}{rest}"),
    kind("custom", "my {relative} {theirs} {object}"),
)
