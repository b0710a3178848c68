"""Sentences of two clauses: coordination, reasons, conditions, relative clauses, reported thoughts."""

from __future__ import annotations

from grammar import french
from grammar.clauses import (
    BE,
    NOT,
    PRONOUNS,
    NounPhrase,
    Predicate,
    english_clause,
    english_infinitive,
    english_verb,
    tense_of,
)
from grammar.constructions.states import quality
from grammar.lexicon import Noun, Verb
from grammar.maker import PAIRED, PEOPLE, Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import group

EVERYDAY = group("everyday verbs")


def everyday(verb: Verb) -> bool:
    """A verb of ordinary life that follows or accompanies any other."""
    return verb.fr in EVERYDAY and "p" in verb.subjects and not verb.stative and not verb.reflexive


def again(subject: NounPhrase) -> NounPhrase:
    """The pronoun that takes up a subject: my sisters, elles; Paul, il; I, je."""
    if subject.pronoun:
        return subject
    noun = subject.noun
    if noun is not None and not noun.tags & PEOPLE and not subject.plural:
        return NounPhrase(
            "it",
            "elle" if subject.feminine else "il",
            subject.feminine,
            False,
            pronoun=True,
            en_owner="its",
            fr_owner="son",
        )
    if subject.plural:
        return NounPhrase(
            "they",
            "elles" if subject.feminine else "ils",
            subject.feminine,
            True,
            pronoun=True,
            en_owner="their",
            fr_owner="leur",
        )
    return PRONOUNS[3 if subject.feminine else 2].subject


def joined(first: Pair, en: str, fr: str, second: Pair) -> Pair:
    """Two clauses with a conjunction between them; elision as in parce qu'elle."""
    return Pair(f"{first.en} {en} {second.en}", french.elide(f"{first.fr} {fr} {second.fr}"))


def action(maker: Maker, subject: NounPhrase, tense: str, adjectives: float = 0.06) -> Pair:
    """An everyday action of this subject."""
    verb = maker.verb(everyday)
    mode = "now" if "progressive" in tense else ""
    return maker.clause(subject, maker.predicate(verb, subject, adjectives=adjectives, place=0.2, mode=mode), tense)


# ----- causes and effects


def cause_clause(maker: Maker, row: dict[str, str], subject: NounPhrase, tense: str, when: str = "") -> Pair:
    """She was tired, it is raining, he did not have any money."""
    have = maker.lexicon.find_verb("have")
    form = tense_of(BE, tense)
    if row["kind"] == "adjective":
        adjective = maker.chooser.use(maker.lexicon.adjective[row["en"]])
        return maker.clause(subject, quality(adjective, subject), tense)
    if row["kind"] == "fixed":
        return maker.clause(subject, Predicate(BE, row["en"], row["fr"]), tense)
    if row["kind"] == "have":
        en = english_clause(subject, Predicate(BE, row["en"]), form)
        return Pair(en, maker.french.clause(subject, Predicate(have, "", row["fr"]), form))
    if row["kind"] == "lack":
        return maker.clause(subject, Predicate(have, row["en"], row["fr"]), tense, NOT)
    return weather_clause(maker, row, tense, when)


IT = NounPhrase("it", "il", pronoun=True)


def weather_clause(maker: Maker, row: dict[str, str], tense: str, when: str = "") -> Pair:
    """It is raining, il pleut; it was cold, il faisait froid."""
    en_word = row["en"].removeprefix("it + ")
    head, _, rest = row["fr"].removeprefix("il + ").partition(" ")
    verb = Predicate(maker.lexicon.find_verb("do"), "", rest) if head == "faire" else None
    if verb is None:
        plain = Predicate(maker.lexicon.find_verb(en_word))
        name = {"present": "progressive", "past": "past progressive"}.get(tense, tense)
        if when == "general":
            name = "present" if tense == "present" else "imperfect"
        return maker.clause(IT, plain, name)
    en = english_clause(IT, Predicate(BE, en_word.removeprefix("be ")), tense_of(BE, tense))
    return Pair(en, maker.french.clause(IT, verb, tense_of(BE, tense)))


