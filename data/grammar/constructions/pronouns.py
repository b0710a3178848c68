"""Object pronouns, gifts to someone, orders, and verbs followed by an infinitive."""

from __future__ import annotations

from grammar import french
from grammar.clauses import (
    BE,
    NOT,
    PRONOUNS,
    TENSES,
    NounPhrase,
    Predicate,
    Pronoun,
    english_infinitive,
    english_question,
    english_verb,
    tense_of,
)
from grammar.constructions.complex import everyday
from grammar.constructions.states import quality
from grammar.constructions.tenses import dynamic
from grammar.lexicon import Verb
from grammar.maker import Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import expressions, group

PERSON_VERBS = (
    "see",
    "know/connaître",
    "call",
    "help",
    "invite",
    "thank",
    "meet",
    "wait for",
    "listen to",
    "look for",
    "follow",
    "believe/croire",
    "disturb",
    "love",
    "understand",
    "find",
    "admire",
    "hear",
    "hate",
    "look at",
    "photograph",
)


def verb_of(maker: Maker, words: str) -> Verb:
    """Find a verb from "know/connaître" or "help" and count its use."""
    en, _, fr = words.partition("/")
    return maker.chooser.use(maker.lexicon.find_verb(en, fr))


def someone_else(maker: Maker, subject: NounPhrase) -> Pronoun:
    """An object pronoun that is not the subject: not "I see me" nor "we see me"."""
    while True:
        other = maker.pronoun()
        if subject.person == 3 or other.subject.person != subject.person:
            return other


def agreeing_subject(maker: Maker) -> NounPhrase:
    """A subject for a sentence with an object pronoun."""
    return maker.person(0.6)


@construction("object_pronoun", 460, "She knows him. / Elle le connaît.")
def object_pronoun(maker: Maker) -> Pair:
    """A direct object pronoun stands before the verb; the participle agrees with it."""
    verb = verb_of(maker, maker.chooser.one(PERSON_VERBS))
    subject = agreeing_subject(maker)
    other = someone_else(maker, subject)
    tenses = ["present", "past", "future", "going to", "present"]
    if not verb.stative:
        tenses += ["past", "used to", "conditional", "perfect"]
    if not verb.stative and "noprog" not in verb.flags:
        tenses.append("progressive")
    tense = maker.chooser.one(tenses)
    if verb.stative and tense == "going to":
        tense = "present"
    predicate = Predicate(verb, other.en_object, "", (other.fr_direct,), preceding=other.subject)
    negation = NOT if maker.chooser.chance(0.25) and tense != "used to" else None
    return sentence(maker.clause(subject, predicate, tense, negation))


@construction("indirect_pronoun", 270, "He answered them. / Il leur a répondu.")
def indirect_pronoun(maker: Maker) -> Pair:
    """An indirect object pronoun: lui, leur."""
    words = maker.chooser.one(("answer", "talk to", "write to", "smile at", "lie to", "obey"))
    verb = verb_of(maker, words)
    subject = agreeing_subject(maker)
    other = someone_else(maker, subject)
    tense = maker.chooser.one(["present", "past", "future", "going to", "progressive", "perfect"])
    predicate = Predicate(verb, other.en_object, "", (other.fr_indirect,))
    negation = NOT if maker.chooser.chance(0.25) else None
    return sentence(maker.clause(subject, predicate, tense, negation))


WITHOUT = expressions("without")
IT_PAIRS = [(first, second) for first, _, second in expressions("bought and sold")]


