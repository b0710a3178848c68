"""The plainest sentences: an adjective in the subject, an action at a place, where someone went, how things are."""

from __future__ import annotations

from grammar.clauses import BE, NOT, NounPhrase, Predicate, join
from grammar.constructions.states import ABSOLUTE, described, quality, spot, thing_subject
from grammar.constructions.tenses import dynamic, progressive, repeated, with_time
from grammar.lexicon import Adjective, Noun, Verb
from grammar.maker import OWNED, PEOPLE, Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import expressions, group

TIMES = {"present": "habit", "progressive": "now", "future": "future", "going to": "future"}
TENSES = (
    ("progressive", 0.27),
    ("past", 0.38),
    ("present", 0.13),
    ("future", 0.08),
    ("going to", 0.08),
    ("past progressive", 0.06),
)
MODES = {"present": "habit", "progressive": "now", "past progressive": "now"}

CORE = group("core people")
CHILDREN = group("children")
BABIES = group("young animals")
CHILD_VERBS = group("children's verbs")
OF_SUBJECTS = group("adjectives of subjects")
OF_RELATIVES = group("adjectives of relatives")
OF_THINGS = group("adjectives of things")
OF_PLACES = group("adjectives of places")
SUDDEN = group("sudden verbs")
CHANCE_VERBS = group("verbs of chance")
FAMILIES = tuple(
    group(name) for name in ("qualities of size", "qualities of age", "qualities of looks", "colors", "nationalities")
)


PRAISE = (("very", "très"), ("quite", "assez"), ("really", "vraiment"))
TOO = ("too", "trop")
DEGREES = (*PRAISE, ("so", "si"), TOO)


def alike(first: Adjective, second: Adjective) -> bool:
    """True when both speak of the same quality, as big and small do."""
    return first is second or any({first.en, second.en} <= family for family in FAMILIES)


def subject_adjectives(maker: Maker, noun: Noun) -> list[Adjective]:
    """The adjectives that one says of this noun as a subject; only children and animals are called small."""
    wanted = OF_RELATIVES if "kin" in noun.tags else OF_SUBJECTS if noun.tags & (PEOPLE | {"animal"}) else OF_THINGS
    known = [item for item in maker.adjectives_for(noun) if item.en in wanted]
    if noun.tags & {"social", "worker"} and noun.en not in CHILDREN:
        return [item for item in known if item.en != "small"]
    if noun.en in CHILDREN | BABIES:
        unsaid = ("old", "big", "young") if noun.en in BABIES else ("old", "big")
        return [item for item in known if item.en not in unsaid]
    return known


def with_adjective(maker: Maker, nouns: list[Noun], indefinite: float = 0.14) -> tuple[NounPhrase, Adjective]:
    """The old man, this little girl, my new neighbor, a young woman, the red car."""
    chooser = maker.chooser
    noun = chooser.pick([item for item in nouns if subject_adjectives(maker, item)])
    known = subject_adjectives(maker, noun)
    ages = [item for item in known if item.en in ("old", "young", "little")]
    adjective = chooser.use(chooser.one(ages)) if ages and chooser.chance(0.5) else chooser.pick(known)
    living = bool(noun.tags & (PEOPLE | {"animal"}))
    det = chooser.weighted([("def", 0.65), ("this", 0.15), ("indef", indefinite if living else 0.0), ("poss", 0.12)])
    if "kin" in noun.tags:
        det = "poss"
    elif det == "poss" and not noun.tags & OWNED:
        det = "def"
    many = "kin" not in noun.tags and (("footwear" in noun.tags) or (det != "indef" and chooser.chance(0.15)))
    return maker.noun_phrase(noun, det, many, (adjective,), owner=maker.pronoun().subject), adjective


def described_person(maker: Maker, indefinite: float = 0.14) -> tuple[NounPhrase, Adjective]:
    """A person with an adjective."""
    lexicon = maker.lexicon
    kind = maker.chooser.weighted([("core", 0.55), ("other", 0.33), ("kin", 0.12)])
    tags = {"core": CORE, "other": ("worker", "social"), "kin": ("kin",)}[kind]
    return with_adjective(maker, lexicon.nouns_with(*tags), indefinite)


def suits(verb: Verb, noun: Noun) -> bool:
    """True when the noun may be the subject of the verb; children only do what children do."""
    if noun.tags & PEOPLE:
        return "p" in verb.subjects and (noun.en not in CHILDREN or verb.fr in CHILD_VERBS)
    return noun.has(verb.subjects)


