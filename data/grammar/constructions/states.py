"""Sentences with be and have: qualities, professions, places, ages, weather."""

from __future__ import annotations

from grammar import english, french
from grammar.clauses import BE, NOT, NounPhrase, Predicate, english_clause, tense_of
from grammar.lexicon import Adjective, Noun
from grammar.maker import PAIRED, Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import expressions, group

STATE_TENSES = (("present", 0.6), ("past", 0.25), ("future", 0.15))


def described(maker: Maker) -> tuple[NounPhrase, Adjective]:
    """A subject and an adjective that may describe it."""
    lexicon, chooser = maker.lexicon, maker.chooser
    adjective = chooser.pick([item for item in lexicon.adjectives if item.predicative])
    if adjective.predicative & {"pron", "kin"} and chooser.chance(0.7):
        kind = chooser.weighted([("pronoun", 0.55), ("name", 0.2), ("kin", 0.25)])
        if kind == "pronoun":
            return maker.pronoun().subject, adjective
        return (maker.name() if kind == "name" else maker.kin()), adjective
    nouns = lexicon.nouns_with(*(adjective.predicative - {"kin", "pron"})) or lexicon.nouns_with("kin")
    nouns = [noun for noun in nouns if noun.kind != "mp"]
    noun = chooser.pick(nouns)
    if noun.kind in ("k", "kp"):
        return maker.kin(), adjective
    return thing_subject(maker, noun), adjective


def thing_subject(maker: Maker, noun: Noun) -> NounPhrase:
    """A thing, a place or a person as the subject of a description."""
    if noun.kind in ("s", "z"):
        return maker.noun_phrase(noun, "generic")
    if noun.kind in ("c", "p"):
        det = maker.chooser.weighted([("def", 0.4), ("this", 0.3), ("poss", 0.3)])
        if det == "poss" and not maker.ownable(noun):
            det = "def"
        many = maker.chooser.chance(0.97 if noun.tags & PAIRED else 0.25)
        return maker.noun_phrase(noun, det, many, owner=maker.pronoun().subject)
    return maker.plain_subject(noun)


def quality(adjective: Adjective, subject: NounPhrase, degree: tuple[str, str] = ("", "")) -> Predicate:
    """Be + adjective, agreed with the subject: elles sont très grandes."""
    form = adjective.form(subject.feminine, subject.plural)
    return Predicate(BE, f"{degree[0]} {adjective.en}".strip(), f"{degree[1]} {form}".strip())


DEGREES = (("very", "très"), ("too", "trop"), ("really", "vraiment"))


def degree_word(maker: Maker, adjective: Adjective, probability: float = 0.3) -> tuple[str, str]:
    """very, too, really or a little, for adjectives that have degrees."""
    if adjective.degree == "no" or adjective.en in ABSOLUTE or not maker.chooser.chance(probability):
        return "", ""
    return maker.chooser.one(DEGREES)


ABSOLUTE = group("adjectives without very")


@construction("adjective", 680, "The soup is too hot. / La soupe est trop chaude.")
def adjective_sentence(maker: Maker) -> Pair:
    """Be with an adjective that agrees with the subject."""
    subject, adjective = described(maker)
    tense = maker.chooser.weighted(list(STATE_TENSES))
    negation = NOT if maker.chooser.chance(0.15) else None
    degree = degree_word(maker, adjective) if negation is None else ("", "")
    return sentence(maker.clause(subject, quality(adjective, subject, degree), tense, negation))


@construction("profession", 300, "My aunt is a lawyer. / Ma tante est avocate.")
def profession(maker: Maker) -> Pair:
    """A profession has an article in English, none in French, and agrees with the person."""
    chooser = maker.chooser
    subject = chooser.weighted([(0, 0.45), (1, 0.2), (2, 0.35)])
    person = (maker.pronoun().subject, maker.name(), maker.kin())[subject]
    job = chooser.pick([noun for noun in maker.lexicon.nouns if noun.fr_feminine])
    kind = chooser.weighted([("be", 0.6), ("past", 0.12), ("become", 0.28)])
    predicate = role_predicate(maker, job, person)
    if kind == "become":
        become = maker.lexicon.find_verb("become")
        tense = chooser.one(["past", "future", "going to", "would like to"])
        return sentence(maker.clause(person, Predicate(become, predicate.en, predicate.fr), tense))
    negation = NOT if chooser.chance(0.15) else None
    return sentence(maker.clause(person, predicate, "past" if kind == "past" else "present", negation))


def role_predicate(maker: Maker, job: Noun, person: NounPhrase) -> Predicate:
    """Be a teacher: être professeur or professeure."""
    del maker
    masculine = (job.fr, job.fr_plural)
    if job.feminine:
        masculine = MASCULINE[job.en]
    if person.feminine:
        fr = job.fr_feminine + ("s" if person.plural and not job.fr_feminine.endswith("s") else "")
    else:
        fr = masculine[1] if person.plural else masculine[0]
    en = job.en_plural if person.plural else f"{english.a_or_an(job.en)} {job.en}"
    return Predicate(BE, en, fr)


MASCULINE = {
    "nurse": ("infirmier", "infirmiers"),
    "secretary": ("secrétaire", "secrétaires"),
    "translator": ("traducteur", "traducteurs"),
    "librarian": ("bibliothécaire", "bibliothécaires"),
    "researcher": ("chercheur", "chercheurs"),
    "seller": ("vendeur", "vendeurs"),
}