@construction("it_pronoun", 380, "He bought a car and sold it. / Il a acheté une voiture et il l'a vendue.")
def it_pronoun(maker: Maker) -> Pair:
    """It and them with a noun to refer to: le, la, les, and the participle agrees."""
    while True:
        words = maker.chooser.one(IT_PAIRS)
        first, second = (maker.lexicon.find_verb(word) for word in words)
        nouns = [
            noun
            for noun in maker.lexicon.nouns_with(*first.objects)
            if noun.has(second.objects) and noun.kind in ("c", "m") and not noun.tags & ANIMATE
        ]
        if nouns:
            break
    maker.chooser.use(first)
    maker.chooser.use(second)
    noun = maker.chooser.pick(nouns)
    subject = maker.person(0.7)
    many = noun.kind == "c" and maker.chooser.chance(0.3)
    det = (
        maker.chooser.one(("def", "this", "some"))
        if many or noun.kind == "m"
        else maker.chooser.one(("def", "indef", "this"))
    )
    thing = maker.noun_phrase(noun, det, many)
    tense = maker.chooser.weighted([("past", 0.7), ("future", 0.3)])
    start = maker.clause(subject, Predicate(first, thing.en, thing.fr), tense)
    pronoun = "them" if many else "it"
    clitic = "les" if many else ("la" if noun.feminine else "le")
    again = Predicate(second, pronoun, "", (clitic,), preceding=thing)
    en = english_tail(subject, again, tense)
    repeated = subject.fr + " " if subject.pronoun else ""
    fr = f"{start.fr} et {repeated}{maker.french.verb(subject, again, tense_of(second, tense))}"
    return sentence(Pair(f"{start.en} and {en}", fr))


ANIMATE = group("animals")


def english_tail(subject: NounPhrase, predicate: Predicate, tense: str) -> str:
    """The verb phrase after "and", without subject or auxiliary."""
    verb = predicate.verb
    rest = english_verb(subject, verb, tense_of(verb, tense).en)[1]
    return " ".join(word for word in (rest, verb.tail, verb.preposition, predicate.en) if word)


# ----- giving


@construction("give_to", 340, "She gave a book to her brother. / Elle a donné un livre à son frère.")
def give_to(maker: Maker) -> Pair:
    """A thing and a person: à, au, aux."""
    verb, thing, subject, tense = gift(maker)
    receiver = maker.kin(subject) if maker.chooser.chance(0.5) else maker.role()
    if maker.chooser.chance(0.25):
        receiver = maker.name()
    if receiver.en == subject.en:
        receiver = maker.kin(PRONOUNS[0].subject)
    predicate = Predicate(verb, thing.en, thing.fr).add(f"to {receiver.en}", french.to_and_of("à", receiver.fr))
    return sentence(maker.clause(subject, predicate, tense))


@construction("give_pronoun", 340, "He sent me a letter. / Il m'a envoyé une lettre.")
def give_pronoun(maker: Maker) -> Pair:
    """A person as a pronoun: before the verb in French, after it in English."""
    verb, thing, subject, tense = gift(maker)
    other = someone_else(maker, subject)
    predicate = Predicate(verb, f"{other.en_object} {thing.en}", thing.fr, (other.fr_indirect,))
    negation = NOT if maker.chooser.chance(0.15) else None
    if negation is not None and thing.fr.startswith(("un ", "une ", "des ", "du ", "de l")):
        negation = None
    return sentence(maker.clause(subject, predicate, tense, negation))


def gift(maker: Maker) -> tuple[Verb, NounPhrase, NounPhrase, str]:
    """A verb of giving, a thing, a giver and a tense."""
    verb = maker.chooser.pick([item for item in maker.lexicon.verbs if "ditransitive" in item.flags])
    subject = maker.person(0.55)
    noun = maker.chooser.pick(maker.lexicon.nouns_with(*verb.objects))
    thing = maker.determined(
        noun, subject, frozenset({"nodef"}) if maker.chooser.chance(0.5) else frozenset(), False, 0.1
    )
    tense = maker.chooser.weighted([("past", 0.45), ("present", 0.1), ("future", 0.25), ("going to", 0.2)])
    return verb, thing, subject, tense


# ----- orders


@construction("imperative", 380, "Close the door, please. / Fermez la porte, s'il vous plaît.")
def imperative(maker: Maker) -> Pair:
    """An order to vous, sometimes polite, sometimes negative."""
    you = PRONOUNS[1].subject
    verb = maker.verb(
        lambda item: dynamic(item) and "noimp" not in item.flags and "p" in item.subjects and item.place != "live"
    )
    negative = maker.chooser.chance(0.35)
    predicate = maker.predicate(verb, you, negated=negative, adjectives=0.08, mode="order")
    form = maker.lexicon.conjugator.imperative(verb.fr, 4)
    rest = " ".join(word for word in (verb.fr_tail, predicate.fr) if word)
    words = english_infinitive(predicate)
    if negative:
        words = f"do\u203fnot {words}"
        clitic = "vous " if verb.reflexive else ""
        fr = f"ne {clitic}{form} pas {rest}".strip()
    else:
        fr = f"{form}{'-vous' if verb.reflexive else ''} {rest}".strip()
    if maker.chooser.chance(0.3):
        return sentence(Pair(words + ", please", fr + ", s'il vous plaît"))
    return sentence(Pair(words, fr))


