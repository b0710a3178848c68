"""Everyday expressions: weather, time, date, price, feelings, quantities, comparisons."""

from __future__ import annotations

from dataclasses import replace

from grammar import english, french
from grammar.clauses import (
    BE,
    NOT,
    PRONOUNS,
    REFLEXIVE,
    NounPhrase,
    Predicate,
    english_clause,
    tense_of,
)
from grammar.constructions.complex import IT
from grammar.constructions.questions import yes_no
from grammar.constructions.states import POSITIONS, genitive, owned_by, place_phrase, thing_subject
from grammar.constructions.tenses import with_time
from grammar.lexicon import Adjective, Noun
from grammar.maker import PAIRED, Maker, Pair, sentence
from grammar.registry import construction
from grammar.tables import expressions, group


def be_have(maker: Maker, subject: NounPhrase, en: str, fr: str, tense: str, negative: bool = False) -> Pair:
    """English be + en, French avoir + fr: she is hungry, elle a faim."""
    negation = NOT if negative else None
    form = tense_of(BE, tense)
    have = Predicate(maker.lexicon.find_verb("have"), "", fr)
    return Pair(
        english_clause(subject, Predicate(BE, en), form, negation), maker.french.clause(subject, have, form, negation)
    )


FEELINGS = [(en, fr) for en, fr, _ in expressions("feelings")]


@construction("feeling", 340, "She is hungry. / Elle a faim.")
def feeling(maker: Maker) -> Pair:
    """Be hungry, thirsty, right: avoir faim, soif, raison."""
    en, fr = maker.chooser.one(FEELINGS)
    subject = maker.person(0.5)
    tense = maker.chooser.weighted([("present", 0.6), ("past", 0.25), ("future", 0.15)])
    negative = maker.chooser.chance(0.25)
    if en in ("hungry", "thirsty", "cold", "hot", "sleepy", "afraid") and not negative and maker.chooser.chance(0.2):
        en, fr = f"very {en}", f"très {fr}"
    if negative and fr.startswith("de la "):
        fr = "de " + fr.removeprefix("de la ")
    return sentence(be_have(maker, subject, en, fr, tense, negative))


@construction("afraid_of", 150, "He is afraid of spiders. / Il a peur des araignées.")
def afraid_of(maker: Maker) -> Pair:
    """Be afraid of: avoir peur de."""
    noun = maker.chooser.pick(maker.lexicon.nouns_with("wild", "reptile", "insect", "small", "dog", "storm", "judge"))
    if noun.tags & {"worker"} or maker.chooser.chance(0.2):
        thing = maker.noun_phrase(noun, "def")
    else:
        thing = maker.noun_phrase(noun, "generic", True)
    subject = maker.person(0.55)
    fr = "peur " + french.to_and_of("de", thing.fr)
    tense = maker.chooser.weighted([("present", 0.7), ("past", 0.3)])
    return sentence(be_have(maker, subject, f"afraid of {thing.en}", fr, tense, maker.chooser.chance(0.25)))


WEATHER = [(en, fr) for en, fr, _ in expressions("weather")]


@construction("weather", 230, "It was cold in Paris yesterday. / Il faisait froid à Paris hier.")
def weather(maker: Maker) -> Pair:
    """It is cold: il fait froid; it is raining: il pleut; it is windy: il y a du vent."""
    chooser = maker.chooser
    en_place, fr_place = maker.place(chooser.one(["city", "land"])) if chooser.chance(0.45) else ("", "")
    tense = chooser.weighted([("present", 0.4), ("past", 0.35), ("future", 0.25)])
    times = {"present": ("now",), "past": ("pastday",), "future": ("nextday",)}[tense]
    if chooser.chance(0.35):
        verb = Predicate(maker.lexicon.find_verb(chooser.one(["rain", "snow"])), en_place, fr_place)
        name = {"present": "progressive", "past": "past progressive"}.get(tense, tense)
        return with_time(maker, maker.clause(IT, verb, name), times, 0.5)
    en, fr = chooser.one(WEATHER)
    form = tense_of(BE, tense)
    if fr.startswith("du "):
        there = NounPhrase("il y", "il y", pronoun=True)
        clause = maker.french.clause(
            there, Predicate(maker.lexicon.find_verb("have"), "", f"{fr} {fr_place}".strip()), form
        )
    else:
        clause = maker.french.clause(IT, Predicate(maker.lexicon.find_verb("do"), "", f"{fr} {fr_place}".strip()), form)
    pair = Pair(english_clause(IT, Predicate(BE, f"{en} {en_place}".strip()), form), clause)
    if en in ("sunny", "hot", "very hot", "nice out"):
        times = {"present": ("now",), "past": ("pastlight",), "future": ("nextlight",)}[tense]
    return with_time(maker, pair, times, 0.5)


