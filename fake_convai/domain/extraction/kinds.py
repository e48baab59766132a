"""The table of fact extraction: what is understood, and what is remembered (docs/extraction.md).

A row reads like a sentence. The left text is a regular expression with slots; it must fit a whole clause, after
"I'm" became "I am" and "really" and the like were dropped (`clauses`). `{thing}` and the other slots of
`values` take a value in; `{verb:like|love}` takes one of the words listed. The right text is the fact:
`{verb}` as said, `{verbs}` in the third person, `{not}` " not" or nothing. The first row that fits wins.
"""

from typing import NamedTuple

from fake_convai.domain.extraction import words


class Kind(NamedTuple):
    """One way of telling something: its name in `docs/extraction.md`, what is said, what is remembered."""

    name: str
    said: str
    fact: str


KINDS = (
    # Names and pronouns
    Kind("name", "(my|the) name is {name}", "The user's name is {name}."),
    Kind("name", "I am (called|named|known as) {name}", "The user's name is {name}."),
    Kind("name", "{name} is my name", "The user's name is {name}."),
    Kind("not the name", "my name is not {proper_name}", "The user's name is not {proper_name}."),
    Kind(
        "part of the name",
        "my {part:(first|last|middle|family|full|real|maiden) name|surname|nickname|username} is {name}",
        "The user's {part} is {name}.",
    ),
    Kind(
        "wants to be called",
        "((you|people|everyone|everybody|they|(all )?my (friends|colleagues|family)) )?((can|may|could) )?(just )?"
        "calls? me {name}",
        "The user wants to be called {name}.",
    ),
    Kind("wants to be called", "I go by {proper_name}", "The user wants to be called {proper_name}."),
    Kind(
        "wants to be called",
        "I (want|prefer|like|would like|would prefer) (to be called|being called|you to call me) {name}",
        "The user wants to be called {name}.",
    ),
    Kind("not to be called", "do not call me {name}", "The user does not want to be called {name}."),
    Kind("pronouns", "my pronouns are {pronouns}", "The user's pronouns are {pronouns}."),
    Kind("pronouns", "I (use|go by) {pronouns} pronouns", "The user's pronouns are {pronouns}."),
    # Body and origin
    Kind(
        "age",
        "(I am|I have turned|I turned|my age is) {age}( years? old| years? of age| ?y/?o)?",
        "The user is {age} years old.",
    ),
    Kind("height", "I am {measure} tall", "The user is {measure} tall."),
    Kind("weight", "I weigh {measure}", "The user weighs {measure}."),
    Kind("birthday", "my (birthday|birth date|date of birth) is (on )?{thing}", "The user's birthday is {thing}."),
    Kind(
        "birth",
        "I was {born:born|raised|brought up|born and raised} {where:in|on|at|near|by} {thing}",
        "The user was {born} {where} {thing}.",
    ),
    Kind("upbringing", "I grew up {where:in|on|at|near|with|without} {thing}", "The user grew up {where} {thing}."),
    Kind("origin", "I (am|come){not} from {place}", "The user is{not} from {place}."),
    Kind("diet", "I am{not} (a |an )?{diet}", "The user is{not} {diet}."),
    Kind("nationality or faith", "I am{not} (an? )?{belonging}", "The user is{not} {belonging}."),
    Kind("lasting trait", "I am{not} {trait}", "The user is{not} {trait}."),
    Kind(
        "marital status",
        "I am{not} {status:married|engaged|divorced|widowed|separated|single|in a relationship}",
        "The user is{not} {status}.",
    ),
    Kind("married to", "I am {status:married|engaged} to {thing}", "The user is {status} to {thing}."),
    Kind("name", "I am {proper_name}", "The user's name is {proper_name}."),
    # Home
    Kind("lives alone", "I (live|am living) (alone|by myself|on my own)", "The user lives alone."),
    Kind(
        "home",
        "I (live|am living|reside) {where:in|at|on|near|by|close to|outside|with} {place}",
        "The user lives {where} {place}.",
    ),
    Kind("shared home", "I share {home}", "The user shares {home}."),
    Kind(
        "not the home",
        "I do not live {where:in|at|on|near|outside|with} {place}",
        "The user does not live {where} {place}.",
    ),
    Kind("base", "I am based {where:in|at|near} {place}", "The user is based {where} {place}."),
    Kind("move", "I (have )?moved {where:to|from|out of|back to|in with} {place}", "The user moved {where} {place}."),
    Kind("coming move", "I am moving {where:to|out of|back to|in with} {place}", "The user is moving {where} {place}."),
    # Work
    Kind("how long", "I have {done} {thing} {span}", "The user has {done} {thing} {span}."),
    Kind("work", "I (work|am working|am employed) as {thing}", "The user works as {thing}."),
    Kind("hours", "I (work|am working) {hours}", "The user works {hours}."),
    Kind(
        "workplace",
        "I (work|am working|am employed) {where:at|for|in|with|on|by|under} {place}",
        "The user works {where} {place}.",
    ),
    Kind(
        "not the work", "I do not work {where:as|at|for|in|with|on} {place}", "The user does not work {where} {place}."
    ),
    Kind("former work", "I (have )?worked {where:as|at|for|in|with|on} {place}", "The user worked {where} {place}."),
    Kind("role", "I am{not} {role}", "The user is{not} {role}."),
    Kind("former role", "I was {role}", "The user was {role}."),
    Kind(
        "what one runs",
        "I {verb:manage|lead|teach|coach|supervise|run|sell|repair|design|develop|build|grow|raise|breed} {charge}",
        "The user {verbs} {charge}.",
    ),
    Kind(
        "duty",
        "I am{not} {duty:responsible for|in charge of|certified (in|as|for)|licensed (to|as)|trained (in|as)|"
        "qualified (as|for)|enrolled (in|at)} {thing}",
        "The user is{not} {duty} {thing}.",
    ),
    Kind("affiliation", "I {verb:report to|belong to|volunteer (at|for|with)} {thing}", "The user {verbs} {thing}."),
    Kind("attribute", "my {attribute} {is:is|are} {thing}", "The user's {attribute} {is} {thing}."),
    # What was done
    Kind("completion", f"I (have )?{{did:{words.DONE}}} {{thing}}", "The user {did} {thing}."),
    Kind(
        "deed",
        "I (have )?{did:bought|built|wrote|published|climbed|visited|sold|launched|inherited|rescued} {object}",
        "The user {did} {object}.",
    ),
    Kind("not completed", f"I have not {{did:{words.DONE}}} {{thing}}", "The user has not {did} {thing}."),
    Kind("not done", "I did not {verb:complete|finish|pass|attend} {thing}", "The user did not {verb} {thing}."),
    Kind(
        "step in life",
        "I (have )?{step:graduated (from|in)|dropped out of|majored in|studied|retired from|quit|stopped|gave up|"
        "started (working|learning|studying|playing)|joined|founded|served in|enlisted in|adopted} {thing}",
        "The user {step} {thing}.",
    ),
    Kind(
        "event",
        "I got {event:married|engaged|divorced|promoted|hired|fired|laid off}{rest}",
        "The user got {event}{rest}.",
    ),
    Kind("event", "I am getting {event:married|divorced}{rest}", "The user is getting {event}{rest}."),
    Kind("event", "I {event:retired|graduated}{rest}", "The user {event}{rest}."),
    Kind("been to", "I have {ever:(never )?been to|visited} {place}", "The user has {ever} {place}."),
    Kind("never done", "I have never {past} {thing}", "The user has never {past} {thing}."),
    # Learning and skills
    Kind("studies", "I (study|am studying) {thing}", "The user studies {thing}."),
    Kind("year of study", "I am in my {year}", "The user is in the user's {year}."),
    Kind("learning", "I am (learning|teaching myself) {thing}", "The user is learning {thing}."),
    Kind("language", "I speak {language}", "The user speaks {language}."),
    Kind("not the language", "I do not speak {language}", "The user does not speak {language}."),
    Kind("fluent", "I am{not} fluent in {thing}", "The user is{not} fluent in {thing}."),
    Kind("skill", "I can {skill}", "The user can {skill}."),
    Kind("cannot", "I (cannot|am not able to|am unable to) {limit}", "The user cannot {limit}."),
    Kind("knowledge", "I know {known}", "The user knows {known}."),
    Kind("knows how", "I know how to {thing}", "The user knows how to {thing}."),
    Kind("does not know how", "I do not know how to {skill}", "The user does not know how to {skill}."),
    Kind(
        "good or bad at",
        "I am{not} {grade:good|bad|great|terrible|excellent|skilled|experienced|better} {at:at|in|with} {thing}",
        "The user is{not} {grade} {at} {thing}.",
    ),
    # Possessions and needs
    Kind("possession", "I (have got|have|got) {owned}", "The user has {owned}."),
    Kind("no possession", "I do not have {owned}", "The user does not have {owned}."),
    Kind("need", "I {verb:need|require} {needed}", "The user {verbs} {needed}."),
    Kind("no need", "I do not need {needed}", "The user does not need {needed}."),
    # Tastes
    Kind(
        "contact preference",
        "I (prefer|want|would like|would prefer) to be contacted {how:by|via|through|on|at} {thing}",
        "The user prefers to be contacted {how} {thing}.",
    ),
    Kind(
        "contact preference",
        "contact me {how:by|via|through|on|at} {thing}",
        "The user prefers to be contacted {how} {thing}.",
    ),
    Kind(
        "contact preference",
        "the best way to (reach|contact) me is (by )?{thing}",
        "The user prefers to be contacted by {thing}.",
    ),
    Kind("liking", "I {verb:like|love|enjoy|adore} {thing}", "The user {verbs} {thing}."),
    Kind("dislike", "I {verb:hate|dislike|detest|despise} {thing}", "The user {verbs} {thing}."),
    Kind("preference", "I {verb:prefer} {thing}", "The user {verbs} {thing}."),
    Kind("dislike", "I cannot stand {thing}", "The user cannot stand {thing}."),
    Kind("no liking", "I do not {verb:like|love|enjoy|hate|dislike|mind} {thing}", "The user does not {verb} {thing}."),
    Kind(
        "interest",
        "I am{not} {taste:fond of|into|interested in|passionate about|crazy about|obsessed with|keen on|"
        "addicted to} {thing}",
        "The user is{not} {taste} {thing}.",
    ),
    Kind("favourite", "my {favourite} {what} {is:is|are} {thing}", "The user's {favourite} {what} {is} {thing}."),
    Kind("favourite", "{thing} {is:is|are} my {favourite} {what}", "The user's {favourite} {what} {is} {thing}."),
    Kind("fear", "I am{not} (afraid|scared|frightened|terrified) of {thing}", "The user is{not} afraid of {thing}."),
    Kind(
        "allergy",
        "I am{not} {sensitive:allergic|intolerant|sensitive} to {thing}",
        "The user is{not} {sensitive} to {thing}.",
    ),
    Kind("health", "I {verb:suffer from|struggle with} {thing}", "The user {verbs} {thing}."),
    Kind(
        "injury",
        "I (have )?{hurt:broke|sprained|twisted|fractured|injured|tore} my {thing}",
        "The user {hurt} the user's {thing}.",
    ),
    Kind("pain", "my {body} {hurts:hurts?}{rest}", "The user's {body} {hurts}{rest}."),
    Kind("diagnosis", "I (was|have been|am) diagnosed with {thing}", "The user was diagnosed with {thing}."),
    Kind("belief", "I believe in {thing}", "The user believes in {thing}."),
    Kind("no belief", "I do not believe in {thing}", "The user does not believe in {thing}."),
    # Plans
    Kind("ambition", "I (want|would like|would love|hope|aspire) to {ambition}", "The user wants to {ambition}."),
    Kind("dream", "I dream (of|about) {thing}", "The user dreams of {thing}."),
    Kind("plan", "I (plan|am planning|intend) to {thing}", "The user plans to {thing}."),
    Kind(
        "project",
        "I am {project:training for|preparing for|studying for|saving (up )?for|writing|building|"
        "recovering from|expecting|raising} {thing}",
        "The user is {project} {thing}.",
    ),
    # Changes and habits
    Kind("no longer", "I am no longer {thing}", "The user is no longer {thing}."),
    Kind("no longer", "I no longer {habit}", "The user no longer {habit}."),
    Kind("no longer", "I do not {habit} any ?more", "The user no longer {habit}."),
    Kind("formerly", "I used to {formerly}", "The user used to {formerly}."),
    Kind(
        "habit",
        "I {often:usually|often|always|never|rarely|seldom|hardly ever|sometimes|normally|typically|generally|"
        "regularly|only|mostly|mainly} {habit}",
        "The user {often} {habit}.",
    ),
    Kind("loyalty", "I {verb:support|follow|root for} {thing}", "The user {verbs} {thing}."),
    Kind("practice", "I do {practice}", "The user does {practice}."),
    Kind("outing", "I go {outing}", "The user goes {outing}."),
    Kind("daily rhythm", "I {verb:get up|wake up|go to bed} {when}", "The user {verbs} {when}."),
    Kind("activity", "I {verb:play} {thing}", "The user {verbs} {thing}."),
    Kind("activity", f"I {{verb:{words.PASTIMES}}}", "The user {verbs}."),
    Kind("activity", f"I {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}", "The user {verbs} {object}."),
    Kind("no activity", "I do not {verb:play} {thing}", "The user does not {verb} {thing}."),
    Kind("no activity", f"I do not {{verb:{words.PASTIMES}}}", "The user does not {verb}."),
    Kind(
        "no activity",
        f"I do not {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}",
        "The user does not {verb} {object}.",
    ),
    Kind("custom", "I {doing} {object}", "The user {doing} {object}."),
    Kind("custom", "I do not {undone} {object}", "The user does not {undone} {object}."),
    # The user's people and animals
    Kind("someone's name", "my {relative}('?s)? name is {name}", "The user's {relative} is called {name}."),
    Kind(
        "someone's name",
        "my {relative} {is:is|are} (called|named) {thing}",
        "The user's {relative} {is} called {thing}.",
    ),
    Kind("someone's age", "my {relative} is {age}( years? old)?", "The user's {relative} is {age} years old."),
    Kind("someone's name", "my {relative} is {proper_name}", "The user's {relative} is called {proper_name}."),
    Kind(
        "about someone",
        "my {relative} {proper_name} {is:is|was}{not} {state}",
        "The user's {relative} {proper_name} {is}{not} {state}.",
    ),
    Kind(
        "about someone",
        f"my {{relative}} {{proper_name}} {{does:{words.OTHERS_DO}}} {{thing}}",
        "The user's {relative} {proper_name} {does} {thing}.",
    ),
    Kind(
        "someone's name",
        "my {relative} {proper_name} (is|was|has|lives|works|likes|loves|hates|plays|studies|speaks) .+",
        "The user's {relative} is called {proper_name}.",
    ),
    Kind(
        "about someone", "my {relative} {is:is|was|are|were}{not} {state}", "The user's {relative} {is}{not} {state}."
    ),
    Kind(
        "about someone",
        f"my {{relative}} {{does:{words.OTHERS_DO}}} {{thing}}",
        "The user's {relative} {does} {thing}.",
    ),
    Kind("about someone", "my {relative} {does:died|passed away|retired}{rest}", "The user's {relative} {does}{rest}."),
    Kind("custom", "my {relative} {theirs} {object}", "The user's {relative} {theirs} {object}."),
)