@construction("lets", 190, "Let's go to the park. / Allons au parc.")
def lets(maker: Maker) -> Pair:
    """Let's: the nous imperative."""
    us = PRONOUNS[4].subject
    verb = maker.verb(
        lambda item: dynamic(item) and "noimp" not in item.flags and "p" in item.subjects and item.place != "live"
    )
    predicate = maker.predicate(verb, us, adjectives=0.08, mode="order")
    form = maker.lexicon.conjugator.imperative(verb.fr, 3)
    rest = " ".join(word for word in (verb.fr_tail, predicate.fr) if word)
    return sentence(
        Pair(f"let's {english_infinitive(predicate)}", f"{form}{'-nous' if verb.reflexive else ''} {rest}".strip())
    )


# ----- infinitives


def modal_sentence(maker: Maker, names: tuple[str, ...], question: float = 0.12) -> Pair:
    """A modal verb with an infinitive; sometimes negative, sometimes a question."""
    tense = maker.chooser.one(names)
    verb = maker.verb(lambda item: dynamic(item) and "p" in item.subjects and "noimp" not in item.flags)
    subject = maker.person(0.5)
    form = TENSES[tense]
    if maker.chooser.chance(question) and subject.pronoun and tense in ("can", "could", "should"):
        predicate = maker.predicate(verb, subject)
        fr = maker.french.verb(subject, predicate, form, inverted=subject.fr)
        return sentence(Pair(english_question(subject, predicate, form), fr), "?")
    negative = maker.chooser.chance(0.2) and tense != "have to"
    predicate = maker.predicate(verb, subject, negated=negative)
    return sentence(maker.clause(subject, predicate, form, NOT if negative else None))


@construction("can", 380, "She can repair the car. / Elle peut réparer la voiture.")
def can(maker: Maker) -> Pair:
    """Can and could: pouvoir in the présent and the conditionnel."""
    return modal_sentence(maker, ("can", "can", "could"), 0.3)


@construction("must", 380, "You must finish your homework. / Vous devez finir vos devoirs.")
def must(maker: Maker) -> Pair:
    """must, have to and should: devoir in the présent and the conditionnel."""
    return modal_sentence(maker, ("must", "have to", "should"))


@construction("would_like", 230, "I would like to visit this castle. / Je voudrais visiter ce château.")
def would_like(maker: Maker) -> Pair:
    """Would like to: the conditionnel of vouloir."""
    return modal_sentence(maker, ("would like to",))


@construction("infinitive", 460, "He decided to sell his car. / Il a décidé de vendre sa voiture.")
def infinitive(maker: Maker) -> Pair:
    """A verb that governs an infinitive, with de, with à or with nothing."""
    governor = maker.chooser.pick(maker.lexicon.governors)
    suited = {"oublier": group("duties"), "promettre": group("duties"), "apprendre": group("skills")}.get(
        governor.verb.fr
    )
    verb = maker.verb(
        lambda item: (
            dynamic(item)
            and "p" in item.subjects
            and "noimp" not in item.flags
            and (item.fr in suited if suited else True)
        )
    )
    subject = maker.person(0.5)
    inner = maker.predicate(verb, subject, adjectives=0.1, mode="known")
    en = f"{governor.link} {english_infinitive(inner)}"
    fr = french.elide(f"{governor.fr_link} {maker.french.infinitive(subject, inner)}".strip())
    if "past" in governor.verb.flags:
        tense = maker.chooser.one(["past", "perfect"])
    elif governor.verb.stative:
        tense = maker.chooser.weighted([("present", 0.65), ("past", 0.35)])
    else:
        tense = maker.chooser.one(["past", "progressive", "future", "present"])
    negation = NOT if maker.chooser.chance(0.15) and " some " not in en else None
    return sentence(maker.clause(subject, Predicate(governor.verb, en, fr), tense, negation))