def clock_time(maker: Maker) -> tuple[str, str]:
    """A time of day in words: half past three, trois heures et demie."""
    chooser, numbers = maker.chooser, maker.lexicon.numbers
    hour = 1 + chooser.index(12)
    if hour == 12:
        return chooser.one([("noon", "midi"), ("midnight", "minuit")])
    number = chooser.use(numbers[hour - 1])
    fr = "une heure" if hour == 1 else f"{number.fr} heures"
    kind = chooser.one(["full", "full", "half", "past", "to", "ten"])
    if kind == "half":
        return f"half past {number.en}", f"{fr} et demie"
    if kind == "past":
        return f"a quarter past {number.en}", f"{fr} et quart"
    if kind == "to":
        return f"a quarter to {number.en}", f"{fr} moins le quart"
    if kind == "ten":
        minutes = chooser.pick([item for item in numbers if item.value in (5, 10, 20)])
        if chooser.chance(0.5):
            return f"{minutes.en} past {number.en}", f"{fr} {minutes.fr}"
        return f"{minutes.en} to {number.en}", f"{fr} moins {minutes.fr}"
    return f"{number.en} o'clock", fr


@construction("clock", 230, "The train leaves at half past three. / Le train part à trois heures et demie.")
def clock(maker: Maker) -> Pair:
    """The time of day."""
    chooser, lexicon = maker.chooser, maker.lexicon
    en, fr = clock_time(maker)
    kind = chooser.weighted([("is", 0.15), ("train", 0.3), ("person", 0.35), ("event", 0.2)])
    if kind == "is":
        tense = chooser.one(["present", "past"])
        return sentence(maker.clause(IT, Predicate(BE, en, fr), tense))
    if kind == "train":
        noun = chooser.pick(lexicon.nouns_with("transit"))
        subject = thing_subject(maker, noun)
        names = ["leave", "arrive"]
        tense = chooser.one(["present", "past", "future"])
    elif kind == "event":
        noun = chooser.pick(
            [
                item
                for item in lexicon.nouns_with("event", "lessonthing")
                if item.en not in ("birthday", "trip", "wedding")
            ]
        )
        subject = maker.noun_phrase(noun, "def")
        names = ["begin"]
        tense = chooser.one(["present", "past", "future"])
    else:
        subject = maker.person(0.5)
        names = ["get up", "go to bed", "eat", "come back", "leave", "arrive", "go out", "wake up"]
        tense = chooser.one(["present", "past", "future", "past", "going to"])
    verb = chooser.use(lexicon.find_verb(chooser.one(names)))
    return sentence(maker.clause(subject, Predicate(verb, f"at {en}", f"à {fr}"), tense))


def date_words(maker: Maker) -> tuple[str, str]:
    """On May 3, le 3 mai; the first of the month is le 1er."""
    month = maker.chooser.pick(maker.lexicon.dated("month"))
    day = 1 + maker.chooser.index(31 if month.en not in SHORT_MONTHS else 28)
    return f"{month.en} {day}", f"{'1er' if day == 1 else day} {month.fr}"


SHORT_MONTHS = group("short months")


@construction("date", 270, "My birthday is on May 3. / Mon anniversaire est le 3 mai.")
def date(maker: Maker) -> Pair:
    """Days, months, seasons and dates."""
    chooser, lexicon = maker.chooser, maker.lexicon
    kind = chooser.weighted([("date", 0.45), ("day", 0.3), ("month", 0.25)])
    if kind == "date":
        en, fr = date_words(maker)
        en, fr = f"on {en}", f"le {fr}"
    elif kind == "day":
        day = chooser.pick(lexicon.dated("day"))
        part = chooser.one([("", ""), (" morning", " matin"), (" evening", " soir"), (" afternoon", " après-midi")])
        en, fr = f"on {day.en}{part[0]}", day.fr + part[1]
    else:
        item = chooser.pick(lexicon.dated("month") + lexicon.dated("season"))
        fr = f"en {item.fr}" if item.en != "spring" else "au printemps"
        en = f"in {item.en}"
    if chooser.chance(0.5):
        noun = chooser.pick(lexicon.nouns_with("event"))
        subject = (
            maker.noun_phrase(noun, "poss", owner=maker.person(0.6))
            if noun.en in ("birthday", "trip")
            else (maker.noun_phrase(noun, "def"))
        )
        tense = chooser.weighted([("present", 0.5), ("past", 0.2), ("future", 0.3)])
        return sentence(maker.clause(subject, Predicate(BE, en, fr), tense))
    verb = chooser.use(lexicon.find_verb(chooser.one(["arrive", "leave", "come back", "travel", "work"])))
    tense = chooser.one(["past", "future", "going to"])
    return sentence(maker.clause(maker.person(0.55), Predicate(verb, en, fr), tense))


