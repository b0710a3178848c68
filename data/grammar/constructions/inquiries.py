"""Questions about who, what, how many, which, how old."""

from __future__ import annotations

from grammar import french
from grammar.clauses import (
    BE,
    NOBODY,
    NOT,
    TENSES,
    NounPhrase,
    Predicate,
    english_question,
    english_verb,
    tense_of,
)
from grammar.constructions.complex import everyday
from grammar.constructions.states import quality, thing_subject
from grammar.constructions.tenses import progressive
from grammar.english import JOINT, contract
from grammar.maker import PAIRED, Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import group

WHO = NounPhrase("who", "qui")


def asked(maker: Maker, pronouns: float = 0.65) -> NounPhrase:
    """A subject one asks about: not I."""
    subject = maker.person(pronouns)
    while subject.en == "I":
        subject = maker.person(pronouns)
    return subject


@construction("question_who", 270, "Who is eating the cake? / Qui mange le gâteau ?")
def question_who(maker: Maker) -> Pair:
    """Who as the subject: qui."""
    verb = maker.verb(lambda item: "p" in item.subjects and item.place != "live")
    someone = NounPhrase("who", "qui", en_owner="his", fr_owner="son")
    predicate = maker.predicate(verb, someone, adjectives=0.1)
    while " his " in f" {predicate.en} ":
        predicate = maker.predicate(verb, someone, adjectives=0.1)
    tenses = ["present", "past", "future"]
    if progressive(verb):
        tenses = ["progressive", "past", "future"] + ([] if "noimp" in verb.flags else ["going to", "can"])
    tense = tense_of(verb, maker.chooser.one(tenses))
    auxiliary, rest = english_verb(WHO, verb, tense.en)
    words = ("who", auxiliary, rest, verb.tail, verb.preposition, predicate.en)
    en = " ".join(word for word in words if word)
    return sentence(Pair(en, maker.french.clause(WHO, predicate, tense)), "?")


WHAT_VERBS = group("what verbs")


@construction("question_what", 340, "What are you reading? / Que lisez-vous ?")
def question_what(maker: Maker) -> Pair:
    """What as the object: que with a pronoun, qu'est-ce que with a noun."""
    verb = maker.verb(
        lambda item: item.fr in WHAT_VERBS and bool(item.objects) and not item.fr_preposition and not item.reflexive
    )
    subject = asked(maker)
    tenses = ["present", "past"] if verb.stative or not progressive(verb) else ["progressive", "past", "future", "past"]
    form = tense_of(verb, maker.chooser.one(tenses))
    predicate = Predicate(verb)
    en = f"what {english_question(subject, predicate, form)}"
    if subject.pronoun:
        fr = f"que {maker.french.verb(subject, predicate, form, inverted=subject.fr)}"
    else:
        fr = f"qu'est-ce que {maker.french.clause(subject, predicate, form)}"
    return sentence(Pair(en, french.elide(fr)), "?")


@construction("question_how_many", 230, "How many dogs do you have? / Combien de chiens avez-vous ?")
def question_how_many(maker: Maker) -> Pair:
    """How many and how much: combien de; the participle agrees."""
    verb, noun = maker.verb_and_noun(
        lambda item: item.fr in COUNTED and not item.fr_preposition,
        lambda item, thing: thing.kind == "c" or (thing.kind == "m" and item.fr != "avoir"),
    )
    many = noun.kind == "c"
    core = maker.noun_phrase(noun, "zero", many)
    subject = asked(maker, 0.7)
    form = tense_of(verb, "past" if not verb.stative else "present")
    predicate = Predicate(verb, "", "", preceding=core)
    word = "many" if many else "much"
    en = f"how {word} {core.en} {english_question(subject, predicate, form)}"
    head = f"combien {french.of(core.fr)}"
    if subject.pronoun:
        fr = f"{head} {maker.french.verb(subject, predicate, form, inverted=subject.fr)}"
    else:
        fr = f"{head} est-ce que {maker.french.clause(subject, predicate, form)}"
    return sentence(Pair(en, french.elide(fr)), "?")