def effect_predicate(maker: Maker, row: dict[str, str], subject: NounPhrase) -> Predicate:
    """Take an umbrella, stay at home, go to the pharmacy."""
    lexicon, chooser = maker.lexicon, maker.chooser
    if row["object"] == "@home":
        return Predicate(chooser.use(lexicon.find_verb(row["verb"])), "at home", "à la maison")
    if not row["object"]:
        return Predicate(chooser.use(lexicon.find_verb(row["verb"])))
    noun = chooser.pick([lexicon.noun[word.replace("_", " ")] for word in row["object"].split()])
    play = row["verb"] == "play"
    verb = chooser.use(lexicon.find_verb(row["verb"], noun=noun if play else None))
    if verb.fr == "aller":
        place = next(item for item in lexicon.places if item.noun is noun)
        thing = maker.noun_phrase(noun, "def")
        return Predicate(verb, f"to {thing.en}", french.to_and_of(place.fr_to, thing.fr))
    negated = row["polarity"] == "no" and not verb.fr_preposition
    return Predicate(verb, *effect_object(maker, verb, noun, subject, negated))


def effect_object(maker: Maker, verb: Verb, noun: Noun, subject: NounPhrase, negated: bool) -> tuple[str, str]:
    """The object of an effect, with a plain determiner."""
    if noun.kind == "c" and verb.fr in ("mettre", "prendre", "arroser", "repasser") and noun.en not in VEHICLES:
        many = noun.en in ("boot", "glove") or (verb.fr in ("arroser",) and noun.en != "garden")
        det = "def" if verb.fr == "arroser" else "poss"
        thing = maker.noun_phrase(noun, det, many, owner=subject)
    elif noun.kind == "c" and verb.fr in ("fermer", "ouvrir", "annuler", "nettoyer", "payer", "appeler", "assister"):
        thing = maker.noun_phrase(noun, "def")
    elif noun.kind == "c":
        det = maker.chooser.one(("def", "indef")) if verb.fr in ("rater", "lire", "finir", "visiter") else ""
        det = "def" if verb.fr in ("répondre", "finir") else det
        thing = maker.noun_phrase(noun, det or "indef", negated=negated)
    else:
        flags = verb.flags | {"nodef"} if noun.kind == "m" else verb.flags
        thing = maker.determined(noun, subject, flags, negated, 0.0)
    fr = french.to_and_of(verb.fr_preposition, thing.fr) if verb.fr_preposition else thing.fr
    return thing.en, fr


VEHICLES = frozenset({"taxi", "plane", "train", "bus"})


def couple(maker: Maker) -> tuple[dict[str, str], dict[str, str]]:
    """A cause and one of its effects."""
    effect = maker.chooser.one(maker.lexicon.effects)
    causes = [row for row in maker.lexicon.causes if row["tag"] == effect["tag"]]
    return maker.chooser.one(causes), effect


def polarity(row: dict[str, str]) -> bool:
    """True for an effect that does not happen."""
    return row["polarity"] == "no"


def effect_clause(maker: Maker, row: dict[str, str], subject: NounPhrase, tense: str) -> Pair:
    """She stayed at home; he did not go out."""
    negation = NOT if polarity(row) else None
    return maker.clause(subject, effect_predicate(maker, row, subject), tense, negation)


def because_pair(maker: Maker, subject: NounPhrase, tense: str) -> Pair:
    """Effect, because, cause."""
    cause, effect = couple(maker)
    if cause["kind"] == "weather" and effect["verb"] == "miss":
        cause, effect = couple(maker)
    first = effect_clause(maker, effect, subject, tense)
    state = "past" if tense == "past" else "present"
    return joined(first, "because", "parce que", cause_clause(maker, cause, again(subject), state))


@construction(
    "because",
    420,
    "She stayed at home because she was sick. / Elle est restée à la maison parce qu'elle était malade.",
)
def because(maker: Maker) -> Pair:
    """A reason."""
    tense = maker.chooser.weighted([("past", 0.6), ("present", 0.15), ("progressive", 0.1), ("going to", 0.15)])
    if tense == "progressive":
        tense = "present"
    return sentence(because_pair(maker, maker.person(), tense))


@construction("so", 230, "He was hungry, so he ate an apple. / Il avait faim, donc il a mangé une pomme.")
def so_sentence(maker: Maker) -> Pair:
    """A consequence."""
    return sentence(so_pair(maker, maker.person(), "past"))