@construction("price", 190, "This shirt costs twenty euros. / Cette chemise coûte vingt euros.")
def price(maker: Maker) -> Pair:
    """How much a thing costs."""
    noun = maker.chooser.pick(maker.lexicon.nouns_with(*group("priced things")))
    many = noun.tags & PAIRED != frozenset() or maker.chooser.chance(0.25)
    subject = maker.noun_phrase(noun, maker.chooser.one(["def", "this", "this"]), many)
    low, high = (40, 1000) if noun.tags & {"furniture", "jewel", "electronics", "instrument"} else (2, 20)
    if noun.tags & {"clothes", "footwear"}:
        low, high = (10, 20) if noun.en in ("sock", "glove") else (20, 100)
    if noun.en in ("newspaper", "magazine") or noun.tags & {"baked"}:
        low, high = 2, 8
    number = maker.chooser.pick([item for item in maker.lexicon.numbers if low <= item.value <= high])
    verb = maker.lexicon.find_verb("cost")
    tense = maker.chooser.weighted([("present", 0.8), ("future", 0.2)])
    return sentence(maker.clause(subject, Predicate(verb, f"{number.en} euros", f"{number.fr} euros"), tense))


@construction("origin", 190, "She comes from Spain. / Elle vient d'Espagne.")
def origin(maker: Maker) -> Pair:
    """Come from: venir de with a country or a city."""
    come = maker.chooser.use(maker.lexicon.find_verb("come"))
    if maker.chooser.chance(0.3):
        city = maker.chooser.pick(maker.lexicon.cities)
        en, fr = f"from {city.en}", french.of(city.fr)
    else:
        en, fr = maker.country("from")
    negation = NOT if maker.chooser.chance(0.15) else None
    return sentence(maker.clause(maker.person(0.4), Predicate(come, en, fr), "present", negation))


@construction(
    "speak_language",
    190,
    "She lives in Spain and speaks Spanish. / Elle habite en Espagne et elle parle espagnol.",
)
def speak_language(maker: Maker) -> Pair:
    """Speak + language: parler without article."""
    chooser = maker.chooser
    tongue = chooser.pick(maker.lexicon.nouns_with("tongue"))
    speak = chooser.use(maker.lexicon.find_verb("speak"))
    subject = maker.person(0.5)
    how = chooser.one([("", ""), ("very well", "très bien"), ("a little", "un peu"), ("fluently", "couramment")])
    words = (tongue.fr, how[1]) if how[1] == "couramment" else (how[1], tongue.fr)
    predicate = Predicate(speak, f"{tongue.en} {how[0]}".strip(), " ".join(words).strip())
    tense = chooser.one(["present", "present", "past progressive", "future"])
    negation = NOT if not how[0] and chooser.chance(0.3) else None
    return sentence(maker.clause(subject, predicate, tense, negation))


TRANSPORT = [(en, fr) for en, fr, _ in expressions("transport")]


@construction("transport", 230, "I go to school by bus. / Je vais à l'école en bus.")
def transport(maker: Maker) -> Pair:
    """By + vehicle: en or à."""
    en, fr = maker.chooser.one(TRANSPORT)
    far = en in ("by plane", "by boat") or (en in ("by train", "by car") and maker.chooser.chance(0.6))
    if far:
        where = maker.country("to") if maker.chooser.chance(0.5) else maker.destination_city()
    else:
        spots = [item for item in maker.lexicon.places if item.classes & {"public", "eat"}]
        spot = maker.chooser.pick(spots)
        place = maker.noun_phrase(spot.noun, "def")
        where = f"to {place.en}", french.to_and_of(spot.fr_to, place.fr)
    move = maker.chooser.use(maker.lexicon.find_verb(maker.chooser.one(["go", "come", "return"])))
    tense = maker.chooser.one(["present", "past", "future", "used to"])
    predicate = Predicate(move, *where).add(en, fr)
    return sentence(maker.clause(maker.person(0.5), predicate, tense))


