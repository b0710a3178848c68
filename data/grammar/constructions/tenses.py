"""Statements in each tense."""

from __future__ import annotations

from grammar.clauses import NEVER, Predicate
from grammar.lexicon import Verb
from grammar.maker import Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import group


def dynamic(verb: Verb) -> bool:
    """A verb of action: it has a progressive and a perfect."""
    return not verb.stative


def progressive(verb: Verb) -> bool:
    """A verb that one can be in the middle of."""
    return dynamic(verb) and "noprog" not in verb.flags


def repeated(verb: Verb) -> bool:
    """A verb of something that one does more than once."""
    return "once" not in verb.flags


def statement(
    maker: Maker,
    verb: Verb,
    tense: str,
    times: tuple[str, ...] = (),
    probability: float = 0.3,
    front: float = 0.12,
    mode: str = "",
) -> Pair:
    """Subject, verb, object or place; sometimes a time at the end, more rarely at the front."""
    subject = maker.subject(verb)
    predicate = maker.predicate(verb, subject, mode=mode)
    return with_time(maker, maker.clause(subject, predicate, tense), times, probability, front, verb)


def fitting(verb: Verb, time: str) -> str:
    """The class of times that suits the verb: one cooks yesterday, one builds a house last year."""
    if time == "habit":
        if verb.uid in ROUTINE:
            return "routine"
        return "habit" if verb.fr in GREAT_EVENTS and verb.uid not in DAILY else "daily"
    if time == "past" and verb.place == "live":
        return "era"
    if time == "past" and verb.uid in ROUTINE | DAILY:
        return "pastshort"
    if time in ("past", "future") and verb.fr not in GREAT_EVENTS:
        return {"past": "pastday", "future": "nextday"}[time]
    return time


def with_time(
    maker: Maker,
    clause: Pair,
    times: tuple[str, ...],
    probability: float,
    front: float = 0.12,
    verb: Verb | None = None,
) -> Pair:
    """Add a time to a clause: at the end, or at the front with a comma."""
    if not times or not maker.chooser.chance(probability):
        return sentence(clause)
    if verb is not None:
        times = tuple(fitting(verb, time) for time in times)
    en, fr = maker.adverbial(*times)
    if maker.chooser.chance(front):
        return sentence(Pair(f"{en[0].upper()}{en[1:]}, {clause.en}", f"{fr}, {clause.fr}"))
    return sentence(Pair(f"{clause.en} {en}", f"{clause.fr} {fr}"))


@construction("present", 720, "She eats apples every day. / Elle mange des pommes tous les jours.")
def present(maker: Maker) -> Pair:
    """Simple present: présent; verbs like cut and read always come with a time, or they could be past."""
    verb = maker.verb(repeated)
    unchanged = verb.past == verb.head
    times = () if verb.stative else ("habit",)
    return statement(maker, verb, "present", times, 1.0 if unchanged else 0.3, mode="habit")


@construction("present_frequency", 300, "Paul often washes his car. / Paul lave souvent sa voiture.")
def present_frequency(maker: Maker) -> Pair:
    """An adverb of frequency stands before the English verb and after the French one."""
    verb = maker.verb(lambda item: dynamic(item) and repeated(item) and item.place != "live")
    subject = maker.subject(verb)
    middle = maker.adverbial("frequency")
    predicate = maker.predicate(verb, subject, mode="habit")
    return sentence(maker.clause(subject, predicate, "present", None, middle))


@construction("progressive", 610, "They are watching a movie. / Ils regardent un film.")
def present_progressive(maker: Maker) -> Pair:
    """Present progressive: présent."""
    return statement(maker, maker.verb(progressive), "progressive", ("now",), 0.2, mode="now")


@construction("past_avoir", 720, "I bought a red car yesterday. / J'ai acheté une voiture rouge hier.")
def past_avoir(maker: Maker) -> Pair:
    """Simple past of an action: passé composé with avoir."""
    verb = maker.verb(lambda item: dynamic(item) and item.auxiliary == "avoir")
    return statement(maker, verb, "past", ("past",))


@construction("past_etre", 380, "My sisters arrived last night. / Mes sœurs sont arrivées hier soir.")
def past_etre(maker: Maker) -> Pair:
    """Simple past of a verb of movement: passé composé with être, the participle agrees."""
    verb = maker.verb(lambda item: dynamic(item) and item.auxiliary == "être" and not item.reflexive)
    return statement(maker, verb, "past", ("past",))


