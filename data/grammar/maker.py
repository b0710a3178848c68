"""Choose subjects, objects and adverbials that make sense together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grammar import english, french
from grammar.chooser import Chooser
from grammar.clauses import (
    PRONOUNS,
    FrenchClauses,
    Negation,
    NounPhrase,
    Predicate,
    Pronoun,
    Tense,
    english_clause,
    english_infinitive,
    join,
    tense_of,
)
from grammar.lexicon import Adjective, Fixed, Lexicon, Noun, Verb
from grammar.tables import group

OWNED = group("owned things")
"""Tags of nouns that one can call "my"."""


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages; joints in the English side mark possible contractions."""

    en: str
    fr: str


class Maker:
    """Builds the pieces of random sentences; every construction receives one."""

    def __init__(self, lexicon: Lexicon, chooser: Chooser) -> None:
        """Index the lexicon."""
        self.lexicon = lexicon
        self.chooser = chooser
        self.french = FrenchClauses(lexicon.conjugator)
        self.verbs = [verb for verb in lexicon.verbs if "skip" not in verb.flags]
        self._objects = {verb.uid: lexicon.nouns_with(*verb.objects) if verb.objects else [] for verb in self.verbs}
        self._adjectives: dict[str, list[Adjective]] = {}

    # ----- people, animals and things as subjects

    def pronoun(self) -> Pronoun:
        """I, you, he, she, we or they."""
        return self.chooser.one(PRONOUNS)

    def name(self) -> NounPhrase:
        """Paul or Marie."""
        name = self.chooser.pick(self.lexicon.names)
        owners = ("her", "son") if name.feminine else ("his", "son")
        return NounPhrase(name.text, name.text, name.feminine, False, en_owner=owners[0], fr_owner=owners[1])

    def kin(self, owner: NounPhrase | None = None) -> NounPhrase:
        """My mother, his brothers: members of a family and friends."""
        noun = self.chooser.pick(self.lexicon.nouns_with("kin"))
        many = noun.kind == "kp" or ("sibling" in noun.tags and self.chooser.chance(0.2))
        if owner is None:
            weights = (0.4, 0.15, 0.12, 0.15, 0.1, 0.08)
            owner = self.chooser.weighted(list(zip(PRONOUNS, weights))).subject
        return self.noun_phrase(noun, "poss", many, owner=_married(noun, owner))

    def role(self) -> NounPhrase:
        """The teacher, the children, this man."""
        noun = self.chooser.pick(self.lexicon.nouns_with("worker", "social", "official"))
        return self.plain_subject(noun)

    def plain_subject(self, noun: Noun) -> NounPhrase:
        """A noun as a subject, with a determiner that suits its kind."""
        if noun.kind in ("u", "w", "m", "z", "p"):
            return self.noun_phrase(noun, "def", noun.kind == "p")
        det = self.chooser.weighted([("def", 0.75), ("this", 0.15), ("poss", 0.1)])
        if det == "poss" and not noun.tags & OWNED:
            det = "def"
        many = self.chooser.chance(0.97 if noun.tags & PAIRED else 0.25)
        owner = self.chooser.one(PRONOUNS).subject
        return self.noun_phrase(noun, det, many, owner=owner)

    def person(self, pronouns: float = 0.42) -> NounPhrase:
        """A person: a pronoun, a name, a relative, a profession or two people."""
        kind = self.chooser.weighted(
            [("pronoun", pronouns), ("name", 0.15), ("kin", 0.21), ("role", 0.18), ("two", 0.04)]
        )
        if kind == "pronoun":
            return self.pronoun().subject
        if kind == "name":
            return self.name()
        if kind == "kin":
            return self.kin()
        if kind == "role":
            return self.role()
        first, second = self.name(), self.name()
        return join(first, second) if first.en != second.en else first

    def subject(self, verb: Verb, pronouns: float = 0.42) -> NounPhrase:
        """A subject the verb accepts."""
        wanted = verb.subjects
        if "p" in wanted and (len(wanted) == 1 or self.chooser.chance(0.85)):
            return self.person(pronouns)
        if "pron" in wanted and self.chooser.chance(0.4):
            return self.pronoun().subject
        others = self.lexicon.nouns_with(*(wanted - {"p", "pron"}))
        if "kin" in wanted and self.chooser.chance(0.4):
            return self.kin()
        noun = self.chooser.pick(others)
        return self.kin() if noun.kind in ("k", "kp") else self.plain_subject(noun)

    # ----- noun phrases

    def ownable(self, noun: Noun) -> bool:
        """True for nouns that one can call "my"."""
        return bool(noun.tags & OWNED)

    def adjectives_for(self, noun: Noun) -> list[Adjective]:
        """The adjectives that may stand beside this noun."""
        if noun.uid not in self._adjectives:
            self._adjectives[noun.uid] = [
                adjective for adjective in self.lexicon.adjectives if noun.has(adjective.attributive)
            ]
        return self._adjectives[noun.uid]

    def adjective_beside(self, noun: Noun, probability: float) -> tuple[Adjective, ...]:
        """No adjective, one, or one before and one after the French noun."""
        known = self.adjectives_for(noun)
        if not known or not self.chooser.chance(probability):
            return ()
        first = self.chooser.pick(known)
        colors = [item for item in known if item.before_noun != first.before_noun and item.en in COLORS]
        if first.before_noun and colors and self.chooser.chance(0.12):
            return (first, self.chooser.pick(colors))
        return (first,)

    def noun_phrase(
        self,
        noun: Noun,
        det: str,
        many: bool = False,
        adjectives: tuple[Adjective, ...] = (),
        owner: NounPhrase | None = None,
        negated: bool = False,
        number: str = "",
        fr_number: str = "",
    ) -> NounPhrase:
        """A noun with a determiner and adjectives, agreed in French.

        Determiners: def, indef, poss, this, some (partitive), generic, zero, number, any.
        """
        if noun.kind in ("p", "kp"):
            many = True
        en_many = many and noun.kind != "mp"
        fr_many = many or noun.kind == "mp"
        en = " ".join([*(item.en for item in adjectives), noun.en_plural if en_many else noun.en])
        fr, any_before = self._french_core(noun, fr_many, adjectives)
        fem = noun.feminine
        if (det == "indef" and en_many) or det == "some":
            en = en if det == "indef" else f"{'any' if negated else 'some'} {en}"
            if negated:
                fr = french.of(fr)
            elif noun.kind == "m":
                fr = _partitive(fr, fem)
            else:
                fr = french.of(fr) if any_before and fr_many else "des " + fr
        elif det == "any":
            en = "any " + en
            fr = french.of(fr) if negated else (_partitive(fr, fem) if noun.kind == "m" else "des " + fr)
        elif det == "indef":
            en = f"{english.a_or_an(en)} {en}"
            fr = french.of(fr) if negated else french.indefinite(fr, fem, False)
        elif det == "def":
            en, fr = "the " + en, french.definite(fr, fem, fr_many)
        elif det == "generic":
            fr = french.definite(fr, fem, fr_many)
        elif det == "poss":
            owner = owner or PRONOUNS[0].subject
            en = f"{owner.en_owner} {en}"
            fr = french.possessive(owner.fr_owner, fr, fem, fr_many)
        elif det == "this":
            word = self.chooser.weighted([("this", 0.75), ("that", 0.25)])
            en = f"{ {'this': 'these', 'that': 'those'}[word] if en_many else word } {en}"
            fr = french.demonstrative(fr, fem, fr_many)
        elif det == "number":
            en, fr = f"{number} {en}", f"{fr_number} {fr}"
        owners = ("their", "leur") if many else (("her" if _is_female(noun) else "his"), "son")
        if not noun.tags & PEOPLE:
            owners = ("their", "leur") if many else ("its", "son")
        return NounPhrase(en, fr, fem, fr_many, en_owner=owners[0], fr_owner=owners[1], noun=noun)

    def _french_core(self, noun: Noun, many: bool, adjectives: tuple[Adjective, ...]) -> tuple[str, bool]:
        """Noun and adjectives without article: petite voiture rouge, bel arbre."""
        fr = noun.fr_plural if many else noun.fr
        if noun.kind in ("p", "kp", "mp"):
            fr = noun.fr_plural if noun.kind == "mp" else noun.fr
        before = [item for item in adjectives if item.before_noun]
        after = [item for item in adjectives if not item.before_noun]
        for item in before:
            form = item.form(noun.feminine, many)
            if not many and not noun.feminine and french.starts_with_vowel(fr):
                form = item.before_vowel
            fr = f"{form} {fr}"
        for item in after:
            fr = f"{fr} {item.form(noun.feminine, many)}"
        return fr, bool(before)

    def object_noun(self, verb: Verb) -> Noun:
        """A noun that makes sense as the object of the verb."""
        return self.chooser.pick(self._objects[verb.uid])

    def object(
        self,
        verb: Verb,
        subject: NounPhrase,
        negated: bool = False,
        adjectives: float = 0.16,
        noun: Noun | None = None,
        mode: str = "",
    ) -> NounPhrase:
        """A full object for the verb: the car, some bread, her old shoes."""
        noun = noun or self.object_noun(verb)
        while (noun.en in WOMENS and not subject.feminine) or (
            noun is subject.noun and len(self._objects[verb.uid]) > 1
        ):
            noun = self.object_noun(verb)
        flags = verb.flags | {mode} | ({"counted"} if verb.fr in COUNTING else set())
        return self.determined(noun, subject, flags, negated, adjectives)

    def determined(
        self,
        noun: Noun,
        subject: NounPhrase,
        flags: frozenset[str] = frozenset(),
        negated: bool = False,
        adjectives: float = 0.16,
    ) -> NounPhrase:
        """Choose a determiner by the kind of noun and the flags of the verb."""
        kind = noun.kind
        if "instplay" in flags:
            return self.noun_phrase(noun, "def")
        if kind == "b":
            return self.noun_phrase(noun, "poss", self.chooser.chance(0.3), owner=subject)
        if kind in ("k", "kp", "k2"):
            many = "sibling" in noun.tags and self.chooser.chance(0.2)
            owner = subject if self.chooser.chance(0.6) else self.pronoun().subject
            return self.noun_phrase(noun, "poss", many, owner=_married(noun, _distinct(owner, subject)))
        if kind in ("s", "z"):
            return self.noun_phrase(noun, "generic")
        if kind == "u":
            return self.noun_phrase(noun, "def")
        if kind == "mp" and "subject" in noun.tags:
            return self.noun_phrase(noun, "generic")
        if noun.en == "mistake" and "made" in flags:
            return self.noun_phrase(noun, "indef", negated=negated)
        if noun.en == "life":
            return self.noun_phrase(noun, "poss", owner=subject)
        if kind in ("w", "mp"):
            return self.noun_phrase(noun, "poss" if kind == "mp" else self.chooser.one(("def", "poss")), owner=subject)
        beside = self.adjective_beside(noun, 0.0 if "plain" in flags else adjectives)
        ownable = bool(noun.tags & OWNED) and "noposs" not in flags
        if kind == "m":
            if "generic" in flags:
                return self.noun_phrase(noun, "generic", False, beside)
            vague = "nodef" in flags or "massabstract" in noun.tags or (noun.en == "noise" and "made" in flags)
            det = "some" if vague else self.chooser.weighted([("def", 0.4), ("some", 0.6)])
            return self.noun_phrase(noun, det, False, beside, negated=negated)
        if kind == "p":
            return self.noun_phrase(noun, self.chooser.one(("def", "poss")), True, beside, subject)
        return self._count_object(noun, subject, flags, negated, beside, ownable)

    def _count_object(
        self,
        noun: Noun,
        subject: NounPhrase,
        flags: frozenset[str],
        negated: bool,
        beside: tuple[Adjective, ...],
        ownable: bool,
    ) -> NounPhrase:
        """The determiner of a noun that can be counted."""
        if "generic" in flags and self.chooser.chance(0.7):
            return self.noun_phrase(noun, "generic", True, beside)
        if "pluralobj" in flags:
            det = self.chooser.weighted([("def", 0.5), ("poss", 0.25 if ownable else 0), ("this", 0.25)])
            return self.noun_phrase(noun, det, True, beside, subject)
        closed = "generic" in flags
        human = bool(noun.tags & (PEOPLE | FEW))
        if "habit" in flags:
            det = self.chooser.weighted(
                [
                    ("indef", 0.0 if human or closed else 0.05 if "definite" in flags else 0.4),
                    ("def", 0.0 if "nodef" in flags else 0.3),
                    ("poss", 0.3 if ownable and "nodef" not in flags else 0.0),
                    ("one", 0.0 if "definite" in flags else 0.12),
                ]
            )
            if det == "one" and (noun.tags & PAIRED or human):
                det = "def"
            if det == "one":
                return self.noun_phrase(noun, "indef" if not closed else "this", False, beside, negated=negated)
            several = 0.97 if noun.tags & PAIRED else 0.75 if noun.tags & PASSING else 0.3
            several = 0.0 if "single" in flags and not noun.tags & (PAIRED | PASSING) else several
            many = det == "indef" or self.chooser.chance(several)
            return self.noun_phrase(noun, det, many, beside, subject, negated)
        if "order" in flags:
            owned = 0.2 if ownable else 0.0
            vague = 0.0 if "definite" in flags else 0.15
            det = self.chooser.weighted([("def", 0.45), ("indef", vague), ("poss", owned), ("this", 0.2)])
            many = noun.tags & PAIRED != frozenset() or (
                det != "indef" and "single" not in flags and self.chooser.chance(0.2)
            )
            return self.noun_phrase(noun, "def" if negated and human else det, many, beside, subject, negated)
        counted = not closed and not human and "counted" in flags
        single = 0.05 if noun.tags & FIXED_PLACES or flags & {"definite", "known"} else 0.28
        single = 0.0 if negated and "definite" in flags else single
        options = [
            ("def", 0.0 if "nodef" in flags else 0.32),
            ("indef", 0.0 if closed or (negated and noun.tags & PEOPLE) else single),
            ("poss", 0.2 if ownable and "nodef" not in flags else 0.0),
            ("this", 0.0 if "nodef" in flags else 0.12),
            ("some", 0.07 if counted else 0.0),
            ("bare", 0.06 if counted else 0.0),
            ("number", 0.08 if counted and not negated and "now" not in flags and "stative" not in flags else 0.0),
        ]
        det = self.chooser.weighted(options)
        if det == "bare":
            return self.noun_phrase(noun, "indef", True, beside, negated=negated)
        if det == "number":
            number = self.chooser.pick(self.lexicon.numbers[1:10])
            return self.noun_phrase(noun, "number", True, beside, number=number.en, fr_number=number.fr)
        plural = 0.97 if noun.tags & PAIRED else 0.0 if "single" in flags else 0.18
        many = det == "some" or (det in ("def", "poss", "this") and self.chooser.chance(plural))
        if det == "indef" and many is False and noun.tags & PAIRED and self.chooser.chance(0.97):
            det, many = "some", True
        return self.noun_phrase(noun, det, many, beside, subject, negated)

    # ----- verbs

    def verb(self, allowed: Callable[[Verb], bool]) -> Verb:
        """A verb that the construction allows."""
        return self.chooser.pick([verb for verb in self.verbs if allowed(verb)])

    def verb_and_noun(self, allowed: Callable[[Verb], bool], suits: Callable[[Verb, Noun], bool]) -> tuple[Verb, Noun]:
        """A verb and an object noun that both suit the construction."""
        options = {
            verb.uid: [noun for noun in self._objects[verb.uid] if suits(verb, noun)]
            for verb in self.verbs
            if allowed(verb)
        }
        verb = self.chooser.pick([verb for verb in self.verbs if options.get(verb.uid)])
        return verb, self.chooser.pick(options[verb.uid])

    def predicate(
        self,
        verb: Verb,
        subject: NounPhrase,
        negated: bool = False,
        adjectives: float = 0.16,
        noun: Noun | None = None,
        place: float = 0.35,
        mode: str = "",
    ) -> Predicate:
        """The verb with an object or a place when it takes one."""
        if verb.objects:
            thing = self.object(verb, subject, negated and not verb.fr_preposition, adjectives, noun, mode)
            fr = french.to_and_of(verb.fr_preposition, thing.fr) if verb.fr_preposition else thing.fr
            en = "any " + thing.en.removeprefix("some ") if negated and thing.en.startswith("some ") else thing.en
            return Predicate(verb, en, fr)
        predicate = Predicate(verb)
        if verb.place and ("needplace" in verb.flags or self.chooser.chance(place)):
            return predicate.add(*self.place(verb.place))
        return predicate

    def place(self, kind: str) -> tuple[str, str]:
        """A place for the verb: in the garden, to the station, in Lyon, at home."""
        chooser, lexicon = self.chooser, self.lexicon
        if kind == "live":
            kind = chooser.weighted([("city", 0.4), ("land", 0.3), ("village", 0.3)])
            if kind == "village":
                noun = lexicon.noun[chooser.one(["village", "city", "house", "apartment", "castle", "street"])]
                chooser.use(noun)
                thing = self.noun_phrase(noun, "indef", False, self.adjective_beside(noun, 0.7))
                preposition = ("on", "dans") if noun.en == "street" else ("in", "dans")
                return f"{preposition[0]} {thing.en}", f"{preposition[1]} {thing.fr}"
        if kind == "country":
            kind = chooser.weighted([("land", 0.5), ("city", 0.2), ("spot", 0.3)])
            if kind == "spot":
                item = chooser.pick(lexicon.fixed("country"))
                return item.en, item.fr
        if kind == "city":
            city = chooser.pick(lexicon.cities)
            return f"in {city.en}", f"à {city.fr}"
        if kind == "land":
            return self.country("in")
        if kind == "to":
            return self.destination()
        if kind == "at":
            kind = chooser.weighted([("public", 0.75), ("city", 0.25)])
            if kind == "city":
                return self.place("city")
            spots = [item for item in lexicon.places if "public" in item.classes]
            return self.at(chooser.pick(spots).noun)
        if kind == "water":
            spots = [item for item in lexicon.places if "swim" in item.classes]
            return self.at(chooser.pick(spots).noun)
        if kind not in ("in", "city", "land"):
            return self.listed_place(kind)
        if chooser.chance(0.15):
            item = chooser.pick(lexicon.fixed("place"))
            return item.en, item.fr
        spots = [item for item in lexicon.places if item.classes & {"indoor", "outdoor", "public"}]
        return self.at(chooser.pick(spots).noun)

    def listed_place(self, names: str) -> tuple[str, str]:
        """One of the places listed with a verb: nouns, or adverbials such as home and outside."""
        known = {item.en.replace(" ", "_"): item for item in self.lexicon.fixed("place", "placebed")}
        name = self.chooser.one(names.split())
        if name in known:
            item = self.chooser.use(known[name])
            return item.en, item.fr
        return self.at(self.chooser.use(self.lexicon.noun[name.replace("_", " ")]))

    def at(self, noun: Noun) -> tuple[str, str]:
        """Where something happens: at the station, à la gare; in the garden, dans le jardin."""
        spot = next(item for item in self.lexicon.places if item.noun is noun)
        thing = self.noun_phrase(noun, "def")
        return f"{spot.en_at} {thing.en}", french.to_and_of(spot.fr_at, thing.fr)

    def destination(self) -> tuple[str, str]:
        """Where someone goes: to the station, à la gare; to Spain, en Espagne; to Rome, à Rome."""
        kind = self.chooser.weighted([("spot", 0.6), ("city", 0.2), ("land", 0.2)])
        if kind == "city":
            return self.destination_city()
        if kind == "land":
            return self.country("to")
        spot = self.chooser.pick([item for item in self.lexicon.places if "only at" not in item.classes])
        thing = self.noun_phrase(spot.noun, "def")
        return f"to {thing.en}", french.to_and_of(spot.fr_to, thing.fr)

    def destination_city(self) -> tuple[str, str]:
        """To London, à Londres."""
        city = self.chooser.pick(self.lexicon.cities)
        return f"to {city.en}", f"à {city.fr}"

    def country(self, preposition: str) -> tuple[str, str]:
        """In and to Spain, en Espagne; in Japan, au Japon; from the United States, des États-Unis."""
        land = self.chooser.pick(self.lexicon.countries)
        en = f"{preposition} the {land.en}" if land.plural else f"{preposition} {land.en}"
        short = land.feminine or (french.starts_with_vowel(land.fr) and not land.plural)
        if preposition == "from":
            if short:
                return en, french.of(land.fr)
            return en, french.to_and_of("de", french.definite(land.fr, False, land.plural))
        if short:
            return en, "en " + land.fr
        return en, french.to_and_of("à", french.definite(land.fr, False, land.plural))

    # ----- clauses

    def clause(
        self,
        subject: NounPhrase,
        predicate: Predicate,
        tense: str | Tense,
        negation: Negation | None = None,
        middle: tuple[str, str] = ("", ""),
    ) -> Pair:
        """A clause in both languages, without capital or full stop."""
        form = tense_of(predicate.verb, tense) if isinstance(tense, str) else tense
        return Pair(
            english_clause(subject, predicate, form, negation, middle[0]),
            self.french.clause(subject, predicate, form, negation, middle[1]),
        )

    def infinitive(self, subject: NounPhrase, predicate: Predicate) -> Pair:
        """Eat an apple, manger une pomme."""
        return Pair(english_infinitive(predicate), self.french.infinitive(subject, predicate))

    def adverbial(self, *classes: str) -> tuple[str, str]:
        """A time or another adverbial of one of these classes."""
        item: Fixed = self.chooser.pick(self.lexicon.fixed(*classes))
        return item.en, item.fr


