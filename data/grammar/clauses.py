"""Build one clause in both languages at once: subject, verb in a tense, negation, complements."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grammar import english, french
from grammar.conjugation import Conjugator
from grammar.english import JOINT
from grammar.lexicon import Noun, Verb

REFLEXIVE = ("me", "te", "se", "nous", "vous", "se")


@dataclass(frozen=True)
class NounPhrase:
    """A subject or an object in both languages, with the features that others agree with."""

    en: str
    fr: str
    feminine: bool = False
    plural: bool = False
    person: int = 3
    pronoun: bool = False
    en_owner: str = ""
    fr_owner: str = ""
    noun: Noun | None = None

    @property
    def index(self) -> int:
        """The French person, 0 to 5; "you" is always vous."""
        if self.person == 2:
            return 4
        return self.person - 1 + (3 if self.plural else 0)


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun: subject, object and stressed forms in both languages."""

    subject: NounPhrase
    en_object: str
    fr_direct: str
    fr_indirect: str
    fr_stressed: str


def _pronoun(en: str, fr: str, person: int, is_plural: bool, is_feminine: bool, owners: str, objects: str) -> Pronoun:
    """Pack the forms of one pronoun."""
    en_owner, fr_owner = owners.split()
    en_object, direct, indirect, stressed = objects.split()
    phrase = NounPhrase(en, fr, is_feminine, is_plural, person, True, en_owner, fr_owner)
    return Pronoun(phrase, en_object, direct, indirect, stressed)


PRONOUNS = (
    _pronoun("I", "je", 1, False, False, "my mon", "me me me moi"),
    _pronoun("you", "vous", 2, False, False, "your votre", "you vous vous vous"),
    _pronoun("he", "il", 3, False, False, "his son", "him le lui lui"),
    _pronoun("she", "elle", 3, False, True, "her son", "her la lui elle"),
    _pronoun("we", "nous", 1, True, False, "our notre", "us nous nous nous"),
    _pronoun("they", "ils", 3, True, False, "their leur", "them les leur eux"),
)


@dataclass(frozen=True)
class Tense:
    """How a tense is built: English form; French simple tense, perfect, or governor + infinitive."""

    en: str
    fr: str
    governor: str = ""
    link: str = ""


TENSES = {
    "present": Tense("present", "present"),
    "progressive": Tense("progressive", "present"),
    "past": Tense("past", "perfect"),
    "imperfect": Tense("past", "imperfect"),
    "used to": Tense("used to", "imperfect"),
    "past progressive": Tense("past progressive", "imperfect"),
    "going to": Tense("going to", "present", "aller"),
    "future": Tense("will", "future"),
    "conditional": Tense("would", "conditional"),
    "perfect": Tense("perfect", "perfect"),
    "pluperfect": Tense("pluperfect", "pluperfect"),
    "just": Tense("just", "present", "venir", "de "),
    "since": Tense("perfect progressive", "present"),
    "can": Tense("can", "present", "pouvoir"),
    "could": Tense("could", "conditional", "pouvoir"),
    "must": Tense("must", "present", "devoir"),
    "should": Tense("should", "conditional", "devoir"),
    "have to": Tense("have to", "present", "devoir"),
    "would like to": Tense("would like to", "conditional", "vouloir"),
}


@dataclass(frozen=True)
class Predicate:
    """A verb with its complements; clitics are French pronouns placed before the verb."""

    verb: Verb
    en: str = ""
    fr: str = ""
    clitics: tuple[str, ...] = ()
    preceding: NounPhrase | None = None

    def add(self, en: str, fr: str) -> Predicate:
        """The same predicate with one more complement at the end of both sides."""
        return replace(self, en=_words(self.en, en), fr=_words(self.fr, fr))


BE = Verb(
    "be",
    "",
    "was",
    "been",
    "being",
    "",
    "être",
    "",
    False,
    "avoir",
    "",
    frozenset({"p"}),
    frozenset(),
    frozenset({"stative"}),
    "",
)


@dataclass(frozen=True)
class Negation:
    """not/pas, never/jamais, no longer/plus, not … anything/rien."""

    en: str
    fr: str


NOT = Negation("not", "pas")
NEVER = Negation("never", "jamais")
NO_LONGER = Negation("no longer", "plus")
NOTHING = Negation("not", "rien")
NOBODY = Negation("not", "")


def _words(*parts: str) -> str:
    """Join the parts that are not empty with spaces."""
    return " ".join(part for part in parts if part)


def english_verb(subject: NounPhrase, verb: Verb, form: str) -> tuple[str, str]:
    """Split a conjugated verb into its first auxiliary ("" if there is none) and the rest."""
    person, many = subject.person, subject.plural
    auxiliary_be = english.be("present", person, many)
    was = english.be("past", person, many)
    copula = verb.head == "be"
    if form == "present":
        if copula:
            return auxiliary_be, ""
        third = person == 3 and not many
        return "", english.third_person(verb.head) if third else verb.head
    if form == "past":
        return (was, "") if copula else ("", verb.past)
    compound = {
        "progressive": (auxiliary_be, verb.en_ing),
        "past progressive": (was, verb.en_ing),
        "going to": (auxiliary_be, "going to " + verb.head),
        "perfect": (english.have(person, many), verb.participle),
        "pluperfect": ("had", verb.participle),
        "just": (english.have(person, many), "just " + verb.participle),
        "perfect progressive": (english.have(person, many), "been " + verb.en_ing),
        "would like to": ("would", "like to " + verb.head),
    }
    if form in compound:
        return compound[form]
    if form == "used to":
        return "", "used to " + verb.head
    if form == "have to":
        return "", english.have(person, many) + " to " + verb.head
    return form, verb.head