COUNTED = group("how many verbs")


@construction("question_which", 230, "Which dress did she buy? / Quelle robe a-t-elle achetée ?")
def question_which(maker: Maker) -> Pair:
    """which: quel, quelle, quels, quelles; the participle agrees."""
    verb, noun = maker.verb_and_noun(
        lambda item: item.fr in WHICH and not item.fr_preposition, lambda item, thing: thing.kind == "c"
    )
    many = maker.chooser.chance(0.3)
    core = maker.noun_phrase(noun, "zero", many)
    subject = asked(maker, 0.75)
    tense = maker.chooser.one(["past", "past", "future"])
    form = tense_of(verb, tense)
    predicate = Predicate(verb, "", "", preceding=core)
    word = "quel" + ("le" if noun.feminine else "") + ("s" if many else "")
    en = f"which {core.en} {english_question(subject, predicate, form)}"
    if subject.pronoun:
        fr = f"{word} {core.fr} {maker.french.verb(subject, predicate, form, inverted=subject.fr)}"
    else:
        fr = f"{word} {core.fr} est-ce que {maker.french.clause(subject, predicate, form)}"
    return sentence(Pair(en, french.elide(fr)), "?")


WHICH = group("which verbs")


@construction("question_age", 90, "How old is your brother? / Quel âge a votre frère ?")
def question_age(maker: Maker) -> Pair:
    """How old: quel âge + avoir."""
    subject = asked(maker, 0.2)
    tense = maker.chooser.weighted([("present", 0.75), ("past", 0.25)])
    form = tense_of(BE, tense)
    en = f"how old {english_question(subject, Predicate(BE), form)}"
    have = Predicate(maker.lexicon.find_verb("have"))
    if subject.pronoun:
        fr = f"quel âge {maker.french.verb(subject, have, form, inverted=subject.fr)}"
    else:
        fr = f"quel âge {maker.french.verb(subject, have, form)} {subject.fr}"
    return sentence(Pair(en, fr), "?")


@construction("question_where_is", 270, "Where are my keys? / Où sont mes clés ?")
def question_where_is(maker: Maker) -> Pair:
    """Where is: où est, où sont."""
    chooser = maker.chooser
    kind = chooser.weighted([("thing", 0.55), ("place", 0.25), ("person", 0.2)])
    if kind == "person":
        subject = asked(maker, 0.4)
    else:
        tags = ("thing", "clothes", "footwear", "pet", "toy") if kind == "thing" else ("building", "room")
        noun = chooser.pick(maker.lexicon.nouns_with(*tags))
        subject = thing_subject(maker, noun) if kind == "thing" else maker.noun_phrase(noun, "def")
    tense = "present" if kind == "place" else chooser.weighted([("present", 0.75), ("past", 0.25)])
    form = tense_of(BE, tense)
    en = f"where {english_question(subject, Predicate(BE), form)}"
    if subject.pronoun:
        fr = f"où {maker.french.verb(subject, Predicate(BE), form, inverted=subject.fr)}"
    else:
        fr = f"où {maker.french.verb(subject, Predicate(BE), form)} {subject.fr}"
    return sentence(Pair(en, fr), "?")


@construction("question_color", 90, "What color is your car? / De quelle couleur est votre voiture ?")
def question_color(maker: Maker) -> Pair:
    """What color: de quelle couleur."""
    noun = maker.chooser.pick(maker.lexicon.nouns_with("clothes", "private", "furniture", "footwear", "pet"))
    subject = thing_subject(maker, noun)
    form = tense_of(BE, maker.chooser.one(["present", "past"]))
    en = f"what color {english_question(subject, Predicate(BE), form)}"
    return sentence(Pair(en, f"de quelle couleur {maker.french.verb(subject, Predicate(BE), form)} {subject.fr}"), "?")


