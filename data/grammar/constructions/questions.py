"""Questions and negative sentences."""

from __future__ import annotations

from grammar.clauses import (
    NEVER,
    NO_LONGER,
    NOT,
    NOTHING,
    TENSES,
    Negation,
    NounPhrase,
    Predicate,
    english_question,
    tense_of,
)
from grammar.constructions.states import described, quality
from grammar.constructions.tenses import dynamic, progressive
from grammar.maker import Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import group

NEGATIVE_TENSES = (
    ("present", 0.34),
    ("past", 0.28),
    ("future", 0.12),
    ("progressive", 0.1),
    ("going to", 0.08),
    ("conditional", 0.08),
)


@construction("negation", 680, "He does not eat meat. / Il ne mange pas de viande.")
def negation_sentence(maker: Maker) -> Pair:
    """not: ne … pas; the partitive and indefinite articles become de."""
    tense = maker.chooser.weighted(list(NEGATIVE_TENSES))
    verb = maker.verb(progressive if tense == "progressive" else (lambda item: "noneg" not in item.flags))
    if verb.stative and tense == "going to":
        tense = "future"
    subject = maker.subject(verb)
    return sentence(maker.clause(subject, maker.predicate(verb, subject, negated=True), tense, NOT))


@construction("negation_never", 270, "I never drink coffee. / Je ne bois jamais de café.")
def negation_never(maker: Maker) -> Pair:
    """never: ne … jamais."""
    return _with(maker, NEVER)


@construction("negation_no_longer", 230, "She no longer works here. / Elle ne travaille plus ici.")
def negation_no_longer(maker: Maker) -> Pair:
    """No longer: ne … plus."""
    return _with(maker, NO_LONGER)


def _with(maker: Maker, negation: Negation) -> Pair:
    """A present sentence with a negation."""
    verb = maker.verb(lambda item: item.place != "live" and not item.flags & {"noneg", "once", "always"})
    subject = maker.subject(verb)
    predicate = maker.predicate(verb, subject, negated=True, mode="habit")
    return sentence(maker.clause(subject, predicate, "present", negation))


@construction("negation_nothing", 150, "They did not buy anything. / Ils n'ont rien acheté.")
def negation_nothing(maker: Maker) -> Pair:
    """Not … anything: ne … rien."""
    verb = maker.verb(lambda item: item.fr in NOTHING_VERBS and bool(item.objects) and not item.fr_preposition)
    subject = maker.person(0.6)
    tense = maker.chooser.weighted(list(NEGATIVE_TENSES))
    if verb.stative and tense in ("progressive", "going to"):
        tense = "present"
    if "noprog" in verb.flags and tense == "progressive":
        tense = "past"
    return sentence(maker.clause(subject, Predicate(verb, "anything", ""), tense, NOTHING))


NOTHING_VERBS = group("nothing verbs")


def yes_no(subject: NounPhrase, predicate: Predicate, tense: str, maker: Maker) -> Pair:
    """Questions with do or a noun subject: est-ce que; with be, have, will, can + pronoun: inversion."""
    form = tense_of(predicate.verb, tense)
    en = english_question(subject, predicate, form)
    invertible = subject.pronoun and not en.startswith(("do ", "does ", "did "))
    if invertible:
        fr = maker.french.verb(subject, predicate, form, inverted=subject.fr)
    else:
        fr = "est-ce que " + maker.french.clause(subject, predicate, form)
    return sentence(Pair(en, fr), "?")


@construction("question_do", 570, "Do you like tea? / Est-ce que vous aimez le thé ?")
def question_do(maker: Maker) -> Pair:
    """A question with do, does or did: est-ce que."""
    tense = maker.chooser.weighted([("present", 0.55), ("past", 0.45)])
    verb = maker.verb(lambda item: tense == "past" or "once" not in item.flags)
    subject = maker.subject(verb, 0.55)
    return yes_no(subject, maker.predicate(verb, subject), tense, maker)


@construction("question_inversion", 420, "Is she reading a book? / Lit-elle un livre ?")
def question_inversion(maker: Maker) -> Pair:
    """A question with be, have, will or can and a pronoun: inversion."""
    tense = maker.chooser.weighted(
        [("progressive", 0.25), ("perfect", 0.25), ("future", 0.25), ("can", 0.15), ("going to", 0.1)]
    )
    verb = maker.verb(
        lambda item: (
            progressive(item)
            and bool(item.subjects & {"p", "pron"})
            and not (tense in ("can", "going to") and "noimp" in item.flags)
        )
    )
    subject = maker.pronoun().subject
    while subject.en == "I":
        subject = maker.pronoun().subject
    return yes_no(subject, maker.predicate(verb, subject), tense, maker)


@construction("question_adjective", 270, "Are they tired? / Sont-ils fatigués ?")
def question_adjective(maker: Maker) -> Pair:
    """A question with be and an adjective: inversion for pronouns, est-ce que for nouns."""
    subject, adjective = described(maker)
    if subject.en == "I":
        subject = maker.name()
    tense = maker.chooser.weighted([("present", 0.75), ("past", 0.25)])
    return yes_no(subject, quality(adjective, subject), tense, maker)


WHERE = (("where", "où"), ("when", "quand"), ("why", "pourquoi"), ("how", "comment"))


@construction("question_wh", 380, "Where do you work? / Où travaillez-vous ?")
def question_wh(maker: Maker) -> Pair:
    """where, when, why: inversion for pronouns, est-ce que for nouns."""
    word = maker.chooser.weighted([(WHERE[0], 0.35), (WHERE[1], 0.3), (WHERE[2], 0.35)])
    tense = maker.chooser.weighted([("present", 0.3), ("past", 0.35), ("progressive", 0.15), ("future", 0.2)])
    verb = maker.verb(lambda item: dynamic(item) and not ("noprog" in item.flags or "noimp" in item.flags))
    if word[0] == "where":
        verb = maker.verb(lambda item: item.fr in WHERE_VERBS and item.subjects & {"p"} == {"p"})
    if verb.fr in ("perdre", "trouver", "rencontrer", "cacher"):
        tense = "past"
    if word[0] == "when" and tense in ("present", "progressive"):
        tense = "future"
    subject = maker.subject(verb, 0.65)
    while subject.en == "I":
        subject = maker.subject(verb, 0.65)
    predicate = Predicate(verb)
    if word[0] != "where" or verb.objects:
        predicate = maker.predicate(verb, subject, place=0.0)
    form = TENSES[tense]
    en = f"{word[0]} {english_question(subject, predicate, form)}"
    if subject.pronoun:
        fr = f"{word[1]} {maker.french.verb(subject, predicate, form, inverted=subject.fr)}"
    else:
        fr = f"{word[1]} est-ce que {maker.french.clause(subject, predicate, form)}"
    return sentence(Pair(en, fr), "?")


WHERE_VERBS = group("where verbs")