def so_pair(maker: Maker, subject: NounPhrase, tense: str) -> Pair:
    """Cause, so, effect."""
    cause, effect = couple(maker)
    first = cause_clause(maker, cause, subject, tense)
    second = effect_clause(maker, effect, subject if cause["kind"] == "weather" else again(subject), tense)
    return Pair(f"{first.en}, so {second.en}", f"{first.fr}, donc {second.fr}")


@construction(
    "if_future",
    290,
    "If it rains, we will stay at home. / S'il pleut, nous resterons à la maison.",
)
def if_future(maker: Maker) -> Pair:
    """A condition: if + present, future."""
    return sentence(if_pair(maker, maker.person(), "present", "future"))


@construction(
    "if_conditional",
    230,
    "If I were hungry, I would eat a cake. / Si j'avais faim, je mangerais un gâteau.",
)
def if_conditional(maker: Maker) -> Pair:
    """An unreal condition: si + imparfait, conditionnel."""
    return sentence(if_pair(maker, maker.person(), "past", "conditional"))


def if_pair(maker: Maker, subject: NounPhrase, state: str, result: str) -> Pair:
    """If + cause, effect."""
    cause, effect = couple(maker)
    if cause["kind"] == "weather":
        first = weather_clause(maker, cause, state, "general")
        if state == "past":
            first = Pair(first.en.replace("it\u203fwas ", "it were "), first.fr)
        second_subject = subject
    else:
        first = cause_clause(maker, cause, subject, state)
        if state == "past":
            first = Pair(first.en.replace("\u203fwas ", "\u203fwere ").replace(" was ", " were "), first.fr)
        second_subject = again(subject)
    second = effect_clause(maker, effect, second_subject, result)
    return Pair(f"if {first.en}, {second.en}", french.elide(f"si {first.fr}, {second.fr}"))


@construction("when_general", 230, "When he is tired, he rests. / Quand il est fatigué, il se repose.")
def when_general(maker: Maker) -> Pair:
    """A habit: when + present."""
    return sentence(when_pair(maker, maker.person()))


def when_pair(maker: Maker, subject: NounPhrase) -> Pair:
    """When + cause, effect, both in the present."""
    cause, effect = couple(maker)
    weather = cause["kind"] == "weather"
    first = cause_clause(maker, cause, subject, "present", "general")
    second = effect_clause(maker, effect, subject if weather else again(subject), "present")
    return Pair(f"when {first.en}, {second.en}", f"quand {first.fr}, {second.fr}")


# ----- two actions


@construction("when_past", 230, "I was reading when Paul arrived. / Je lisais quand Paul est arrivé.")
def when_past(maker: Maker) -> Pair:
    """An action in progress when another happened."""
    return sentence(when_past_pair(maker))


def when_past_pair(maker: Maker) -> Pair:
    """I was reading when Paul arrived."""
    subject, other = two_people(maker)
    event = maker.chooser.use(maker.lexicon.find_verb(maker.chooser.one(["arrive", "come in", "leave", "come back"])))
    first = action(maker, subject, "past progressive")
    return joined(first, "when", "quand", maker.clause(other, Predicate(event), "past"))


def shares_a_name(first: NounPhrase, second: NounPhrase) -> bool:
    """True when one person is named in both: Marie, Marie and Paul."""
    return (
        first.noun is None
        and second.noun is None
        and bool(set(first.en.split(" and ")) & set(second.en.split(" and ")))
    )


def two_people(maker: Maker) -> tuple[NounPhrase, NounPhrase]:
    """Two different subjects; the second is never a pronoun that could be the first."""
    first = maker.person()
    second = maker.person(0.25)
    while (
        shares_a_name(first, second)
        or second.en == first.en
        or (second.pronoun and second.person == 3)
        or first.person == second.person < 3
    ):
        second = maker.person(0.25)
    return first, second


@construction("while", 190, "She was cooking while he was sleeping. / Elle cuisinait pendant qu'il dormait.")
def while_sentence(maker: Maker) -> Pair:
    """Two actions at the same time."""
    first, second = two_people(maker)
    clause = action(maker, first, "past progressive", 0.0)
    return sentence(joined(clause, "while", "pendant que", action(maker, second, "past progressive", 0.0)))