def possible(verb: Verb, tense: str, subject: NounPhrase) -> bool:
    """True when the verb makes sense in the tense, and its form is not that of another tense."""
    if not dynamic(verb) or ("once" in verb.flags and tense not in ("past", "future", "going to")):
        return False
    if "progressive" in tense:
        return progressive(verb) and verb.place != "live" and verb.fr not in SUDDEN
    ambiguous = verb.past == verb.head and not (subject.person == 3 and not subject.plural)
    return tense != "present" or (repeated(verb) and verb.fr not in SUDDEN and not ambiguous)


def timed(
    maker: Maker, subject: NounPhrase, predicate: Predicate, tense: str, probability: float, past: str = "past"
) -> Pair:
    """The clause, sometimes with a time that suits the tense; past is the class of times gone by."""
    times = (past,) if tense == "past" else (TIMES[tense],) if tense in TIMES else ()
    return with_time(maker, maker.clause(subject, predicate, tense), times, probability, 0.12, predicate.verb)


@construction("adjective_subject", 740, "The old man is reading a book. / Le vieil homme lit un livre.")
def adjective_subject(maker: Maker) -> Pair:
    """An adjective in the subject, and any action."""
    chooser = maker.chooser
    animals = maker.lexicon.nouns_with("pet", "livestock", "wild")
    subject, _ = with_adjective(maker, animals) if chooser.chance(0.1) else described_person(maker)
    tense = chooser.weighted(list(TENSES))
    noun = subject.noun
    assert noun is not None
    verb = maker.verb(lambda item: suits(item, noun) and possible(item, tense, subject))
    negation = NOT if tense in ("present", "past") and chooser.chance(0.1) else None
    predicate = maker.predicate(verb, subject, negation is not None, 0.3, mode=MODES.get(tense, ""))
    if negation is not None:
        return sentence(maker.clause(subject, predicate, tense, negation))
    return timed(maker, subject, predicate, tense, 0.0 if tense == "present" else 0.15)


@construction("adjective_subject_be", 330, "The red car is expensive. / La voiture rouge est chère.")
def adjective_subject_be(maker: Maker) -> Pair:
    """An adjective in the subject, and another one or a place after be."""
    chooser, lexicon = maker.chooser, maker.lexicon
    things = lexicon.nouns_with("clothes", "private", "home", "document", "furniture", "pet", "thing", "footwear")
    is_person = chooser.chance(0.5)
    subject, beside = described_person(maker, 0.0) if is_person else with_adjective(maker, things, 0.0)
    noun = subject.noun
    assert noun is not None
    tense = chooser.weighted([("present", 0.7), ("past", 0.3)])
    known = [item for item in lexicon.adjectives if noun.has(item.predicative) and not alike(item, beside)]
    if is_person:
        unsaid = frozenset({"rich"}).union(*FAMILIES)
        known = [item for item in known if item.en not in unsaid]
    movable = is_person or bool(noun.tags & {"thing", "document", "clothes", "footwear", "pet"})
    if not known or (movable and chooser.chance(0.4)):
        return sentence(maker.clause(subject, Predicate(BE).add(*spot(maker, subject)), tense))
    adjective = chooser.pick(known)
    graded = adjective.degree != "no" and adjective.en not in ABSOLUTE and chooser.chance(0.3)
    degree = chooser.one(PRAISE) if graded else ("", "")
    return sentence(maker.clause(subject, quality(adjective, subject, degree), tense))


ACTIONS = tuple((row, float(len(row[2].rpartition(":")[2].split()))) for row in expressions("actions at places"))
"""Verbs with a preposition, and their subjects, objects and places; more places, more sentences."""


