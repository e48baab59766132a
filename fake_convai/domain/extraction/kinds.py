"""The table of fact extraction: what is understood, and what is remembered (docs/extraction.md).

A row reads like a sentence. The left text is a regular expression with slots; it must fit a whole clause, after
"I'm" became "I am" and "really" and the like were dropped (`clauses`). `{thing}` and the other slots of
`values` take a value in; `{verb:like|love}` takes one of the words listed. The right text is the fact:
`{verb}` as said, `{verbs}` in the third person, `{not}` " not" or nothing. Without one, what was said is told of the
user. The first row that fits wins.
"""

from typing import NamedTuple

from fake_convai.domain.extraction import words


class Kind(NamedTuple):
    """One way of telling something: its name in `docs/extraction.md`, what is said, what is remembered."""

    name: str
    said: str
    fact: str = ""


KINDS = (
    # Names and pronouns
    Kind("name", "(my|the) name is {name}"),
    Kind("name", "I am (called|named|known as) {name}", "The user's name is {name}."),
    Kind("name", "{name} is my name", "The user's name is {name}."),
    Kind("not the name", "my name is not {proper_name}"),
    Kind(
        "part of the name",
        "my {part:(first|last|middle|family|full|real|maiden) name|surname|nickname|username} is {name}",
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
    ),
    Kind("not to be called", "do not call me {name}", "The user does not want to be called {name}."),
    Kind("pronouns", "my pronouns are {pronouns}"),
    Kind("pronouns", "I (use|go by) {pronouns} pronouns", "The user's pronouns are {pronouns}."),
    # Body and origin
    Kind(
        "age",
        "(I am|I have turned|I turned|my age is) {age}( years? old| years? of age| ?y/?o)?",
        "The user is {age} years old.",
    ),
    Kind("height", "I am {measure} tall"),
    Kind("weight", "I weigh {measure}"),
    Kind("birthday", "my (birthday|birth date|date of birth) is (on )?{thing}"),
    Kind("birth", "I was {born:born|raised|brought up|born and raised} {where:in|on|at|near|by} {thing}"),
    Kind("upbringing", "I grew up {where:in|on|at|near|with|without} {thing}"),
    Kind("origin", "I (am|come){not} from {place}"),
    Kind("diet", "I am{not} (a |an )?{diet}"),
    Kind("nationality or faith", "I am{not} (an? )?{belonging}"),
    Kind("lasting trait", "I am{not} {trait}"),
    Kind("marital status", "I am{not} {status:married|engaged|divorced|widowed|separated|single|in a relationship}"),
    Kind("married to", "I am {status:married|engaged} to {thing}"),
    Kind("name", "I am {proper_name}", "The user's name is {proper_name}."),
    # Home
    Kind("lives alone", "I (live|am living) (alone|by myself|on my own)"),
    Kind("home", "I (live|am living|reside) {where:in|at|on|near|by|close to|outside|with} {place}"),
    Kind("shared home", "I share {home}"),
    Kind("not the home", "I do not live {where:in|at|on|near|outside|with} {place}"),
    Kind("base", "I am based {where:in|at|near} {place}"),
    Kind("move", "I (have )?moved {where:to|from|out of|back to|in with} {place}"),
    Kind("coming move", "I am moving {where:to|out of|back to|in with} {place}"),
    # Work
    Kind("how long", "I have {done} {thing} {span}"),
    Kind("work", "I (work|am working|am employed) as {thing}"),
    Kind("hours", "I (work|am working) {hours}"),
    Kind("workplace", "I (work|am working|am employed) {where:at|for|in|with|on|by|under} {place}"),
    Kind("not the work", "I do not work {where:as|at|for|in|with|on} {place}"),
    Kind("former work", "I (have )?worked {where:as|at|for|in|with|on} {place}"),
    Kind("role", "I am{not} {role}"),
    Kind("former role", "I was {role}"),
    Kind(
        "what one runs",
        "I {verb:manage|lead|teach|coach|supervise|run|sell|repair|design|develop|build|grow|raise|breed} {charge}",
    ),
    Kind(
        "duty",
        "I am{not} {duty:responsible for|in charge of|certified (in|as|for)|licensed (to|as)|trained (in|as)|"
        "qualified (as|for)|enrolled (in|at)} {thing}",
    ),
    Kind("affiliation", "I {verb:report to|belong to|volunteer (at|for|with)} {thing}"),
    Kind("attribute", "my {attribute} {is:is|are} {thing}"),
    # What was done
    Kind("completion", f"I (have )?{{did:{words.DONE}}} {{thing}}"),
    Kind(
        "deed", "I (have )?{did:bought|built|wrote|published|climbed|visited|sold|launched|inherited|rescued} {object}"
    ),
    Kind("not completed", f"I have not {{did:{words.DONE}}} {{thing}}"),
    Kind("not done", "I did not {verb:complete|finish|pass|attend} {thing}"),
    Kind(
        "step in life",
        "I (have )?{step:graduated (from|in)|dropped out of|majored in|studied|retired from|quit|stopped|gave up|"
        "started (working|learning|studying|playing)|joined|founded|served in|enlisted in|adopted} {thing}",
    ),
    Kind("event", "I got {event:married|engaged|divorced|promoted|hired|fired|laid off}{rest}"),
    Kind("event", "I am getting {event:married|divorced}{rest}"),
    Kind("event", "I {event:retired|graduated}{rest}"),
    Kind("been to", "I have {ever:(never )?been to|visited} {place}"),
    Kind("never done", "I have never {past} {thing}"),
    # Learning and skills
    Kind("studies", "I (study|am studying) {thing}"),
    Kind("year of study", "I am in my {year}"),
    Kind("learning", "I am (learning|teaching myself) {thing}"),
    Kind("language", "I speak {language}"),
    Kind("not the language", "I do not speak {language}"),
    Kind("fluent", "I am{not} fluent in {thing}"),
    Kind("skill", "I can {skill}"),
    Kind("cannot", "I (cannot|am not able to|am unable to) {limit}"),
    Kind("knowledge", "I know {known}"),
    Kind("knows how", "I know how to {thing}"),
    Kind("does not know how", "I do not know how to {skill}"),
    Kind(
        "good or bad at",
        "I am{not} {grade:good|bad|great|terrible|excellent|skilled|experienced|better} {at:at|in|with} {thing}",
    ),
    # Possessions and needs
    Kind("possession", "I (have got|have|got) {owned}", "The user has {owned}."),
    Kind("no possession", "I do not have {owned}"),
    Kind("need", "I {verb:need|require} {needed}"),
    Kind("no need", "I do not need {needed}"),
    # Tastes
    Kind(
        "contact preference",
        "I (prefer|want|would like|would prefer) to be contacted {how:by|via|through|on|at} {thing}",
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
    Kind("liking", "I {verb:like|love|enjoy|adore} {thing}"),
    Kind("dislike", "I {verb:hate|dislike|detest|despise} {thing}"),
    Kind("preference", "I {verb:prefer} {thing}"),
    Kind("dislike", "I cannot stand {thing}"),
    Kind("no liking", "I do not {verb:like|love|enjoy|hate|dislike|mind} {thing}"),
    Kind(
        "interest",
        "I am{not} {taste:fond of|into|interested in|passionate about|crazy about|obsessed with|keen on|"
        "addicted to} {thing}",
    ),
    Kind("favourite", "my {favourite} {what} {is:is|are} {thing}"),
    Kind("favourite", "{thing} {is:is|are} my {favourite} {what}", "The user's {favourite} {what} {is} {thing}."),
    Kind("fear", "I am{not} (afraid|scared|frightened|terrified) of {thing}"),
    Kind("allergy", "I am{not} {sensitive:allergic|intolerant|sensitive} to {thing}"),
    Kind("health", "I {verb:suffer from|struggle with} {thing}"),
    Kind("injury", "I (have )?{hurt:broke|sprained|twisted|fractured|injured|tore} my {thing}"),
    Kind("pain", "my {body} {hurts:hurts?}{rest}"),
    Kind("diagnosis", "I (was|have been|am) diagnosed with {thing}"),
    Kind("belief", "I believe in {thing}"),
    Kind("no belief", "I do not believe in {thing}"),
    # Plans
    Kind("ambition", "I (want|would like|would love|hope|aspire) to {ambition}"),
    Kind("dream", "I dream (of|about) {thing}"),
    Kind("plan", "I (plan|am planning|intend) to {thing}"),
    Kind(
        "project",
        "I am {project:training for|preparing for|studying for|saving (up )?for|writing|building|"
        "recovering from|expecting|raising} {thing}",
    ),
    # Changes and habits
    Kind("no longer", "I am no longer {thing}"),
    Kind("no longer", "I no longer {habit}"),
    Kind("no longer", "I do not {habit} any ?more", "The user no longer {habit}."),
    Kind("formerly", "I used to {formerly}"),
    Kind(
        "habit",
        "I {often:usually|often|always|never|rarely|seldom|hardly ever|sometimes|normally|typically|generally|"
        "regularly|only|mostly|mainly} {habit}",
    ),
    Kind("loyalty", "I {verb:support|follow|root for} {thing}"),
    Kind("practice", "I do {practice}"),
    Kind("outing", "I go {outing}"),
    Kind("daily rhythm", "I {verb:get up|wake up|go to bed} {when}"),
    Kind("activity", "I {verb:play} {thing}"),
    Kind("activity", f"I {{verb:{words.PASTIMES}}}"),
    Kind("activity", f"I {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}"),
    Kind("no activity", "I do not {verb:play} {thing}"),
    Kind("no activity", f"I do not {{verb:{words.PASTIMES}}}"),
    Kind("no activity", f"I do not {{verb:{words.ACTIVITIES}|{words.PASTIMES}}} {{object}}"),
    Kind("custom", "I {doing} {object}"),
    Kind("custom", "I do not {undone} {object}"),
    # The user's people and animals
    Kind("someone's name", "my {relative}('?s)? name is {name}", "The user's {relative} is called {name}."),
    Kind("someone's name", "my {relative} {is:is|are} (called|named) {thing}"),
    Kind("someone's age", "my {relative} is {age}( years? old)?", "The user's {relative} is {age} years old."),
    Kind("someone's name", "my {relative} is {proper_name}", "The user's {relative} is called {proper_name}."),
    Kind("about someone", "my {relative} {proper_name} {is:is|was}{not} {state}"),
    Kind("about someone", f"my {{relative}} {{proper_name}} {{does:{words.OTHERS_DO}}} {{thing}}"),
    Kind(
        "someone's name",
        "my {relative} {proper_name} (is|was|has|lives|works|likes|loves|hates|plays|studies|speaks) .+",
        "The user's {relative} is called {proper_name}.",
    ),
    Kind("about someone", "my {relative} {is:is|was|are|were}{not} {state}"),
    Kind("about someone", f"my {{relative}} {{does:{words.OTHERS_DO}}} {{thing}}"),
    Kind("about someone", "my {relative} {does:died|passed away|retired}{rest}"),
    Kind("custom", "my {relative} {theirs} {object}"),
)