SUITED = {
    "dangerous": group("dangerous verbs"),
    "useful": group("useful verbs"),
    "interesting": group("interesting verbs"),
    "important": group("important verbs"),
    "necessary": group("important verbs"),
}


@construction("easy_to", 190, "It is easy to read this text. / Il est facile de lire ce texte.")
def easy_to(maker: Maker) -> Pair:
    """It is + adjective + to: il est … de."""
    names = [
        "easy",
        "difficult",
        "important",
        "dangerous",
        "interesting",
        "useful",
        "possible",
        "impossible",
        "necessary",
    ]
    adjective = maker.chooser.use(maker.lexicon.adjective[maker.chooser.one(names)])
    fitting = SUITED.get(adjective.en)
    verb = maker.verb(lambda item: dynamic(item) and (item.fr in fitting if fitting else everyday(item)))
    you = PRONOUNS[1].subject
    inner = maker.predicate(verb, you, adjectives=0.1, place=0.0, mode="order")
    it = NounPhrase("it", "il", pronoun=True)
    fr = french.elide(f"{adjective.masculine} de {maker.french.infinitive(you, inner)}")
    tense = maker.chooser.one(["present", "present", "past", "future"])
    return sentence(maker.clause(it, Predicate(BE, f"{adjective.en} to {english_infinitive(inner)}", fr), tense))


@construction("too_to", 150, "He is too tired to work. / Il est trop fatigué pour travailler.")
def too_to(maker: Maker) -> Pair:
    """Too + adjective + to: trop … pour."""
    names, actions = maker.chooser.one(
        (
            (("busy",), ("cook", "go out", "travel", "dance", "swim", "rest")),
            (("tired", "sick"), ("work", "dance", "cook", "go out", "travel", "swim", "run", "drive")),
            (("young",), ("drive", "vote", "work", "travel", "smoke", "get married")),
            (("shy", "nervous"), ("dance", "sing", "answer", "talk")),
            (("lazy",), ("work", "walk", "cook", "run", "get up")),
            (("old", "weak"), ("run", "work", "dance", "travel", "swim", "drive")),
            (("poor",), ("travel", "get married")),
        )
    )
    adjective = maker.chooser.use(maker.lexicon.adjective[maker.chooser.one(names)])
    words = maker.chooser.one(actions)
    verb = verb_of(maker, words)
    subject = maker.person(0.5)
    if adjective.en in ("young", "old"):
        subject = maker.pronoun().subject if maker.chooser.chance(0.6) else maker.name()
    inner = Predicate(verb)
    if verb.objects and verb.fr == "conduire":
        inner = maker.predicate(verb, subject, adjectives=0.0, noun=maker.lexicon.noun["car"])
    base = quality(adjective, subject, ("too", "trop"))
    predicate = base.add(
        f"to {english_infinitive(inner)}", french.elide(f"pour {maker.french.infinitive(subject, inner)}")
    )
    return sentence(maker.clause(subject, predicate, maker.chooser.one(["present", "present", "past"])))


@construction(
    "purpose",
    270,
    "She went to the bakery to buy bread. / Elle est allée à la boulangerie pour acheter du pain.",
)
def purpose(maker: Maker) -> Pair:
    """To + infinitive after a movement: pour."""
    place, errand = maker.chooser.one(ERRANDS)
    words, _, tags = errand.partition(" + ")
    subject = maker.person(0.5)
    move = verb_of(maker, maker.chooser.one(("go", "go", "return")))
    where = maker.lexicon.noun[place]
    spot = next(item for item in maker.lexicon.places if item.noun is where)
    thing = maker.noun_phrase(maker.chooser.use(where), "def")
    verb = verb_of(maker, words)
    inner = Predicate(verb)
    if tags:
        noun = maker.chooser.pick(maker.lexicon.nouns_with(*(tag.replace("_", " ") for tag in tags.split())))
        inner = maker.predicate(verb, subject, adjectives=0.0, noun=noun)
    predicate = Predicate(move, f"to {thing.en}", french.to_and_of(spot.fr_to, thing.fr)).add(
        f"to {english_infinitive(inner)}", french.elide(f"pour {maker.french.infinitive(subject, inner)}")
    )
    tense = maker.chooser.weighted([("past", 0.5), ("going to", 0.2), ("future", 0.2), ("present", 0.1)])
    if move.fr == "aller" and tense == "going to":
        tense = "future"
    return sentence(maker.clause(subject, predicate, tense))