@construction("past_state", 270, "He had an old house. / Il avait une vieille maison.")
def past_state(maker: Maker) -> Pair:
    """Simple past of a state: imparfait."""
    return statement(maker, maker.verb(lambda item: item.stative), "past")


@construction("used_to", 300, "We used to play tennis. / Nous jouions au tennis.")
def used_to(maker: Maker) -> Pair:
    """Used to: imparfait."""
    return statement(maker, maker.verb(repeated), "used to", ("habit",), 0.15, mode="habit")


@construction("past_progressive", 300, "She was reading a letter. / Elle lisait une lettre.")
def past_progressive(maker: Maker) -> Pair:
    """Was and were with -ing: imparfait."""
    return statement(maker, maker.verb(progressive), "past progressive", mode="now")


@construction("going_to", 420, "I am going to sell my house. / Je vais vendre ma maison.")
def going_to(maker: Maker) -> Pair:
    """Going to: futur proche."""
    return statement(maker, maker.verb(dynamic), "going to", ("future",), 0.25)


@construction("future", 570, "He will call the doctor tomorrow. / Il appellera le médecin demain.")
def future(maker: Maker) -> Pair:
    """will: futur simple."""
    verb = maker.verb(lambda item: True)
    return statement(maker, verb, "future", () if verb.stative else ("future",))


@construction("conditional", 300, "I would buy a house. / J'achèterais une maison.")
def conditional(maker: Maker) -> Pair:
    """would: conditionnel."""
    return statement(maker, maker.verb(lambda item: True), "conditional")


@construction("perfect", 380, "She has already read this book. / Elle a déjà lu ce livre.")
def perfect(maker: Maker) -> Pair:
    """Present perfect: passé composé, often with already or never."""
    verb = maker.verb(lambda item: dynamic(item) and item.place != "live")
    subject = maker.subject(verb)
    kind = maker.chooser.weighted([("", 0.4), ("already", 0.35), ("never", 0.25)])
    predicate = maker.predicate(verb, subject, negated=kind == "never")
    if kind == "never":
        return sentence(maker.clause(subject, predicate, "perfect", NEVER))
    middle = ("already", "déjà") if kind else ("", "")
    return sentence(maker.clause(subject, predicate, "perfect", None, middle))


@construction("just", 230, "They have just left. / Ils viennent de partir.")
def just(maker: Maker) -> Pair:
    """Have just: venir de."""
    verb = maker.verb(lambda item: dynamic(item) and item.place != "live" and "nojust" not in item.flags)
    return statement(maker, verb, "just")


@construction("since", 230, "I have been waiting for two hours. / J'attends depuis deux heures.")
def since(maker: Maker) -> Pair:
    """Perfect progressive with for or since: présent with depuis."""
    verb = maker.verb(lambda item: progressive(item) and item.fr in DURABLE)
    subject = maker.subject(verb)
    en, fr = maker.chooser.one(SHORT_TIMES)
    if verb.fr in ("habiter", "étudier", "travailler", "apprendre", "voyager", "enseigner"):
        en, fr = maker.chooser.one(LONG_TIMES)
    predicate: Predicate = maker.predicate(verb, subject, adjectives=0.0)
    return sentence(maker.clause(subject, predicate.add(en, fr), "since"))


DURABLE = group("lasting verbs")
GREAT_EVENTS = group("great events")
ROUTINE = frozenset(f"verb:{word.replace('_', ' ')}" for word in group("routine verbs"))
DAILY = frozenset(f"verb:{word.replace('_', ' ')}" for word in group("daily verbs"))
SHORT_TIMES = (
    ("for two hours", "depuis deux heures"),
    ("for ten minutes", "depuis dix minutes"),
    ("since this morning", "depuis ce matin"),
    ("for an hour", "depuis une heure"),
    ("for three hours", "depuis trois heures"),
    ("since noon", "depuis midi"),
)
LONG_TIMES = (
    ("for a year", "depuis un an"),
    ("for five years", "depuis cinq ans"),
    ("for two months", "depuis deux mois"),
    ("since January", "depuis janvier"),
    ("since Monday", "depuis lundi"),
    ("for ten years", "depuis dix ans"),
    ("for a week", "depuis une semaine"),
)