FEW = group("things met one at a time")
"""Tags of things one rarely meets by the dozen."""
COUNTING = group("counting verbs")
PAIRED = frozenset({"footwear"})
"""Tags of things that come in pairs."""
FIXED_PLACES = frozenset({"room", "outside", "housepart"})
"""Tags of the parts of a house, which one mostly knows."""
PASSING = frozenset({"event", "gift", "invitation", "contest", "schoolevent", "accident"})
"""Tags of things that a habit meets more than once."""
WOMENS = frozenset({"dress", "skirt"})
COLORS = group("colors")
PEOPLE = group("people")
FEMALE = group("women")


def _is_female(noun: Noun) -> bool:
    """True for the nouns that English calls "she"."""
    return noun.en in FEMALE


def _partitive(fr: str, is_feminine: bool) -> str:
    """du, de la or de l'."""
    whole = french.definite(fr, is_feminine, False)
    return "du " + fr if whole.startswith("le ") else "de " + whole


def _married(noun: Noun, owner: NounPhrase) -> NounPhrase:
    """One husband or wife for one person: "our wife" becomes "my wife"."""
    if "spouse" not in noun.tags:
        return owner
    if owner.plural or (owner.person == 3 and owner.feminine == noun.feminine):
        return PRONOUNS[0].subject
    return owner


def _distinct(owner: NounPhrase, subject: NounPhrase) -> NounPhrase:
    """Avoid "his brother" in a sentence about another man: such owners are replaced by the subject."""
    if owner.person == 3 and subject.person == 3:
        return subject
    return owner


def sentence(pair: Pair, end: str = ".") -> Pair:
    """Add capital, end mark, elision and spaces to a finished sentence."""
    fr = french.typeset(french.capitalize(french.elide(pair.fr)) + end)
    return replace(pair, en=french.capitalize(pair.en) + end, fr=fr)