ERRANDS = [(place, words) for place, _, words in expressions("errands")]


@construction("without", 150, "He left without eating. / Il est parti sans manger.")
def without(maker: Maker) -> Pair:
    """Without + -ing: sans + infinitive."""
    subject = maker.person(0.5)
    movement, _, choices = maker.chooser.one(WITHOUT)
    first = verb_of(maker, movement)
    words, _, thing_name = maker.chooser.one(choices.split()).replace("_", " ").partition("+")
    verb = verb_of(maker, words)
    inner = Predicate(verb)
    if thing_name:
        thing = maker.noun_phrase(maker.chooser.use(maker.lexicon.noun[thing_name]), "def")
        inner = Predicate(verb, thing.en, thing.fr)
    predicate = Predicate(
        first,
        f"without {english_infinitive(inner, 'ing')}",
        french.elide(f"sans {maker.french.infinitive(subject, inner)}"),
    )
    return sentence(maker.clause(subject, predicate, maker.chooser.one(["past", "past", "future", "used to"])))


@construction("companion", 270, "She is playing tennis with me. / Elle joue au tennis avec moi.")
def companion(maker: Maker) -> Pair:
    """With and without: avec and sans with a noun or a stressed pronoun."""
    names = (
        "travel",
        "dance",
        "sing",
        "eat",
        "play/jouer",
        "go out",
        "work",
        "swim",
        "come back",
        "leave/partir",
        "have fun",
        "take a walk",
        "live",
        "study",
        "cook",
        "walk",
        "stay",
        "talk",
    )
    verb = verb_of(maker, maker.chooser.one(names))
    subject = maker.person(0.5)
    if maker.chooser.chance(0.5):
        other = someone_else(maker, subject)
        en, fr = other.en_object, other.fr_stressed
    else:
        phrase = maker.kin(subject if maker.chooser.chance(0.5) else PRONOUNS[0].subject)
        phrase = maker.name() if maker.chooser.chance(0.25) else phrase
        if phrase.en == subject.en:
            phrase = maker.kin(PRONOUNS[0].subject)
        en, fr = phrase.en, phrase.fr
    predicate = Predicate(verb)
    if verb.objects and verb.fr not in ("manger", "étudier"):
        predicate = maker.predicate(verb, subject)
    preposition = maker.chooser.weighted([(("with", "avec"), 0.85), (("without", "sans"), 0.15)])
    predicate = predicate.add(f"{preposition[0]} {en}", f"{preposition[1]} {fr}")
    tense = maker.chooser.one(["present", "past", "future", "going to", "progressive", "used to"])
    return sentence(maker.clause(subject, predicate, tense))


# ----- passive


@construction("passive", 340, "The letter was written by my brother. / La lettre a été écrite par mon frère.")
def passive(maker: Maker) -> Pair:
    """Be + participle + by: être + participle agreed + par."""

    def allowed(verb: Verb) -> bool:
        return (
            bool(verb.objects)
            and not verb.fr_preposition
            and not verb.preposition
            and not verb.stative
            and verb.fr in PASSIVE
            and not verb.reflexive
        )

    verb, noun = maker.verb_and_noun(allowed, lambda item, thing: thing.kind in ("c", "u", "m"))
    det = "this" if maker.chooser.chance(0.2) else "def"
    thing = maker.noun_phrase(noun, det, noun.kind == "c" and maker.chooser.chance(0.25))
    agent = maker.person(0.0) if "p" in verb.subjects or "pron" in verb.subjects else maker.subject(verb)
    participle = french.agree(maker.lexicon.conjugator.participle(verb.fr), thing.feminine, thing.plural)
    predicate = Predicate(
        BE, f"{verb.participle} {verb.tail} by {agent.en}".replace("  ", " "), f"{participle} par {agent.fr}"
    )
    tense = maker.chooser.weighted([("past", 0.6), ("future", 0.3), ("perfect", 0.1)])
    return sentence(maker.clause(thing, predicate, TENSES[tense]))


PASSIVE = group("passive verbs")