@construction("pain", 150, "My head hurts. / J'ai mal à la tête.")
def pain(maker: Maker) -> Pair:
    """A part of the body hurts: avoir mal à."""
    noun = maker.chooser.pick(maker.lexicon.nouns_with("ache"))
    owner = maker.person(0.6)
    while owner.plural:
        owner = maker.person(0.6)
    many = noun.en in ("hand", "arm", "leg", "foot", "knee", "shoulder") and maker.chooser.chance(0.4)
    part = maker.noun_phrase(noun, "def", many)
    tense = "present" if many else maker.chooser.weighted([("present", 0.75), ("past", 0.25)])
    words = noun.en_plural if many else noun.en
    if tense == "present":
        verb = "hurt" if many else "hurts"
    else:
        verb = "hurt"
    possessor = owner.en_owner if owner.pronoun else f"{owner.en}'s"
    have = Predicate(maker.lexicon.find_verb("have"), "", "mal " + french.to_and_of("à", part.fr))
    return sentence(Pair(f"{possessor} {words} {verb}", maker.french.clause(owner, have, tense_of(BE, tense))))


@construction("exclamation", 190, "What a beautiful house! / Quelle belle maison !")
def exclamation(maker: Maker) -> Pair:
    """What a: quel, agreed, without article."""
    noun, adjective = noun_with_adjective(maker)
    many = maker.chooser.chance(0.2)
    thing = maker.noun_phrase(noun, "indef", many, (adjective,))
    core = maker.noun_phrase(noun, "zero", many, (adjective,))
    word = "quel" + ("le" if noun.feminine else "") + ("s" if many else "")
    return sentence(Pair(f"what {thing.en}", f"{word} {core.fr}"), "!")


def noun_with_adjective(maker: Maker) -> tuple[Noun, Adjective]:
    """A noun that can be counted and an adjective that may stand beside it."""
    adjective = maker.chooser.pick(
        [
            item
            for item in maker.lexicon.adjectives
            if item.attributive and item.degree != "no" and item.en != "new" and item.en not in UNGRADED
        ]
    )
    nouns = [noun for noun in maker.lexicon.nouns_with(*adjective.attributive) if noun.kind == "c"]
    if not nouns:
        return noun_with_adjective(maker)
    return maker.chooser.pick(nouns), adjective


@construction(
    "there_is",
    380,
    "There are three chairs in the kitchen. / Il y a trois chaises dans la cuisine.",
)
def there_is(maker: Maker) -> Pair:
    """There is, there are, there was, there will be: il y a."""
    chooser, lexicon = maker.chooser, maker.lexicon
    tense = chooser.weighted([("present", 0.6), ("past", 0.3), ("future", 0.1)])
    place, nouns = scene(maker)
    noun = chooser.pick(nouns)
    kind = chooser.weighted([("one", 0.45), ("some", 0.25), ("number", 0.2), ("none", 0.1)])
    negative = kind == "none"
    beside = maker.adjective_beside(noun, 0.15) if not negative else ()
    if noun.kind == "m":
        thing = maker.noun_phrase(noun, "some", negated=negative)
        many = False
    elif kind == "one":
        thing, many = maker.noun_phrase(noun, "indef", False, beside), False
    elif kind == "number":
        number = chooser.pick(lexicon.numbers[1:12])
        thing = maker.noun_phrase(noun, "number", True, number=number.en, fr_number=number.fr)
        many = True
    else:
        thing = maker.noun_phrase(noun, "some", True, beside, negated=negative)
        many = True
    there = NounPhrase("there", "il y", plural=many, pronoun=True)
    here = NounPhrase("there", "il y", pronoun=True)
    form = tense_of(BE, tense)
    negation = NOT if negative else None
    en = english_clause(there, Predicate(BE, f"{thing.en} {place[0]}"), form, negation)
    fr = maker.french.clause(here, Predicate(lexicon.find_verb("have"), "", f"{thing.fr} {place[1]}"), form, negation)
    if negative:
        fr = fr.replace("il y ne ", "il ne y ")
    if many and not en.startswith("there\u203fwill"):
        en = en.replace("there\u203fare", "there are")
    return sentence(Pair(en, french.elide(fr)))