def do_support(subject: NounPhrase, verb: Verb, form: str) -> tuple[str, str]:
    """Like english_verb, but with do, does or did when there is no other auxiliary."""
    auxiliary, rest = english_verb(subject, verb, form)
    if auxiliary:
        return auxiliary, rest
    past = form in ("past", "used to")
    base = {"used to": "use to " + verb.head, "have to": "have to " + verb.head}.get(form, verb.head)
    return english.do("past" if past else "present", subject.person, subject.plural), base


def english_clause(
    subject: NounPhrase, predicate: Predicate, tense: Tense, negation: Negation | None = None, middle: str = ""
) -> str:
    """A statement, with joints where a contraction is possible."""
    verb = predicate.verb
    negated = negation is not None and negation.en == "not"
    split = do_support if negated else english_verb
    auxiliary, rest = split(subject, verb, tense.en)
    if negation is not None and not negated:
        middle = negation.en
    start = subject.en
    if auxiliary:
        start += (JOINT if subject.pronoun else " ") + auxiliary
    if negated:
        start += JOINT + "not"
    return _words(start, middle, rest, verb.tail, verb.preposition, predicate.en)


def english_question(subject: NounPhrase, predicate: Predicate, tense: Tense) -> str:
    """A question: the auxiliary, or do, comes before the subject."""
    verb = predicate.verb
    auxiliary, rest = do_support(subject, verb, tense.en)
    return _words(auxiliary, subject.en, rest, verb.tail, verb.preposition, predicate.en)


def english_infinitive(predicate: Predicate, form: str = "base") -> str:
    """The verb phrase without subject: "eat an apple" or "eating an apple"."""
    verb = predicate.verb
    head = verb.en_ing if form == "ing" else verb.head
    return _words(head, verb.tail, verb.preposition, predicate.en)


class FrenchClauses:
    """The French half of a clause; needs the conjugation tables."""

    def __init__(self, conjugator: Conjugator) -> None:
        """Keep the conjugator."""
        self.conjugator = conjugator

    def infinitive(self, subject: NounPhrase, predicate: Predicate) -> str:
        """The infinitive with its pronouns: le manger, me laver."""
        verb = predicate.verb
        reflexive = REFLEXIVE[subject.index] if verb.reflexive else ""
        return _words(reflexive, *predicate.clitics, verb.fr, verb.fr_tail, predicate.fr)

    def participle(self, subject: NounPhrase, predicate: Predicate) -> str:
        """The participle: with être it agrees with the subject, with avoir with a preceding object."""
        verb = predicate.verb
        plain = self.conjugator.participle(verb.fr)
        if verb.auxiliary == "être":
            return french.agree(plain, subject.feminine, subject.plural)
        if predicate.preceding is not None:
            return french.agree(plain, predicate.preceding.feminine, predicate.preceding.plural)
        return plain

    def verb(
        self,
        subject: NounPhrase,
        predicate: Predicate,
        tense: Tense,
        inverted: str = "",
        negation: Negation | None = None,
        middle: str = "",
    ) -> str:
        """Everything after the subject; inverted is the pronoun to hang on the verb in a question."""
        verb, forms = predicate.verb, self.conjugator.forms
        clitics = list(predicate.clitics)
        if verb.reflexive:
            clitics.insert(0, REFLEXIVE[subject.index])
        if tense.governor:
            clitics = []
            finite = forms(tense.governor, tense.fr)[subject.index]
            rest = french.elide(tense.link + self.infinitive(subject, predicate))
        elif tense.fr in ("perfect", "pluperfect"):
            simple = "present" if tense.fr == "perfect" else "imperfect"
            finite = forms(verb.auxiliary.partition(" ")[0], simple)[subject.index]
            rest = _words(self.participle(subject, predicate), verb.fr_tail, predicate.fr)
        else:
            finite = forms(verb.fr, tense.fr)[subject.index]
            rest = _words(verb.fr_tail, predicate.fr)
        if inverted:
            finite = invert(finite, inverted)
        before = "ne" if negation is not None else ""
        after = negation.fr if negation is not None else ""
        return _words(before, *clitics, finite, after, middle, rest)

    def clause(
        self,
        subject: NounPhrase,
        predicate: Predicate,
        tense: Tense,
        negation: Negation | None = None,
        middle: str = "",
    ) -> str:
        """A statement."""
        return _words(subject.fr, self.verb(subject, predicate, tense, "", negation, middle))


def invert(finite: str, pronoun: str) -> str:
    """Hang a subject pronoun on a verb: mange-t-il, est-elle, puis-je."""
    if pronoun == "je":
        finite = {"peux": "puis"}.get(finite, finite)
    link = "-t-" if finite[-1] in "aec" and pronoun in ("il", "elle", "on") else "-"
    return finite + link + pronoun


def tense_of(verb: Verb, name: str) -> Tense:
    """The tense by its English name; the simple past of a state is a French imparfait."""
    if name == "past" and verb.stative:
        return TENSES["imperfect"]
    return TENSES[name]


def join(first: NounPhrase, second: NounPhrase) -> NounPhrase:
    """Two people as one plural subject: Paul and Marie, Paul et Marie."""
    return NounPhrase(
        f"{first.en} and {second.en}",
        f"{first.fr} et {second.fr}",
        first.feminine and second.feminine,
        True,
        en_owner="their",
        fr_owner="leur",
    )