@construction("location", 420, "The keys are on the table. / Les clés sont sur la table.")
def location(maker: Maker) -> Pair:
    """Be with a place: under, on, behind, in front of, next to."""
    subject = located_subject(maker)
    tense = maker.chooser.weighted(list(STATE_TENSES))
    return sentence(maker.clause(subject, Predicate(BE).add(*spot(maker, subject)), tense))


def located_subject(maker: Maker) -> NounPhrase:
    """Someone or something that can be somewhere."""
    if maker.chooser.chance(0.4):
        return maker.person()
    noun = maker.chooser.pick(maker.lexicon.nouns_with("thing", "pet", "clothes", "footwear", "document", "toy"))
    return thing_subject(maker, noun)


def spot(maker: Maker, subject: NounPhrase) -> tuple[str, str]:
    """A place for a person (at the station) or for a thing (under the bed)."""
    is_person = subject.noun is None or not subject.noun.tags & {"thing", "clothes", "footwear", "document", "toy"}
    if is_person and not (subject.noun and "pet" in subject.noun.tags):
        return maker.place(maker.chooser.weighted([("in", 0.8), ("city", 0.1), ("land", 0.1)]))
    en, fr, tags = maker.chooser.one(POSITIONS)
    noun = maker.chooser.pick(maker.lexicon.nouns_with(*tags.split()))
    return place_phrase(maker, en, fr, noun)


def place_phrase(maker: Maker, en: str, fr: str, noun: Noun) -> tuple[str, str]:
    """A preposition and a noun: next to the bed, à côté du lit."""
    thing = maker.noun_phrase(noun, "def")
    if fr.endswith(" de"):
        return f"{en} {thing.en}", fr[:-2] + french.to_and_of("de", thing.fr)
    return f"{en} {thing.en}", f"{fr} {thing.fr}"


POSITIONS = expressions("positions")


ELDERS = frozenset({"mother", "father", "grandmother", "grandfather", "parents", "grandparents"})


@construction("age", 170, "My brother is twelve years old. / Mon frère a douze ans.")
def age(maker: Maker) -> Pair:
    """Be … years old: avoir … ans."""
    lexicon, chooser = maker.lexicon, maker.chooser
    kind = chooser.weighted([(0, 0.4), (1, 0.25), (2, 0.35)])
    subject = (maker.pronoun().subject, maker.name(), maker.kin())[kind]
    low, high = 2, 90
    if subject.noun is not None and subject.noun.en in ELDERS:
        low, high = 40, 90
    elif subject.noun is not None and subject.noun.en in ("husband", "wife", "boss", "colleague", "aunt", "uncle"):
        low, high = 30, 60
    elif subject.en in ("I", "you", "we"):
        low, high = 10, 90
    number = chooser.pick([item for item in lexicon.numbers if low <= item.value <= high])
    tense = chooser.weighted([("present", 0.7), ("future", 0.15), ("past", 0.15)])
    years = Predicate(BE, f"{number.en} years old", "")
    form = tense_of(BE, tense)
    have = Predicate(lexicon.find_verb("have"), "", f"{number.fr} ans")
    return sentence(Pair(english_clause(subject, years, form), maker.french.clause(subject, have, form)))


@construction("possessor", 300, "Paul's car is red. / La voiture de Paul est rouge.")
def possessor(maker: Maker) -> Pair:
    """The English 's: a noun with de in French."""
    subject, adjective = described_thing(maker)
    return sentence(maker.clause(subject, quality(adjective, subject), maker.chooser.one(["present", "past"])))


def described_thing(maker: Maker) -> tuple[NounPhrase, Adjective]:
    """Paul's car with an adjective that may describe it."""
    nouns = [
        noun
        for noun in maker.lexicon.nouns_with(
            "clothes",
            "private",
            "home",
            "room",
            "pet",
            "doll",
            "project",
            "idea",
            "picture",
            "electronics",
            "furniture",
            "answerthing",
        )
        if any(noun.has(item.predicative) for item in maker.lexicon.adjectives)
    ]
    noun = maker.chooser.pick(nouns)
    adjective = maker.chooser.pick([item for item in maker.lexicon.adjectives if noun.has(item.predicative)])
    return owned_by(maker, noun, maker.chooser.chance(0.15)), adjective


def owned_by(maker: Maker, noun: Noun, many: bool = False) -> NounPhrase:
    """Paul's car, la voiture de Paul; my sister's dogs, les chiens de ma sœur."""
    kind = maker.chooser.weighted([("name", 0.5), ("kin", 0.3), ("role", 0.2)])
    owner = maker.name() if kind == "name" else maker.kin() if kind == "kin" else maker.role()
    thing = maker.noun_phrase(noun, "def", many)
    mark = genitive(owner)
    bare = thing.en.removeprefix("the ")
    return NounPhrase(
        f"{owner.en}{mark} {bare}",
        f"{thing.fr} {french.to_and_of('de', owner.fr)}",
        thing.feminine,
        thing.plural,
        noun=noun,
    )


def genitive(owner: NounPhrase) -> str:
    """The mark of the owner: my parents' house, but Paul and Lucas's house."""
    return "'" if owner.plural and owner.noun is not None and owner.en.endswith("s") else "'s"