@construction("action_place", 900, "The cat is sleeping on the chair. / Le chat dort sur la chaise.")
def action_place(maker: Maker) -> Pair:
    """An action and where it happens; the place may have an adjective."""
    chooser, lexicon = maker.chooser, maker.lexicon
    en, fr, words = chooser.weighted(ACTIONS)
    subjects, objects, places = ([word.replace("_", " ") for word in part.split()] for part in words.split(":"))
    en_verb, en_preposition, det = place_words(en)
    fr_verb, _, fr_preposition = fr.rpartition(" ")
    thing = None
    if objects != ["-"]:
        nouns = [noun for noun in lexicon.nouns_with(*objects) if noun.kind != "mp"]
        thing = chooser.pick([noun for noun in nouns if accepted(maker, en_verb, fr_verb, noun)])
    infinitive = fr_verb.replace("s'", "se ")
    verb = chooser.use(lexicon.find_verb(en_verb, infinitive, thing))
    who = chooser.one(subjects)
    if who != "p":
        subject = someone(maker, lexicon.noun[who])
    else:
        subject = doer(maker, verb) if chooser.chance(0.2) else maker.person(0.4)
    tense = chooser.weighted([("progressive", 0.35), ("past", 0.32), ("present", 0.23), ("future", 0.1)])
    by_chance = verb.fr in CHANCE_VERBS
    if not possible(verb, tense, subject) or (by_chance and tense != "future"):
        tense = "past"
    predicate = Predicate(verb)
    if thing is not None and verb.fr in ("perdre", "trouver"):
        det = chooser.one(("def", "poss" if verb.fr == "perdre" else "indef"))
        found = maker.noun_phrase(thing, det, "footwear" in thing.tags, owner=subject)
        predicate = predicate.add(found.en, found.fr)
    elif thing is not None:
        mode = "single" if by_chance else MODES.get(tense, "")
        predicate = maker.predicate(verb, subject, False, 0.15, thing, mode=mode)
    place = lexicon.noun[chooser.one(places)]
    chooser.use(place)
    predicate = predicate.add(*place_of_action(maker, subject, place, en_preposition, fr_preposition, det))
    return timed(maker, subject, predicate, tense, 0.2, "pastshort")


def doer(maker: Maker, verb: Verb) -> NounPhrase:
    """A person with an adjective; a child only for what children do."""
    while True:
        subject, _ = described_person(maker)
        if subject.noun is not None and suits(verb, subject.noun):
            return subject


def accepted(maker: Maker, en_verb: str, fr_verb: str, noun: Noun) -> bool:
    """True when a verb of this name takes the noun as its object."""
    try:
        maker.lexicon.find_verb(en_verb, fr_verb, noun)
    except KeyError:
        return False
    return True


def place_words(en: str) -> tuple[str, str, str]:
    """Split "sleep on the" into verb, preposition and kind of determiner; "wait at" has a settled one."""
    words = en.split()
    if words[-1] in ("a", "the"):
        return " ".join(words[:-2]), words[-2], words[-1]
    return " ".join(words[:-1]), words[-1], ""


MISLEADING = frozenset({("big", "store")})
"""Together they mean something else in French: un grand magasin is a department store."""


def place_of_action(
    maker: Maker, subject: NounPhrase, noun: Noun, en_preposition: str, fr_preposition: str, det: str
) -> tuple[str, str]:
    """On the chair, in a big hospital, in her garden, at the station."""
    if not det:
        return maker.at(noun)
    is_person = subject.noun is None or bool(subject.noun.tags & PEOPLE)
    own = is_person and noun.tags & {"furniture", "room", "outside"} and maker.chooser.chance(0.2)
    if own and det == "the":
        det = "poss"
    known = [item for item in maker.adjectives_for(noun) if item.en in OF_PLACES]
    known = [item for item in known if (item.en, noun.en) not in MISLEADING and (item.en, det) != ("public", "poss")]
    beside = (maker.chooser.pick(known),) if known and maker.chooser.chance(0.6 if det == "a" else 0.35) else ()
    kind = {"a": "indef", "the": "def"}.get(det, det)
    thing = maker.noun_phrase(noun, kind, False, beside, subject)
    return f"{en_preposition} {thing.en}", f"{fr_preposition} {thing.fr}"


def someone(maker: Maker, noun: Noun) -> NounPhrase:
    """A listed person or animal, with an adjective or without."""
    if maker.chooser.chance(0.45):
        return with_adjective(maker, [noun])[0]
    if "kin" in noun.tags:
        return maker.noun_phrase(noun, "poss")
    maker.chooser.use(noun)
    if noun.en in CHILDREN and maker.chooser.chance(0.4):
        return maker.noun_phrase(noun, "def", True)
    return maker.plain_subject(noun)