def scene(maker: Maker) -> tuple[tuple[str, str], list[Noun]]:
    """A place and what one may find there."""
    lexicon, chooser = maker.lexicon, maker.chooser
    spot, tags = chooser.one(SCENES)
    nouns = lexicon.nouns_with(*(tag.replace("_", " ") for tag in tags.split()))
    if spot in ("table", "bed", "chair", "sofa", "desk", "shelf", "box", "bag", "drawer", "basket", "closet", "tree"):
        options = {
            "table": 0,
            "desk": 0,
            "shelf": 0,
            "bed": 1,
            "chair": 1,
            "sofa": 1,
            "tree": 1,
            "box": 5,
            "bag": 5,
            "drawer": 5,
            "basket": 5,
            "closet": 5,
        }
        index = options[spot]
        if spot in ("bed", "chair", "sofa") and chooser.chance(0.4):
            index = 0
        en, fr, _ = POSITIONS[index]
        return place_phrase(maker, en, fr, chooser.use(lexicon.noun[spot])), nouns
    if spot == "town":
        return chooser.one(
            [
                ("in town", "en ville"),
                ("in this city", "dans cette ville"),
                ("in this village", "dans ce village"),
                ("near here", "près d'ici"),
            ]
        ), nouns
    return maker.at(chooser.use(lexicon.noun[spot])), nouns


SCENES = [(place, tags) for place, _, tags in expressions("scenes")]


@construction("owner", 300, "These are my shoes. / Ce sont mes chaussures.")
def owner_sentence(maker: Maker) -> Pair:
    """A thing and its owner: c'est, ce sont, appartenir à."""
    chooser = maker.chooser
    noun = chooser.pick(maker.lexicon.nouns_with("thing", "clothes", "footwear", "private", "pet", "home", "document"))
    many = chooser.chance(0.3)
    kind = chooser.weighted([("mine", 0.4), ("of", 0.35), ("belong", 0.25)])
    if kind == "belong":
        subject = maker.noun_phrase(noun, "this", many)
        person = maker.name() if chooser.chance(0.5) else maker.kin()
        verb = maker.lexicon.find_verb("belong")
        predicate = Predicate(verb, f"to {person.en}", french.to_and_of("à", person.fr))
        return sentence(maker.clause(subject, predicate, "present"))
    if kind == "of":
        thing = owned_by(maker, noun, many)
    else:
        beside = maker.adjective_beside(noun, 0.25)
        thing = maker.noun_phrase(noun, "poss", many, beside, maker.pronoun().subject)
    plural_en = noun.kind == "p" or many
    question = chooser.chance(0.2)
    if question:
        start = "are these" if plural_en else "is this"
        return sentence(
            Pair(
                f"{start} {thing.en}", f"est-ce que {'ce sont' if plural_en else 'c’est'} {thing.fr}".replace("’", "'")
            ),
            "?",
        )
    return sentence(
        Pair(
            f"{'these are' if plural_en else 'this is'} {thing.en}",
            f"{'ce sont' if plural_en else 'c’est'} {thing.fr}".replace("’", "'"),
        )
    )


@construction("favorite", 150, "My favorite sport is tennis. / Mon sport préféré est le tennis.")
def favorite(maker: Maker) -> Pair:
    """favorite: préféré, agreed."""
    en, fr, words = maker.chooser.one(FAVORITES)
    gender, _, tags = words.partition(" ")
    feminine = gender == "feminine"
    owner = maker.person(0.6)
    adjective = "préférée" if feminine else "préféré"
    if owner.pronoun:
        head_en = f"{owner.en_owner} favorite {en}"
        head_fr = french.possessive(owner.fr_owner, fr, feminine, False) + f" {adjective}"
    else:
        mark = genitive(owner)
        head_en = f"{owner.en}{mark} favorite {en}"
        head_fr = french.definite(fr, feminine, False) + f" {adjective} {french.to_and_of('de', owner.fr)}"
    noun = maker.chooser.pick(maker.lexicon.nouns_with(*tags.split()))
    thing = maker.noun_phrase(noun, "def" if tags in ("fruit", "pet wild", "instrument") else "generic")
    subject = NounPhrase(head_en, head_fr, feminine)
    return sentence(maker.clause(subject, Predicate(BE, thing.en, thing.fr), maker.chooser.one(["present", "past"])))