@construction("two_actions", 300, "He closed the door and went out. / Il a fermé la porte et est sorti.")
def two_actions(maker: Maker) -> Pair:
    """Two verbs with one subject."""
    tense = maker.chooser.weighted([("past", 0.5), ("future", 0.25), ("progressive", 0.25)])
    return sentence(two_actions_pair(maker, maker.person(), tense))


def two_actions_pair(maker: Maker, subject: NounPhrase, tense: str) -> Pair:
    """The second verb has no subject; in English it repeats no auxiliary."""
    first, second = maker.verb(everyday), maker.verb(everyday)
    while second.fr == first.fr:
        second = maker.verb(everyday)
    start = maker.clause(subject, maker.predicate(first, subject, adjectives=0.05), tense)
    repeated = subject.fr + " " if subject.pronoun else ""
    predicate = maker.predicate(second, subject, adjectives=0.05)
    form = tense_of(second, tense)
    rest = english_verb(subject, second, form.en)[1]
    words = (rest, second.tail, second.preposition, predicate.en)
    en = " ".join(word for word in words if word)
    return Pair(f"{start.en} and {en}", f"{start.fr} et {repeated}{maker.french.verb(subject, predicate, form)}")


@construction("two_people", 270, "Paul is reading and Marie is sleeping. / Paul lit et Marie dort.")
def two_people_sentence(maker: Maker) -> Pair:
    """Two clauses with and."""
    first, second = two_people(maker)
    tense = maker.chooser.weighted([("past", 0.4), ("progressive", 0.4), ("future", 0.2)])
    return sentence(joined(action(maker, first, tense), "and", "et", action(maker, second, tense)))


@construction(
    "contrast",
    230,
    "I like tea, but she prefers coffee. / J'aime le thé, mais elle préfère le café.",
)
def contrast(maker: Maker) -> Pair:
    """Two tastes with but."""
    return sentence(contrast_pair(maker))


def contrast_pair(maker: Maker) -> Pair:
    """I like tea, but she prefers coffee."""
    lexicon, chooser = maker.lexicon, maker.chooser
    first, second = two_people(maker)
    tag = chooser.one(["fruit", "veg", "drink", "sport", "subject", "pet", "dish", "staple"])
    nouns = lexicon.nouns_with(tag)
    one, two = chooser.pick(nouns), chooser.pick(nouns)
    while two is one:
        two = chooser.pick(nouns)
    left = lexicon.find_verb(chooser.one(["like", "love"]))
    right = lexicon.find_verb(chooser.one(["prefer", "prefer", "hate"]))
    liked, other = (maker.noun_phrase(noun, "generic", noun.kind == "c") for noun in (one, two))
    begin = maker.clause(first, Predicate(left, liked.en, liked.fr), "present")
    finish = maker.clause(second, Predicate(right, other.en, other.fr), "present")
    return Pair(f"{begin.en}, but {finish.en}", f"{begin.fr}, mais {finish.fr}")


@construction(
    "before",
    170,
    "She closed the window before going out. / Elle a fermé la fenêtre avant de sortir.",
)
def before(maker: Maker) -> Pair:
    """Before + -ing: avant de + infinitive."""
    return sentence(before_pair(maker, maker.person(), maker.chooser.one(["past", "past", "future"])))


def before_pair(maker: Maker, subject: NounPhrase, tense: str) -> Pair:
    """Something done before something else."""
    lexicon = maker.lexicon
    names = ["go out", "leave", "go to bed", "eat", "take a shower", "get dressed", "sleep", "rest", "work"]
    later = maker.chooser.use(lexicon.find_verb(maker.chooser.one(names)))
    verb = maker.verb(lambda item: everyday(item) and bool(item.objects))
    first = maker.clause(subject, maker.predicate(verb, subject, adjectives=0.05), tense)
    predicate = Predicate(later)
    fr = french.elide("avant de " + maker.french.infinitive(subject, predicate))
    return Pair(f"{first.en} before {english_infinitive(predicate, 'ing')}", f"{first.fr} {fr}")


# ----- that, who


@construction("that", 320, "I think that he is right. / Je pense qu'il a raison.")
def that_sentence(maker: Maker) -> Pair:
    """A reported thought: penser que, savoir que, espérer que, dire que."""
    return sentence(that_pair(maker))