@construction("question_price", 90, "How much does this book cost? / Combien coûte ce livre ?")
def question_price(maker: Maker) -> Pair:
    """How much does it cost: combien coûte."""
    noun = maker.chooser.pick(maker.lexicon.nouns_with(*group("priced things")))
    subject = maker.noun_phrase(noun, "this", bool(noun.tags & PAIRED) or maker.chooser.chance(0.3))
    verb = maker.lexicon.find_verb("cost")
    form = TENSES["present"]
    en = f"how much {english_question(subject, Predicate(verb), form)}"
    return sentence(Pair(en, f"combien {maker.french.verb(subject, Predicate(verb), form)} {subject.fr}"), "?")


@construction("negation_nobody", 190, "I did not see anyone. / Je n'ai vu personne.")
def negation_nobody(maker: Maker) -> Pair:
    """Not … anyone: ne … personne, after the participle."""
    names = [
        "see",
        "know",
        "call",
        "help",
        "invite",
        "meet",
        "listen to",
        "look for",
        "hear",
        "thank",
        "disturb",
        "wait for",
        "find",
    ]
    verb = maker.chooser.use(maker.lexicon.find_verb(maker.chooser.one(names)))
    tense = maker.chooser.one(["present", "past", "future", "past"])
    subject = maker.person(0.6)
    return sentence(maker.clause(subject, Predicate(verb, "anyone", "personne"), tense, NOBODY))


@construction("question_why_not", 110, "Why is he not working? / Pourquoi ne travaille-t-il pas ?")
def question_why_not(maker: Maker) -> Pair:
    """Why with a negation: pourquoi ne … pas."""
    verb = maker.verb(lambda item: everyday(item) or item.fr in ("venir", "sortir", "partir", "rester"))
    subject = asked(maker, 0.75)
    tense = maker.chooser.one(["progressive", "past"])
    form = tense_of(verb, tense)
    predicate = maker.predicate(verb, subject, negated=True, adjectives=0.0, place=0.0, mode="known")
    question = english_question(subject, predicate, form)
    auxiliary, _, rest = question.partition(" ")
    rest = rest.removeprefix(subject.en).strip()
    en = f"why {contract(f'{auxiliary}{JOINT}not')} {subject.en} {rest}"
    if subject.pronoun:
        fr = f"pourquoi {maker.french.verb(subject, predicate, form, subject.fr, NOT)}"
    else:
        fr = f"pourquoi est-ce que {maker.french.clause(subject, predicate, form, NOT)}"
    return sentence(Pair(en, french.elide(fr)), "?")


@construction("relative_where", 190, "The city where I live is quiet. / La ville où j'habite est calme.")
def relative_where(maker: Maker) -> Pair:
    """A place with a relative clause: où."""
    place, names = maker.chooser.one(
        (
            ("city", "live work"),
            ("village", "live grow_up"),
            ("house", "live sleep"),
            ("apartment", "live"),
            ("street", "live"),
            ("school", "study work"),
            ("restaurant", "eat work"),
            ("office", "work"),
            ("park", "walk run"),
            ("lake", "swim"),
            ("hotel", "sleep work"),
            ("factory", "work"),
            ("farm", "live work"),
            ("beach", "swim walk"),
            ("neighborhood", "live"),
            ("bakery", "work"),
            ("hospital", "work"),
            ("museum", "work"),
        )
    )
    noun = maker.chooser.use(maker.lexicon.noun[place])
    verb = maker.chooser.use(maker.lexicon.find_verb(maker.chooser.one(names.split()).replace("_", " ")))
    head = maker.noun_phrase(noun, "def")
    subject = maker.person(0.6)
    tense = maker.chooser.one(["present", "used to"])
    clause = maker.clause(subject, Predicate(verb), tense)
    thing = NounPhrase(f"{head.en} where {clause.en}", f"{head.fr} où {clause.fr}", noun.feminine, noun=noun)
    adjectives = [
        item
        for item in maker.lexicon.adjectives
        if noun.has(item.predicative) and item.en not in ("open", "closed", "empty")
    ]
    predicate = quality(maker.chooser.pick(adjectives), thing)
    return sentence(maker.clause(thing, predicate, "present" if tense == "present" else "past"))