FAVORITES = expressions("favorites")

AMOUNTS = expressions("amounts")


@construction("quantity", 380, "She drank a glass of water. / Elle a bu un verre d'eau.")
def quantity(maker: Maker) -> Pair:
    """An amount: de without article."""
    chooser, lexicon = maker.chooser, maker.lexicon
    en, fr, tags = chooser.one(AMOUNTS)
    nouns = [noun for noun in lexicon.nouns_with(*tags.split()) if noun.kind in ("c", "m")]
    if en in ("a piece of",):
        nouns = [noun for noun in nouns if noun.kind == "m" or noun.en in ("cake", "pie", "pizza", "melon")]
    if en in ("too much", "a little", "a slice of", "less"):
        nouns = [noun for noun in nouns if noun.kind == "m"]
    noun = chooser.pick(nouns)
    if noun.tags & {"drink"}:
        names = ["drink", "buy", "want", "order"]
    elif noun.tags & {"spice", "money"} or noun.en in ("flour", "oil"):
        names = ["want", "buy", "need", "use"] if "money" not in noun.tags else ["have", "need"]
    else:
        names = ["eat", "buy", "want", "order"]
    if "papermass" in noun.tags:
        names = ["want", "need", "cut", "fold"]
    words = chooser.one(names)
    if words == "need" and en in ("too much", "enough", "less", "more"):
        words = "want" if "money" not in noun.tags else "have"
    if words == "order" and en not in ("a glass of", "a bottle of", "a cup of", "a bowl of"):
        words = "buy"
    if words in ("drink", "eat") and en in ("a bottle of", "a kilo of", "a bag of", "a basket of", "a box of"):
        words = "buy"
    if noun.en in ("salt", "pepper", "oil", "flour", "sugar") and words == "eat":
        words = "use"
    if noun.en == "onion" and words == "eat":
        words = "buy"
    verb = chooser.use(lexicon.find_verb(words))
    many = noun.kind == "c" and en not in ("a piece of",)
    core = maker.noun_phrase(noun, "zero", many)
    subject = maker.person(0.5)
    object_fr = f"{fr.removesuffix(' de')} {french.of(core.fr)}"
    if verb.fr_preposition == "de":
        object_fr = french.to_and_of("de", object_fr)
    tenses = ["past", "present", "future"] if verb.stative else ["past", "present", "future", "going to"]
    tense = chooser.one(tenses)
    return sentence(maker.clause(subject, Predicate(verb, f"{en} {core.en}", object_fr), tense))


@construction("partitive", 300, "I want some bread. / Je veux du pain.")
def partitive(maker: Maker) -> Pair:
    """Some and any with food and drink: du, de la, de l', des, and de after a negation."""
    chooser, lexicon = maker.chooser, maker.lexicon
    noun = chooser.pick(
        [
            item
            for item in lexicon.nouns_with("food", "drink", "spice", "soap", "paper", "money")
            if item.kind in ("m", "c")
        ]
    )
    names = ["drink", "want", "buy"] if "drink" in noun.tags else ["eat", "want", "buy"]
    if noun.tags & {"spice"} or noun.en in ("soap", "paper"):
        names = ["want", "buy", "use"]
    if "money" in noun.tags:
        names = ["want", "need", "have", "find"]
    verb = chooser.use(lexicon.find_verb(chooser.one(names)))
    subject = maker.person(0.55)
    negative = chooser.chance(0.35)
    question = not negative and chooser.chance(0.25)
    det = "any" if negative else "some"
    thing = maker.noun_phrase(noun, det, noun.kind == "c", negated=negative and not verb.fr_preposition)
    fr = french.to_and_of(verb.fr_preposition, thing.fr) if verb.fr_preposition else thing.fr
    predicate = Predicate(verb, thing.en, fr)
    tense = chooser.one(["present", "past", "future"])
    if question:
        return yes_no(subject, predicate, chooser.one(["present", "past"]), maker)
    return sentence(maker.clause(subject, predicate, tense, NOT if negative else None))


# ----- comparisons

IRREGULAR = {"bon": "meilleur"}