def that_pair(maker: Maker, tense: str = "") -> Pair:
    """I think that, she knows that, they hope that."""
    verb = maker.chooser.use(
        maker.lexicon.find_verb(
            *maker.chooser.one(
                [("think", "penser"), ("know", "savoir"), ("hope", "espérer"), ("say", "dire"), ("believe", "croire")]
            )
        )
    )
    subject = maker.person()
    other = maker.person(0.35)
    while other.en == subject.en or (other.pronoun and other.person == 3) or other.en.startswith("that "):
        other = maker.person(0.3)
    kinds = ["future"] if verb.fr == "espérer" else ["future", "past", "progressive", "quality"]
    kind = tense or maker.chooser.one(kinds)
    start = maker.clause(subject, Predicate(verb), "present")
    if kind == "quality":
        adjectives = [item for item in maker.lexicon.adjectives if {"pron", "kin"} <= item.predicative]
        inner = maker.clause(other, quality(maker.chooser.pick(adjectives), other), "present")
    else:
        inner = action(maker, other, kind)
    return joined(start, "that", "que", inner)


@construction("relative_who", 300, "The man who is reading is my uncle. / L'homme qui lit est mon oncle.")
def relative_who(maker: Maker) -> Pair:
    """A relative clause with a subject: qui."""
    person = who_phrase(maker)
    end = maker.chooser.weighted([("kin", 0.4), ("quality", 0.6)])
    return sentence(ending(maker, person, end))


def who_phrase(maker: Maker) -> NounPhrase:
    """The man who is reading the newspaper, l'homme qui lit le journal."""
    noun = maker.chooser.pick(
        maker.lexicon.nouns_with(
            "man",
            "woman",
            "boy",
            "girl",
            "tourist",
            "customer",
            "doctor",
            "teacher",
            "student",
            "musician",
            "nurse",
            "waiter",
        )
    )
    many = maker.chooser.chance(0.2)
    head = maker.noun_phrase(noun, "def", many)
    tense = maker.chooser.one(["progressive", "past"])
    verb = maker.verb(everyday)
    predicate = maker.predicate(verb, head, adjectives=0.05)
    form = tense_of(verb, tense)
    auxiliary, rest = english_verb(head, verb, form.en)
    words = (auxiliary, rest, verb.tail, verb.preposition, predicate.en)
    en = " ".join(word for word in words if word)
    fr = maker.french.verb(head, predicate, form)
    return NounPhrase(
        f"{head.en} who {en}",
        f"{head.fr} qui {fr}",
        head.feminine,
        head.plural,
        noun=noun,
        en_owner=head.en_owner,
        fr_owner=head.fr_owner,
    )


def ending(maker: Maker, subject: NounPhrase, kind: str) -> Pair:
    """Is my uncle, is very nice."""
    lexicon, chooser = maker.lexicon, maker.chooser
    if kind == "kin" and not subject.plural:
        relatives = [
            noun for noun in lexicon.nouns_with("kin") if noun.kind == "k" and noun.feminine == subject.feminine
        ]
        noun = chooser.pick(relatives)
        owner = chooser.one([PRONOUNS[0], PRONOUNS[1], PRONOUNS[4]]).subject
        owner = PRONOUNS[0].subject if "spouse" in noun.tags else owner
        kin = maker.noun_phrase(noun, "poss", owner=owner)
        return maker.clause(subject, Predicate(BE, kin.en, kin.fr), "present")
    adjectives = [item for item in lexicon.adjectives if {"pron", "kin"} <= item.predicative]
    return maker.clause(subject, quality(chooser.pick(adjectives), subject), "present")


@construction("relative_that", 300, "The car that he bought is red. / La voiture qu'il a achetée est rouge.")
def relative_that(maker: Maker) -> Pair:
    """A relative clause with an object: que, and the participle agrees with it."""
    thing = that_phrase(maker)
    assert thing.noun is not None
    noun = thing.noun
    adjectives = [item for item in maker.lexicon.adjectives if noun.has(item.predicative)]
    predicate = quality(maker.chooser.pick(adjectives), thing)
    past = " will " not in thing.en and " is " not in thing.en and " are " not in thing.en
    return sentence(maker.clause(thing, predicate, maker.chooser.one(["present", "past"]) if past else "present"))