@construction("went", 450, "Marie went to the market yesterday. / Marie est allée au marché hier.")
def went(maker: Maker) -> Pair:
    """Where someone went, came or stayed, and when: the participle agrees with a first name too."""
    chooser = maker.chooser
    kind = chooser.weighted([("name", 0.55), ("two", 0.06), ("kin", 0.17), ("described", 0.1), ("person", 0.12)])
    if kind == "described":
        subject = described_person(maker)[0]
    elif kind == "person":
        subject = maker.person()
    elif kind == "kin":
        subject = maker.kin()
    elif kind == "two":
        first, second = maker.name(), maker.name()
        subject = join(first, second) if first.en != second.en else first
    else:
        subject = maker.name()
    words = chooser.weighted(
        [
            ("go", 0.36),
            ("come", 0.1),
            ("return", 0.1),
            ("stay", 0.16),
            ("arrive", 0.12),
            ("leave", 0.08),
            ("go out", 0.08),
        ]
    )
    verb = chooser.use(maker.lexicon.find_verb(words))
    predicate = Predicate(verb)
    if verb.place:
        predicate = predicate.add(*maker.place(verb.place))
    negation = NOT if chooser.chance(0.1) else None
    clause = maker.clause(subject, predicate, "past", negation)
    far = words in ("go", "come", "return", "arrive") and chooser.chance(0.25)
    return with_time(maker, clause, ("past" if far else "pastshort",), 0.6, 0.1, verb)


@construction("degree", 350, "This soup is too salty. / Cette soupe est trop salée.")
def degree(maker: Maker) -> Pair:
    """How much: an adjective with too, very, so, quite or really after a name or a thing."""
    chooser = maker.chooser
    while True:
        too_much = chooser.chance(0.45)
        subject, adjective = excessive(maker) if too_much else described(maker)
        if adjective.degree != "no" and adjective.en not in ABSOLUTE | {"rare"}:
            break
    if subject.pronoun:
        subject = maker.name()
    strength = TOO if chooser.chance(0.6 if too_much else 0.2) else chooser.one(DEGREES)
    tense = chooser.weighted([("present", 0.7), ("past", 0.3)])
    return sentence(maker.clause(subject, quality(adjective, subject, strength), tense))


def excessive(maker: Maker) -> tuple[NounPhrase, Adjective]:
    """A thing and an adjective that often goes with too: the hot soup, the heavy suitcase."""
    adjective = maker.chooser.one([item for item in maker.lexicon.adjectives if item.en in EXCESSIVE])
    nouns = maker.lexicon.nouns_with(*(adjective.predicative - {"kin", "pron", "social"}))
    noun = maker.chooser.pick([item for item in nouns if item.kind in ("c", "m")])
    return thing_subject(maker, noun), maker.chooser.use(adjective)


EXCESSIVE = group("excessive adjectives")
LIKED = tuple(group("liked things"))


@construction("this_opinion", 450, "I like this house. / J'aime cette maison.")
def this_opinion(maker: Maker) -> Pair:
    """What one thinks of a thing at hand: this and that with like, love, hate, prefer and find."""
    chooser, lexicon = maker.chooser, maker.lexicon
    noun = chooser.pick([item for item in lexicon.nouns_with(*LIKED) if item.kind in ("c", "m")])
    many = noun.kind == "c" and ("footwear" in noun.tags or chooser.chance(0.15))
    beside = maker.adjective_beside(noun, 0.2)
    subject = maker.person(0.6)
    kind = chooser.weighted([("verb", 0.6), ("find", 0.25), ("think", 0.15)])
    known = [item for item in lexicon.adjectives if noun.has(item.predicative) and item.en in OPINIONS]
    if kind == "verb" or not known:
        thing = maker.noun_phrase(noun, "this", many, beside)
        words = chooser.weighted([("like", 0.5), ("love", 0.2), ("hate", 0.12), ("prefer", 0.18)])
        verb = chooser.use(lexicon.find_verb(words))
        negation = NOT if words == "like" and chooser.chance(0.3) else None
        tense = chooser.weighted([("present", 0.8), ("past", 0.2)])
        return sentence(maker.clause(subject, Predicate(verb, thing.en, thing.fr), tense, negation))
    thing = maker.noun_phrase(noun, "this", many)
    while kind == "think" and thing.en.split()[0] in ("that", "those"):
        thing = maker.noun_phrase(noun, "this", many)
    adjective = chooser.pick(known)
    degrees = DEGREES if kind == "find" else (*PRAISE, TOO)
    strength = chooser.one(degrees) if adjective.en not in ABSOLUTE and chooser.chance(0.4) else ("", "")
    opinion = quality(adjective, thing, strength)
    if kind == "find":
        verb = chooser.use(lexicon.find_verb("find"))
        predicate = Predicate(verb, thing.en, thing.fr).add(opinion.en, opinion.fr)
        return sentence(maker.clause(subject, predicate, "present"))
    verb = lexicon.find_verb("think", "penser")
    clause = maker.clause(thing, opinion, "present")
    believe = Predicate(verb, f"that {clause.en}", f"que {clause.fr}")
    return sentence(maker.clause(subject, believe, "present"))


OPINIONS = group("opinions")