def compared(adjective: Adjective, subject: NounPhrase, degree: str) -> tuple[str, str]:
    """Taller than, plus grand que; less tall than; as tall as; better than, meilleur que."""
    form = adjective.form(subject.feminine, subject.plural)
    if degree == "more":
        if adjective.masculine in IRREGULAR:
            better = form.replace("bonne", "meilleure") if "bonne" in form else form.replace("bon", "meilleur")
            return f"{english.graded(adjective.en, adjective.degree)} than", f"{better} que"
        return f"{english.graded(adjective.en, adjective.degree)} than", f"plus {form} que"
    if degree == "less":
        return f"less {adjective.en} than", f"moins {form} que"
    return f"as {adjective.en} as", f"aussi {form} que"


def comparable(maker: Maker, adjective: Adjective) -> list[Noun]:
    """The things, not the people, that an adjective may describe."""
    tags = adjective.predicative - {"kin", "pron"}
    return [noun for noun in maker.lexicon.nouns_with(*tags) if noun.kind == "c" and not noun.tags & (PAIRED | {"kin"})]


@construction("comparative", 420, "Paul is taller than Marie. / Paul est plus grand que Marie.")
def comparative(maker: Maker) -> Pair:
    """more, less and as: plus, moins and aussi … que."""
    chooser, lexicon = maker.chooser, maker.lexicon
    degree = chooser.weighted([("more", 0.65), ("as", 0.2), ("less", 0.15)])
    unpaired = frozenset({"short", "small", "light", "young"} if degree == "less" else ())
    if chooser.chance(0.55):
        adjective = chooser.pick(
            [
                item
                for item in lexicon.adjectives
                if "kin" in item.predicative and item.degree != "no" and item.en not in NATIONS | unpaired
            ]
        )
        subject = maker.person(0.4)
        if chooser.chance(0.4):
            other = maker.pronoun()
            while other.subject.person == subject.person and (subject.person < 3 or subject.pronoun):
                other = maker.pronoun()
            en, fr = other.en_object, other.fr_stressed
        else:
            second = maker.kin(PRONOUNS[0].subject) if chooser.chance(0.6) else maker.name()
            while second.en == subject.en:
                second = maker.name()
            en, fr = second.en, second.fr
    else:
        adjective = chooser.pick(
            [
                item
                for item in lexicon.adjectives
                if item.degree != "no" and item.en not in UNGRADED | unpaired and len(comparable(maker, item)) > 1
            ]
        )
        nouns = comparable(maker, adjective)
        noun = chooser.pick(nouns)
        rivals = [item for item in nouns if item is not noun and item.tags & noun.tags] or [noun]
        second_noun = chooser.pick(rivals)
        subject = maker.noun_phrase(noun, chooser.one(["this", "def"]))
        second = maker.noun_phrase(
            second_noun, "poss" if maker.ownable(second_noun) else "def", owner=maker.pronoun().subject
        )
        if second_noun is noun:
            second = (
                maker.noun_phrase(noun, "poss", owner=PRONOUNS[0].subject)
                if maker.ownable(noun)
                else (maker.noun_phrase(noun, "this"))
            )
            subject = maker.noun_phrase(noun, "def")
        en, fr = second.en, second.fr
    than, que = compared(adjective, subject, degree)
    tense = chooser.weighted([("present", 0.75), ("past", 0.25)])
    return sentence(maker.clause(subject, Predicate(BE, f"{than} {en}", f"{que} {fr}"), tense))


NATIONS = group("nationalities")
UNGRADED = group("adjectives without comparison")


@construction(
    "superlative",
    230,
    "This is the oldest house in the village. / C'est la plus vieille maison du village.",
)
def superlative(maker: Maker) -> Pair:
    """The most: le plus; the adjective keeps its place."""
    chooser = maker.chooser
    while True:
        noun, adjective = noun_with_adjective(maker)
        if adjective.en != "bad":
            break
    many = chooser.chance(0.15)
    best = english.graded(adjective.en, adjective.degree, superlative=True)
    noun_en = noun.en_plural if many else noun.en
    noun_fr = noun.fr_plural if many else noun.fr
    form = adjective.form(noun.feminine, many)
    article = "les" if many else "la" if noun.feminine else "le"
    if adjective.en == "good":
        better = ("meilleure" if noun.feminine else "meilleur") + ("s" if many else "")
        fr = f"{article} {better} {noun_fr}"
    elif adjective.before_noun:
        if not many and not noun.feminine and french.starts_with_vowel(noun_fr):
            form = adjective.before_vowel
        fr = f"{article} plus {form} {noun_fr}"
    else:
        fr = f"{french.definite(noun_fr, noun.feminine, many)} {article} plus {form}"
    where_en, where_fr = chooser.one(
        [
            ("in the city", "de la ville"),
            ("in the village", "du village"),
            ("in the country", "du pays"),
            ("in the world", "du monde"),
            ("in the region", "de la région"),
            ("", ""),
            ("", ""),
        ]
    )
    start = ("these are", "ce sont") if many else ("this is", "c'est")
    return sentence(Pair(f"{start[0]} the {best} {noun_en} {where_en}".strip(), f"{start[1]} {fr} {where_fr}".strip()))