RELATIVE_VERBS = group("relative verbs")


PLANNED = group("planned verbs")


def that_phrase(maker: Maker) -> NounPhrase:
    """The car that he bought, la voiture qu'il a achetée."""
    verb, noun = maker.verb_and_noun(
        lambda item: item.fr in RELATIVE_VERBS and not item.reflexive and not item.fr_preposition,
        lambda item, thing: (
            thing.kind == "c" and any(thing.has(adjective.predicative) for adjective in maker.lexicon.adjectives)
        ),
    )
    subject = maker.person(0.6)
    while subject.en.startswith("that "):
        subject = maker.person(0.6)
    head = maker.noun_phrase(noun, "def", maker.chooser.chance(0.97 if noun.tags & PAIRED else 0.25))
    tense = maker.chooser.one(["past", "past", "future"]) if verb.fr in PLANNED else "past"
    if verb.fr == "porter":
        tense = "progressive"
    form = tense_of(verb, tense)
    predicate = Predicate(verb, "", "", preceding=head)
    en = english_clause(subject, predicate, form).replace("\u203f", " ")
    fr = french.elide(f"que {maker.french.clause(subject, predicate, form)}")
    return NounPhrase(f"{head.en} that {en}", f"{head.fr} {fr}", head.feminine, head.plural, noun=noun)


@construction(
    "three_clauses",
    450,
    "Paul says that Emma is not working because she is sick. / "
    "Paul dit qu'Emma ne travaille pas parce qu'elle est malade.",
)
def three_clauses(maker: Maker) -> Pair:
    """Three clauses: a thought with a reason, two effects of one cause, or an arrival and two actions."""
    kind = maker.chooser.one(["thought", "effects", "arrival"])
    if kind == "thought":
        verb = maker.chooser.use(
            maker.lexicon.find_verb(
                *maker.chooser.one([("think", "penser"), ("know", "savoir"), ("say", "dire"), ("believe", "croire")])
            )
        )
        first, second = two_people(maker)
        while (second.pronoun and second.person == 3) or second.en.startswith("that "):
            first, second = two_people(maker)
        inner = because_pair(maker, second, maker.chooser.one(["past", "going to"]))
        return sentence(joined(maker.clause(first, Predicate(verb), "present"), "that", "que", inner))
    if kind == "arrival":
        first, second = two_people(maker)
        third = maker.name()
        while third.en in f"{first.en} {second.en}":
            third = maker.name()
        event = maker.chooser.use(maker.lexicon.find_verb(maker.chooser.one(["arrive", "come in", "come back"])))
        start = maker.clause(third, Predicate(event), "past")
        left, right = (action(maker, person, "past progressive", 0.0) for person in (first, second))
        return sentence(
            Pair(f"when {start.en}, {left.en} and {right.en}", f"quand {start.fr}, {left.fr} et {right.fr}")
        )
    return sentence(two_effects(maker))


def two_effects(maker: Maker) -> Pair:
    """He closed the window and drank some tea because it was cold."""
    effects = [row for row in maker.lexicon.effects if not polarity(row) and row["verb"] != "stay"]
    effects = [row for row in effects if row["tag"] not in ("fatigue", "snow")]
    first = maker.chooser.one(effects)
    second = maker.chooser.one([row for row in effects if row["tag"] == first["tag"]])
    while second["verb"] == first["verb"]:
        first = maker.chooser.one(effects)
        second = maker.chooser.one([row for row in effects if row["tag"] == first["tag"]])
    cause = maker.chooser.one([row for row in maker.lexicon.causes if row["tag"] == first["tag"]])
    subject = maker.person()
    start = effect_clause(maker, first, subject, "past")
    predicate = effect_predicate(maker, second, subject)
    form = tense_of(predicate.verb, "past")
    rest = english_verb(subject, predicate.verb, form.en)[1]
    words = (rest, predicate.verb.tail, predicate.verb.preposition, predicate.en)
    repeated = subject.fr + " " if subject.pronoun else ""
    both = Pair(
        f"{start.en} and {' '.join(word for word in words if word)}",
        f"{start.fr} et {repeated}{maker.french.verb(subject, predicate, form)}",
    )
    return joined(both, "because", "parce que", cause_clause(maker, cause, again(subject), "past"))