MANNERS = expressions("manners")


@construction("manner", 270, "She sings well. / Elle chante bien.")
def manner(maker: Maker) -> Pair:
    """How one does something: well, badly, slowly, a lot."""
    chooser = maker.chooser
    en_verb, fr_verb, known = chooser.one(MANNERS)
    verb = chooser.use(maker.lexicon.find_verb(en_verb, fr_verb))
    subject = maker.person(0.5)
    adverbs = {item.en: item for item in maker.lexicon.adverbials}
    options = [*known.split(), "a lot", "too much"]
    adverb = chooser.use(adverbs[chooser.one(options)])
    strength = ("", "")
    if adverb.en in ("well", "badly", "slowly", "quickly", "loudly") and chooser.chance(0.35):
        strength = chooser.one([("very ", "très "), ("too ", "trop ")])
        if adverb.en in ("well", "badly"):
            strength = ("very ", "très ")
    tense = chooser.one(["present", "present", "past progressive", "future", "used to"])
    predicate = Predicate(verb, strength[0] + adverb.en, strength[1] + adverb.fr)
    negation = NOT if chooser.chance(0.2) and not strength[0] and tense != "used to" else None
    if negation is not None and adverb.en == "badly":
        negation = None
    return sentence(maker.clause(subject, predicate, tense, negation))


LASTING = sorted(group("lasting actions"))


@construction("duration", 190, "He slept for two hours. / Il a dormi pendant deux heures.")
def duration(maker: Maker) -> Pair:
    """For + a time that is over, or to come: pendant."""
    chooser = maker.chooser
    verb = chooser.use(maker.lexicon.find_verb(chooser.one(LASTING)))
    unit, high = chooser.one([(("hours", "heures"), 6), (("minutes", "minutes"), 20)])
    if verb.fr == "pleurer":
        unit, high = ("minutes", "minutes"), 20
    if verb.fr in ("travailler", "étudier", "reposer", "marcher") and chooser.chance(0.4):
        unit, high = ("days", "jours"), 12
    if verb.fr == "voyager":
        unit, high = chooser.one([("days", "jours"), ("weeks", "semaines"), ("months", "mois")]), 11
    number = chooser.pick([item for item in maker.lexicon.numbers if 2 <= item.value <= high])
    subject = maker.person(0.5)
    predicate = Predicate(verb, f"for {number.en} {unit[0]}", f"pendant {number.fr} {unit[1]}")
    return sentence(maker.clause(subject, predicate, chooser.weighted([("past", 0.65), ("future", 0.35)])))


@construction("body_care", 190, "He is washing his hands. / Il se lave les mains.")
def body_care(maker: Maker) -> Pair:
    """Wash one's hands: se laver les mains; the participle does not agree."""
    en_words, fr_words, _ = maker.chooser.one(CARE)
    en_head, _, en_part = en_words.partition(" + ")
    fr_head, _, fr_part = fr_words.partition(" + ")
    subject = maker.person(0.55)
    verb = maker.lexicon.find_verb(en_head, fr_head)
    tense = maker.chooser.one(["present", "progressive", "past", "future", "going to", "perfect", "must"])
    words = f"{subject.en_owner} {en_part}"
    predicate = Predicate(verb, words, fr_part, (REFLEXIVE[subject.index],))
    return sentence(
        Pair(
            english_clause(subject, predicate, tense_of(verb, tense)),
            maker.french.clause(subject, predicate_with_etre(predicate), tense_of(verb, tense)),
        )
    )


def predicate_with_etre(predicate: Predicate) -> Predicate:
    """The same predicate with être as its auxiliary and a participle that does not agree."""
    verb = replace(predicate.verb, auxiliary="être invariable")
    return replace(predicate, verb=verb)


CARE = expressions("body care")
