"""The rules of the bilingual grammar, and the files of the built-in corpus."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"
sys.path.insert(0, str(DATA))

import generate  # noqa: E402
import splits  # noqa: E402
from grammar import english, french  # noqa: E402
from grammar.chooser import Chooser  # noqa: E402
from grammar.clauses import NEVER, NOT, PRONOUNS, TENSES, Predicate, english_clause, invert, tense_of  # noqa: E402
from grammar.lexicon import Adjective, Lexicon, Noun, Verb  # noqa: E402
from grammar.maker import Maker, sentence  # noqa: E402
from grammar.registry import CONSTRUCTIONS, LONG  # noqa: E402
from grammar.tsv import read_tsv  # noqa: E402

SETS = ("train", "valid", "test", "test_long")
LEXICON = Lexicon(DATA / "lexicon")
VERBS = LEXICON.conjugator
NBSP = "\u00a0"


@cache
def rows(name: str) -> tuple[tuple[str, str, str], ...]:
    text = (DATA / "en-fr" / f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.split("\n")[:-1]]
    assert all(len(cells) == 3 for cells in lines)
    return tuple((cells[0], cells[1], cells[2]) for cells in lines)


@cache
def all_rows() -> tuple[tuple[str, str, str], ...]:
    return tuple(row for name in SETS for row in rows(name))


@cache
def phrases() -> tuple[tuple[str, str, str], ...]:
    return tuple((row["en"], row["fr"], row["topic"]) for row in read_tsv(DATA / "phrasebook.tsv"))


def maker() -> Maker:
    return Maker(LEXICON, Chooser(1))


# ----- French conjugation


@pytest.mark.parametrize(
    ("infinitive", "forms"),
    [
        ("être", "suis es est sommes êtes sont"),
        ("avoir", "ai as a avons avez ont"),
        ("aller", "vais vas va allons allez vont"),
        ("faire", "fais fais fait faisons faites font"),
        ("dire", "dis dis dit disons dites disent"),
        ("venir", "viens viens vient venons venez viennent"),
        ("appartenir", "appartiens appartiens appartient appartenons appartenez appartiennent"),
        ("comprendre", "comprends comprends comprend comprenons comprenez comprennent"),
        ("promettre", "promets promets promet promettons promettez promettent"),
        ("pouvoir", "peux peux peut pouvons pouvez peuvent"),
        ("vouloir", "veux veux veut voulons voulez veulent"),
        ("devoir", "dois dois doit devons devez doivent"),
        ("savoir", "sais sais sait savons savez savent"),
        ("voir", "vois vois voit voyons voyez voient"),
        ("lire", "lis lis lit lisons lisez lisent"),
        ("décrire", "décris décris décrit décrivons décrivez décrivent"),
        ("boire", "bois bois boit buvons buvez boivent"),
        ("recevoir", "reçois reçois reçoit recevons recevez reçoivent"),
        ("sortir", "sors sors sort sortons sortez sortent"),
        ("sentir", "sens sens sent sentons sentez sentent"),
        ("dormir", "dors dors dort dormons dormez dorment"),
        ("traduire", "traduis traduis traduit traduisons traduisez traduisent"),
        ("éteindre", "éteins éteins éteint éteignons éteignez éteignent"),
        ("résoudre", "résous résous résout résolvons résolvez résolvent"),
        ("finir", "finis finis finit finissons finissez finissent"),
        ("vendre", "vends vends vend vendons vendez vendent"),
        ("manger", "mange manges mange mangeons mangez mangent"),
        ("commencer", "commence commences commence commençons commencez commencent"),
        ("acheter", "achète achètes achète achetons achetez achètent"),
        ("appeler", "appelle appelles appelle appelons appelez appellent"),
        ("préférer", "préfère préfères préfère préférons préférez préfèrent"),
        ("payer", "paie paies paie payons payez paient"),
        ("nettoyer", "nettoie nettoies nettoie nettoyons nettoyez nettoient"),
        ("envoyer", "envoie envoies envoie envoyons envoyez envoient"),
        ("ouvrir", "ouvre ouvres ouvre ouvrons ouvrez ouvrent"),
        ("peser", "pèse pèses pèse pesons pesez pèsent"),
    ],
)
def test_present(infinitive: str, forms: str) -> None:
    assert VERBS.present(infinitive) == forms.split()


@pytest.mark.parametrize(
    ("infinitive", "je", "nous"),
    [
        ("être", "étais", "étions"),
        ("avoir", "avais", "avions"),
        ("manger", "mangeais", "mangions"),
        ("commencer", "commençais", "commencions"),
        ("finir", "finissais", "finissions"),
        ("étudier", "étudiais", "étudiions"),
        ("boire", "buvais", "buvions"),
        ("faire", "faisais", "faisions"),
        ("voir", "voyais", "voyions"),
        ("prendre", "prenais", "prenions"),
        ("peindre", "peignais", "peignions"),
    ],
)
def test_imperfect(infinitive: str, je: str, nous: str) -> None:
    forms = VERBS.imperfect(infinitive)
    assert (forms[0], forms[3]) == (je, nous)


@pytest.mark.parametrize(
    ("infinitive", "future"),
    [
        ("être", "serai"),
        ("avoir", "aurai"),
        ("aller", "irai"),
        ("faire", "ferai"),
        ("venir", "viendrai"),
        ("voir", "verrai"),
        ("envoyer", "enverrai"),
        ("pouvoir", "pourrai"),
        ("vouloir", "voudrai"),
        ("devoir", "devrai"),
        ("savoir", "saurai"),
        ("recevoir", "recevrai"),
        ("mourir", "mourrai"),
        ("courir", "courrai"),
        ("tenir", "tiendrai"),
        ("acheter", "achèterai"),
        ("appeler", "appellerai"),
        ("préférer", "préférerai"),
        ("nettoyer", "nettoierai"),
        ("payer", "paierai"),
        ("vendre", "vendrai"),
        ("finir", "finirai"),
        ("lever", "lèverai"),
        ("cueillir", "cueillerai"),
        ("asseoir", "assiérai"),
    ],
)
def test_future_and_conditional_share_a_stem(infinitive: str, future: str) -> None:
    assert VERBS.future(infinitive)[0] == future
    assert VERBS.conditional(infinitive)[2] == future[:-2] + "ait"


@pytest.mark.parametrize(
    ("infinitive", "participle"),
    [
        ("manger", "mangé"),
        ("finir", "fini"),
        ("vendre", "vendu"),
        ("être", "été"),
        ("avoir", "eu"),
        ("faire", "fait"),
        ("prendre", "pris"),
        ("apprendre", "appris"),
        ("mettre", "mis"),
        ("voir", "vu"),
        ("lire", "lu"),
        ("écrire", "écrit"),
        ("boire", "bu"),
        ("dire", "dit"),
        ("venir", "venu"),
        ("devoir", "dû"),
        ("savoir", "su"),
        ("pouvoir", "pu"),
        ("recevoir", "reçu"),
        ("ouvrir", "ouvert"),
        ("mourir", "mort"),
        ("naître", "né"),
        ("vivre", "vécu"),
        ("connaître", "connu"),
        ("disparaître", "disparu"),
        ("éteindre", "éteint"),
        ("résoudre", "résolu"),
        ("asseoir", "assis"),
        ("suivre", "suivi"),
        ("rire", "ri"),
    ],
)
def test_participle(infinitive: str, participle: str) -> None:
    assert VERBS.participle(infinitive) == participle


def test_imperative() -> None:
    assert VERBS.imperative("être", 4) == "soyez"
    assert VERBS.imperative("avoir", 3) == "ayons"
    assert VERBS.imperative("savoir", 4) == "sachez"
    assert VERBS.imperative("manger", 3) == "mangeons"
    assert VERBS.imperative("faire", 4) == "faites"


def test_every_verb_of_the_lexicon_conjugates() -> None:
    for verb in [*LEXICON.verbs, *(governor.verb for governor in LEXICON.governors)]:
        for tense in ("present", "imperfect", "future", "conditional"):
            forms = VERBS.forms(verb.fr, tense)
            assert len(forms) == 6
            assert all(re.fullmatch("[a-zàâçéèêëîïôùûü]+", form) for form in forms), (verb.fr, forms)


# ----- French agreement, elision, contraction, typography


def test_elision() -> None:
    assert french.elide("je aime") == "j'aime"
    assert french.elide("elle ne est pas là parce que il pleut") == "elle n'est pas là parce qu'il pleut"
    assert french.elide("est-ce que Emma arrive") == "est-ce qu'Emma arrive"
    assert french.elide("si il vient et si elle part") == "s'il vient et si elle part"
    assert french.elide("je ne le ai pas vu") == "je ne l'ai pas vu"
    assert french.elide("donnez-le à Paul") == "donnez-le à Paul"
    assert french.elide("Le hibou est là") == "Le hibou est là"
    assert french.of("haricots") == "de haricots"
    assert french.of("eau") == "d'eau"
    assert french.of("œufs") == "d'œufs"
    assert french.of("yaourt") == "de yaourt"
    assert french.of("hiboux") == "de hiboux"


def test_articles_and_contractions() -> None:
    assert french.definite("école", True, False) == "l'école"
    assert french.definite("hibou", False, False) == "le hibou"
    assert french.demonstrative("arbre", False, False) == "cet arbre"
    assert french.demonstrative("hibou", False, False) == "ce hibou"
    assert french.possessive("mon", "amie", True, False) == "mon amie"
    assert french.possessive("son", "voiture", True, False) == "sa voiture"
    assert french.possessive("leur", "enfants", False, True) == "leurs enfants"
    assert french.to_and_of("à", "le marché") == "au marché"
    assert french.to_and_of("à", "l'école") == "à l'école"
    assert french.to_and_of("à", "les Pays-Bas") == "aux Pays-Bas"
    assert french.to_and_of("de", "le jardin") == "du jardin"
    assert french.to_and_of("de", "les États-Unis") == "des États-Unis"
    assert french.to_and_of("de", "de l'eau") == "d'eau"
    assert french.to_and_of("de", "des chaussures") == "de chaussures"
    assert french.to_and_of("de", "un stylo") == "d'un stylo"


def test_plural_and_feminine() -> None:
    assert [french.plural(word) for word in ("chat", "gâteau", "cheval", "souris", "nez", "feu")] == [
        "chats",
        "gâteaux",
        "chevaux",
        "souris",
        "nez",
        "feux",
    ]
    assert french.agree("allé", True, True) == "allées"
    assert french.agree("assis", False, True) == "assis"
    assert french.agree("assis", True, True) == "assises"


@pytest.mark.parametrize(
    ("english_word", "forms"),
    [
        ("beautiful", "beau belle beaux belles"),
        ("old", "vieux vieille vieux vieilles"),
        ("white", "blanc blanche blancs blanches"),
        ("happy", "heureux heureuse heureux heureuses"),
        ("Italian", "italien italienne italiens italiennes"),
        ("blue", "bleu bleue bleus bleues"),
        ("expensive", "cher chère chers chères"),
        ("young", "jeune jeune jeunes jeunes"),
        ("good", "bon bonne bons bonnes"),
        ("worried", "inquiet inquiète inquiets inquiètes"),
    ],
)
def test_adjective_forms(english_word: str, forms: str) -> None:
    adjective = LEXICON.adjective[english_word]
    order = [(False, False), (True, False), (False, True), (True, True)]
    assert [adjective.form(feminine, plural) for feminine, plural in order] == forms.split()


def noun_phrase(noun: str, det: str, many: bool = False, *adjectives: str, negated: bool = False) -> tuple[str, str]:
    chosen = tuple(LEXICON.adjective[word] for word in adjectives)
    phrase = maker().noun_phrase(LEXICON.noun[noun], det, many, chosen, negated=negated)
    return phrase.en, phrase.fr


def test_noun_phrases() -> None:
    assert noun_phrase("tree", "indef", False, "old") == ("an old tree", "un vieil arbre")
    assert noun_phrase("car", "indef", False, "small", "red") == ("a small red car", "une petite voiture rouge")
    assert noun_phrase("flower", "some", True, "beautiful") == ("some beautiful flowers", "de belles fleurs")
    assert noun_phrase("flower", "some", True, "red") == ("some red flowers", "des fleurs rouges")
    assert noun_phrase("water", "some") == ("some water", "de l'eau")
    assert noun_phrase("meat", "any", negated=True) == ("any meat", "de viande")
    assert noun_phrase("oil", "any", negated=True) == ("any oil", "d'huile")
    assert noun_phrase("bean", "def", True) == ("the beans", "les haricots")
    assert noun_phrase("owl", "def") == ("the owl", "le hibou")
    assert noun_phrase("horse", "def", True) == ("the horses", "les chevaux")
    assert noun_phrase("glasses", "poss") == ("my glasses", "mes lunettes")


# ----- clauses


def say(subject: str, verb: str, tense: str, en: str = "", fr: str = "", negation: str = "") -> tuple[str, str]:
    entry = LEXICON.find_verb(verb)
    who = next(item.subject for item in PRONOUNS if item.subject.en == subject)
    chosen = {"not": NOT, "never": NEVER}.get(negation)
    pair = sentence(maker().clause(who, Predicate(entry, en, fr), tense_of(entry, tense), chosen))
    return english.expand(pair.en), pair.fr


def test_tenses() -> None:
    assert say("she", "go", "past") == ("She went.", "Elle est allée.")
    assert say("they", "wake up", "past") == ("They woke up.", "Ils se sont réveillés.")
    assert say("he", "eat", "past", "an egg", "un œuf") == ("He ate an egg.", "Il a mangé un œuf.")
    assert say("I", "have", "past", "a dog", "un chien") == ("I had a dog.", "J'avais un chien.")
    assert say("we", "swim", "going to") == ("We are going to swim.", "Nous allons nager.")
    assert say("I", "get up", "going to") == ("I am going to get up.", "Je vais me lever.")
    assert say("you", "sleep", "used to") == ("You used to sleep.", "Vous dormiez.")
    assert say("he", "leave", "just") == ("He has just left.", "Il vient de partir.")
    assert say("she", "see", "future", "the sea", "la mer") == ("She will see the sea.", "Elle verra la mer.")
    assert say("he", "want", "conditional", "tea", "du thé") == ("He would want tea.", "Il voudrait du thé.")


def test_negation() -> None:
    assert say("I", "work", "present", negation="not") == ("I do not work.", "Je ne travaille pas.")
    assert say("he", "work", "present", negation="not") == ("He does not work.", "Il ne travaille pas.")
    assert say("she", "come", "past", negation="not") == ("She did not come.", "Elle n'est pas venue.")
    assert say("he", "smoke", "present", negation="never") == ("He never smokes.", "Il ne fume jamais.")
    assert say("they", "hurry", "past", negation="not") == ("They did not hurry.", "Ils ne se sont pas dépêchés.")


def test_inversion() -> None:
    assert invert("mange", "il") == "mange-t-il"
    assert invert("est", "elle") == "est-elle"
    assert invert("va", "elle") == "va-t-elle"
    assert invert("prend", "il") == "prend-il"
    assert invert("peux", "je") == "puis-je"


# ----- English


def test_english_words() -> None:
    assert [english.plural(word) for word in ("box", "city", "day", "bus", "dish")] == [
        "boxes",
        "cities",
        "days",
        "buses",
        "dishes",
    ]
    assert [english.third_person(verb) for verb in ("go", "try", "watch", "have", "buy")] == [
        "goes",
        "tries",
        "watches",
        "has",
        "buys",
    ]
    assert [english.regular_past(verb) for verb in ("stop", "try", "like", "open", "play", "fix")] == [
        "stopped",
        "tried",
        "liked",
        "opened",
        "played",
        "fixed",
    ]
    assert [english.ing(verb) for verb in ("make", "run", "lie", "see", "eat", "open")] == [
        "making",
        "running",
        "lying",
        "seeing",
        "eating",
        "opening",
    ]
    assert [english.graded(*pair) for pair in (("big", "er"), ("happy", "er"), ("nice", "er"), ("boring", "more"))] == [
        "bigger",
        "happier",
        "nicer",
        "more boring",
    ]


def test_a_or_an() -> None:
    assert [
        english.a_or_an(word)
        for word in (
            "apple",
            "hour",
            "honest man",
            "university",
            "uncle",
            "useful map",
            "orange",
            "European",
            "house",
            "uniform",
        )
    ] == ["an", "an", "an", "a", "an", "a", "an", "a", "a", "a"]


def test_contractions() -> None:
    joint = english.JOINT
    assert english.contract(f"I{joint}do{joint}not know") == "I don't know"
    assert english.contract(f"he{joint}is{joint}not here") == "he isn't here"
    assert english.contract(f"I{joint}am{joint}not here") == "I'm not here"
    assert english.contract(f"she{joint}will come") == "she'll come"
    assert english.expand(f"I can{joint}not") == "I cannot"
    who = PRONOUNS[3].subject
    walk = Predicate(LEXICON.find_verb("walk"))
    assert english.contract(english_clause(who, walk, TENSES["progressive"], NOT)) == "she isn't walking"


def test_forms_of_irregular_english_verbs() -> None:
    known = {verb.head: (verb.past, verb.participle) for verb in LEXICON.verbs}
    expected = {
        "go": "went gone",
        "eat": "ate eaten",
        "write": "wrote written",
        "see": "saw seen",
        "take": "took taken",
        "buy": "bought bought",
        "catch": "caught caught",
        "swim": "swam swum",
        "begin": "began begun",
        "break": "broke broken",
        "drive": "drove driven",
        "forget": "forgot forgotten",
        "sing": "sang sung",
        "sleep": "slept slept",
        "teach": "taught taught",
        "think": "thought thought",
        "win": "won won",
    }
    for head, forms in expected.items():
        assert " ".join(known[head]) == forms


# ----- the files


def test_sizes() -> None:
    assert 20_000 <= len(rows("train")) <= 30_000
    assert len(rows("valid")) == 1000
    assert len(rows("test")) == 1000
    assert len(rows("test_long")) == 500
    caches = {"__pycache__", ".mypy_cache", ".ruff_cache"}
    files = [path for path in DATA.rglob("*") if path.is_file() and not caches & set(path.parts)]
    total = sum(path.stat().st_size for path in files)
    assert total <= 5 * 1024 * 1024


def test_files_are_plain() -> None:
    for name in SETS:
        raw = (DATA / "en-fr" / f"{name}.tsv").read_bytes()
        assert raw.endswith(b"\n")
        assert b"\r" not in raw
        raw.decode("utf-8")


def test_rebuild_is_byte_for_byte(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    command = [sys.executable, str(DATA / "generate.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env=environment)
    for path in sorted((DATA / "en-fr").iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_lexicon_and_constructions_are_large_enough() -> None:
    content: list[Noun | Verb | Adjective] = [*LEXICON.nouns, *LEXICON.verbs, *LEXICON.adjectives]
    english_lemmas = {entry.uid.partition("/")[0] for entry in content}
    french_lemmas = set()
    for entry in content:
        if isinstance(entry, Noun):
            french_lemmas.add(f"noun {entry.fr}")
        elif isinstance(entry, Adjective):
            french_lemmas.add(f"adjective {entry.masculine}")
        else:
            french_lemmas.add(f"verb {entry.reflexive} {entry.fr} {entry.fr_tail}")
    assert len(english_lemmas) >= 700
    assert len(french_lemmas) >= 700
    assert len(CONSTRUCTIONS) >= 25
    assert len(phrases()) >= 1000


def test_every_construction_is_in_training() -> None:
    assert set(CONSTRUCTIONS) <= {row[2] for row in rows("train")}
    assert set(LONG) == {row[2] for row in rows("test_long")}


def test_no_source_sentence_is_in_two_sets() -> None:
    keys = [{splits.normalize(en) for en, _, _ in rows(name)} for name in SETS]
    full = [{splits.normalize(english.spell_out(en)) for en, _, _ in rows(name)} for name in SETS]
    for sets in (keys, full):
        assert sum(len(group) for group in sets) == len(set().union(*sets))


def test_no_translation_is_in_two_sets() -> None:
    targets = [{fr for _, fr, _ in rows(name)} for name in SETS]
    assert sum(len(group) for group in targets) == len(set().union(*targets))


def test_one_source_sentence_has_one_translation() -> None:
    translations: dict[str, set[str]] = defaultdict(set)
    for en, fr, _ in all_rows():
        translations[splits.normalize(english.spell_out(en))].add(fr)
    assert [key for key, targets in translations.items() if len(targets) > 1] == []


def test_lengths() -> None:
    longest = max(len(en.split()) for en, _, _ in rows("train"))
    assert longest <= generate.MAX_WORDS
    assert max(len(en.split()) for en, _, _ in rows("test")) <= longest
    assert min(len(en.split()) for en, _, _ in rows("test_long")) > longest
    bands = [0] * len(splits.BANDS)
    for en, _, _ in rows("test"):
        bands[next(i for i, (low, high) in enumerate(splits.BANDS) if low <= len(en.split()) <= high)] += 1
    assert min(bands) >= 60


def test_held_out_combinations_are_absent_from_training() -> None:
    known = splits.held_out_entries(LEXICON)
    by_name: dict[tuple[str, str], list[Noun | Verb | Adjective]] = defaultdict(list)
    for uid, entry in known.items():
        by_name[(uid.partition(":")[0], uid.partition(":")[2].partition("/")[0])].append(entry)
    train: dict[str, list[str]] = defaultdict(list)
    for en, _, construction in rows("train"):
        train[construction].append(en)
    test = rows("test")
    listed = read_tsv(DATA / "en-fr" / "held_out.tsv")
    assert len(listed) >= 100
    shown = 0
    for item in listed:
        entries = by_name[(item["kind"], item["english"])]
        forms = frozenset(form for entry in entries for form in splits.entry_forms(entry))
        assert not [en for en in train[item["construction"]] if splits.mentions(splits.normalize(en), forms)], item
        for line in filter(None, item["test_lines"].split(",")):
            en, _, construction = test[int(line) - 1]
            assert construction == item["construction"]
            assert splits.mentions(splits.normalize(en), forms), (item, en)
            shown += 1
    assert shown >= 200


# ----- every sentence of the corpus


def test_capitals_and_end_marks() -> None:
    for en, fr, _ in all_rows():
        assert en[0].isupper(), en
        assert fr[0].isupper(), fr
        assert en[-1] in ".!?", en
        assert fr[-1] in ".!?", fr
        assert en == en.strip()
        assert "  " not in en + fr
        assert not re.search(r"\bi\b", en), en


def test_french_typography() -> None:
    for en, fr, _ in all_rows():
        assert "’" not in en + fr
        assert english.JOINT not in en + fr
        assert re.search(f"[^{NBSP}][?!:;]", fr) is None, fr
        assert NBSP not in en
        assert re.search(r"\s[.,]", fr) is None, fr
        assert re.search(f"{NBSP}(?![?!:;»])", fr.replace(f"«{NBSP}", "«")) is None, fr


def test_elision_everywhere() -> None:
    pattern = re.compile(r"(?<![-\w'])(je|me|te|se|le|la|ne|de|que|jusque|lorsque|puisque) (\w[\w-]*)", re.IGNORECASE)
    for _, fr, _ in all_rows():
        for match in pattern.finditer(fr):
            assert not french.starts_with_vowel(match.group(2)), fr
        assert re.search(r"\bsi ils?\b", fr, re.IGNORECASE) is None, fr
        for match in re.finditer(r"(?<![-\w'])(ma|ta|sa) (\w[\w-]*)", fr, re.IGNORECASE):
            assert not french.starts_with_vowel(match.group(2)), fr


def test_no_elision_before_an_aspirated_word() -> None:
    elided = re.compile(r"(?:\b[dljmnst]|qu)'(\w+)", re.IGNORECASE)
    for _, fr, _ in all_rows():
        assert not french.ASPIRATED & {word.lower() for word in elided.findall(fr)}, fr


def test_forms_before_a_vowel() -> None:
    nouns = gendered_nouns()
    for _, fr, _ in all_rows():
        for first, second in pairwise(tokens(fr)):
            if second in nouns and french.starts_with_vowel(second):
                assert first not in ("ce", "beau", "nouveau", "vieux") or nouns[second][1], fr
            elif second in nouns:
                assert first not in ("cet", "bel", "nouvel", "vieil"), fr


def test_contraction_everywhere() -> None:
    infinitive = re.compile(r"(?<![\w'-])(?:de|à) les? (?!\w+(?:er|ir|re|oir)\b)", re.IGNORECASE)
    for _, fr, _ in all_rows():
        assert infinitive.search(fr) is None, fr


def test_a_and_an_everywhere() -> None:
    for en, _, _ in all_rows():
        for article, word in re.findall(r"\b([Aa]n?) ([A-Za-z]+)", en):
            assert article.lower() == english.a_or_an(word), en


# ----- agreement, from the words of the lexicon alone


@cache
def gendered_nouns() -> dict[str, tuple[bool, bool | None]]:
    """One-word French nouns of a single gender: (feminine, plural or None when the form is both)."""
    found: dict[str, set[tuple[bool, bool | None]]] = defaultdict(set)
    for noun in LEXICON.nouns:
        if noun.fr_feminine:
            plural = french.plural(noun.fr_feminine)
            found[noun.fr_feminine].add((True, False))
            found[plural].add((True, True))
        if noun.fr == noun.fr_plural:
            found[noun.fr].add((noun.feminine, None))
        else:
            found[noun.fr].add((noun.feminine, False))
            found[noun.fr_plural].add((noun.feminine, True))
    adjectives = {
        adjective.form(f, p) for adjective in LEXICON.adjectives for f in (False, True) for p in (False, True)
    }
    verbs = {form for verb in LEXICON.verbs for form in VERBS.present(verb.fr) + VERBS.imperfect(verb.fr)}
    return {
        word: next(iter(features))
        for word, features in found.items()
        if len(features) == 1 and " " not in word and word not in adjectives and word not in verbs
    }


DETERMINERS = {
    "le": (False, False),
    "la": (True, False),
    "un": (False, False),
    "une": (True, False),
    "ce": (False, False),
    "cet": (False, False),
    "cette": (True, False),
    "du": (False, False),
    "au": (False, False),
    "ma": (True, False),
    "sa": (True, False),
    "les": (None, True),
    "des": (None, True),
    "ces": (None, True),
    "aux": (None, True),
    "mes": (None, True),
    "ses": (None, True),
    "nos": (None, True),
    "vos": (None, True),
    "leurs": (None, True),
    "notre": (None, False),
    "votre": (None, False),
    "leur": (None, False),
    "quel": (False, False),
    "quelle": (True, False),
    "quels": (False, True),
    "quelles": (True, True),
}


def tokens(fr: str) -> list[str]:
    return re.findall(r"[\w-]+'?", fr.lower())


def test_determiners_agree_with_their_nouns() -> None:
    nouns = gendered_nouns()
    checked = 0
    for _, fr, construction in all_rows():
        if construction.startswith("phrasebook"):
            continue
        words = tokens(fr)
        for det, word in pairwise(words):
            if det not in DETERMINERS or word not in nouns:
                continue
            feminine, plural = DETERMINERS[det]
            noun_feminine, noun_plural = nouns[word]
            assert feminine is None or feminine == noun_feminine, fr
            assert noun_plural is None or plural == noun_plural, fr
            checked += 1
    assert checked > 10_000


@cache
def adjective_features() -> dict[str, set[tuple[bool, bool]]]:
    features: dict[str, set[tuple[bool, bool]]] = defaultdict(set)
    for adjective in LEXICON.adjectives:
        if " " in adjective.masculine:
            continue
        for feminine in (False, True):
            for plural in (False, True):
                features[adjective.form(feminine, plural)].add((feminine, plural))
        features[adjective.before_vowel].add((False, False))
    for verb in LEXICON.verbs:
        for form in VERBS.present(verb.fr):
            features.pop(form, None)
    return features


def test_adjectives_agree_with_their_nouns() -> None:
    nouns, adjectives = gendered_nouns(), adjective_features()
    before = {
        adjective.form(f, p)
        for adjective in LEXICON.adjectives
        if adjective.before_noun
        for f in (False, True)
        for p in (False, True)
    } | {"bel", "vieil", "nouvel"}
    checked = 0
    for _, fr, construction in all_rows():
        if construction.startswith("phrasebook"):
            continue
        words = tokens(fr)
        couples = [
            (word, next_word)
            for index, (word, next_word) in enumerate(pairwise(words))
            if words[index - 1] not in ("de", "d'", "appareil", "appareils")
            and word in nouns
            and next_word in adjectives
            and next_word not in before
            and next_word not in nouns
        ]
        couples += [(next_word, word) for word, next_word in pairwise(words) if word in before and next_word in nouns]
        for noun, adjective in couples:
            feminine, plural = nouns[noun]
            plurals = (plural,) if plural is not None else (False, True)
            assert any((feminine, number) in adjectives[adjective] for number in plurals), (fr, noun, adjective)
            checked += 1
    assert checked > 1000


def test_predicates_agree_with_pronouns() -> None:
    features = adjective_features()
    subjects = {"il": (False, False), "elle": (True, False), "ils": (False, True), "elles": (True, True)}
    copulas = {"est", "sont", "était", "étaient", "sera", "seront"}
    checked = 0
    for _, fr, construction in all_rows():
        if construction.startswith("phrasebook") or construction == "easy_to":
            continue
        words = [
            word
            for word in tokens(fr)
            if word not in ("ne", "n'", "pas", "très", "trop", "vraiment", "moins", "plus", "aussi")
        ]
        for subject, verb, adjective in zip(words, words[1:], words[2:]):
            if subject in subjects and verb in copulas and adjective in features:
                assert subjects[subject] in features[adjective], fr
                checked += 1
    assert checked > 300


ETRE_VERBS = (
    "aller",
    "venir",
    "revenir",
    "partir",
    "sortir",
    "entrer",
    "arriver",
    "rester",
    "retourner",
    "tomber",
    "mourir",
    "devenir",
)
AVOIR_VERBS = (
    "dormir",
    "travailler",
    "courir",
    "nager",
    "marcher",
    "voyager",
    "parler",
    "rire",
    "pleurer",
    "danser",
    "manger",
    "boire",
    "vendre",
    "acheter",
)


def test_auxiliaries() -> None:
    avoir = {form for tense in ("present", "imperfect", "future") for form in VERBS.forms("avoir", tense)}
    etre = {form for tense in ("present", "imperfect") for form in VERBS.forms("être", tense)}
    moving = {
        french.agree(VERBS.participle(verb), f, p) for verb in ETRE_VERBS for f in (False, True) for p in (False, True)
    }
    acting = {VERBS.participle(verb) for verb in AVOIR_VERBS}
    checked = 0
    for _, fr, construction in all_rows():
        words = [word for word in tokens(fr) if word not in ("pas", "jamais", "plus", "déjà", "rien")]
        for first, second in pairwise(words):
            head = first.rpartition("-")[0] or first
            if first in avoir:
                assert second not in moving, fr
            if first in etre and construction != "passive":
                assert second not in acting, fr
            checked += second in moving or head in avoir
    assert checked > 1000


def test_participles_with_etre_agree() -> None:
    participles = {
        french.agree(VERBS.participle(verb), f, p): (f, p)
        for verb in ETRE_VERBS
        for f in (False, True)
        for p in (False, True)
    }
    subjects = {
        "il": (False, False),
        "elle": (True, False),
        "ils": (False, True),
        "elles": (True, True),
        "je": (False, False),
        "nous": (False, True),
        "vous": (False, False),
    }
    forms = set(VERBS.present("être"))
    nouns = gendered_nouns()
    checked = 0
    for _, fr, _ in all_rows():
        words = [word for word in tokens(fr) if word not in ("pas", "jamais", "plus", "déjà", "ne", "n'")]
        for subject, verb, participle in zip(words, words[1:], words[2:]):
            if verb not in forms or participle not in participles:
                continue
            if subject in subjects:
                assert participles[participle] == subjects[subject], fr
                checked += 1
            elif subject in nouns and nouns[subject][1] is not None and " et " not in fr and " qui " not in fr:
                owner = re.search(rf"\b(?:de|du|des) (?:\w+ )?{subject}\b|d'{subject}\b", fr)
                assert owner or participles[participle] == nouns[subject], fr
                checked += 1
    assert checked > 300


def test_participles_and_adjectives_agree_with_first_names() -> None:
    names = {name.text: name.feminine for name in LEXICON.names}
    features = {form: set(found) for form, found in adjective_features().items()}
    for verb in ETRE_VERBS:
        for feminine in (False, True):
            for plural in (False, True):
                form = french.agree(VERBS.participle(verb), feminine, plural)
                features.setdefault(form, set()).add((feminine, plural))
    pattern = re.compile(
        r"^(?:[^,]*, )?(\w+) (?:n')?(?:est|était|sera) (?:(?:pas|jamais|déjà|très|trop|si|assez|vraiment) )*(\w+)"
    )
    checked: dict[str, int] = defaultdict(int)
    for _, fr, construction in all_rows():
        match = pattern.match(fr)
        if match is None or match[1] not in names or match[2] not in features:
            continue
        assert (names[match[1]], False) in features[match[2]], fr
        checked[construction] += 1
    assert checked["went"] > 150
    assert checked["degree"] > 40
    assert checked["adjective"] > 40


def test_adjectives_in_the_subject_agree_with_the_predicate() -> None:
    nouns, adjectives = gendered_nouns(), adjective_features()
    copula = re.compile(r" (?:est|sont|était|étaient) (?:(?:très|assez|vraiment) )?(\w+)\.$")
    checked = 0
    for en, fr, construction in all_rows():
        match = copula.search(fr)
        if construction != "adjective_subject_be" or match is None or match[1] not in adjectives:
            continue
        found = [nouns[word] for word in tokens(fr[: match.start()]) if word in nouns]
        if len(found) == 1 and "appareil" not in fr:
            feminine, plural = found[0]
            plurals = (plural,) if plural is not None else (False, True)
            assert any((feminine, number) in adjectives[match[1]] for number in plurals), (en, fr)
            checked += 1
    assert checked > 60


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"\b(?:old|young) (?:man|men|woman|women)\b", 40),
        (r"\blittle (?:girl|boy)s?\b", 40),
        (r"\bplay(?:s|ed|ing)? in the\b", 30),
        (r"\bsle(?:ep|eps|pt|eping) on (?:the|his|her|my)\b", 30),
        (r"\bwork(?:s|ed|ing)? in an? (?:\w+ )?\w+", 40),
        (r"\b(?:like|likes|love|loves|prefer|prefers) (?:this|that|these|those)\b", 100),
        (r"\b(?:is|are|was|were) too \w+\.", 80),
    ],
)
def test_everyday_combinations_are_frequent_in_training(pattern: str, least: int) -> None:
    assert sum(re.search(pattern, en) is not None for en, _, _ in rows("train")) >= least


def test_small_words_beside_nouns_do_not_change_their_meaning() -> None:
    unwanted = re.compile(r"\b(?:vieilles? filles?|grands? magasins?|grands? hommes?)\b")
    assert [fr for _, fr, construction in all_rows() if construction in USUAL and unwanted.search(fr)] == []


USUAL = ("adjective_subject", "adjective_subject_be", "action_place", "went", "degree", "this_opinion")


def test_phrasebook_is_tidy() -> None:
    keys = [splits.normalize(english.spell_out(en)) for en, _, _ in phrases()]
    assert len(keys) == len(set(keys))
    for en, fr, topic in phrases():
        assert re.fullmatch("[a-z_]+", topic)
        assert fr == french.typeset(fr)
        assert {en[-1], fr[-1]} <= set(".!?"), en


def test_phrasebook_stays_mostly_in_training() -> None:
    shares = {name: sum(row[2].startswith("phrasebook_") for row in rows(name)) for name in SETS}
    assert shares["train"] >= 1000
    assert shares["valid"] == shares["test"] == splits.PHRASES
    assert shares["test_long"] == 0


def test_datasheet_gives_the_true_counts() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"{len(rows('train')):,} training pairs" in text
    assert f"{len(CONSTRUCTIONS)} constructions" in text
    assert f"{len(phrases()):,} hand-written pairs" in text
    for low, high in splits.BANDS[:-1]:
        counts = [sum(low <= len(en.split()) <= high for en, _, _ in rows(name)) for name in ("train", "valid", "test")]
        assert f"| {low}–{high} | {counts[0]:,} | {counts[1]} | {counts[2]} |" in text
    held_out = read_tsv(DATA / "en-fr" / "held_out.tsv")
    lines = {line for row in held_out for line in row["test_lines"].split(",") if line}
    assert f"{len(held_out)} combinations" in text
    assert f"{len(lines)} lines of the test set" in text
    from_phrasebook = sum(row[2].startswith("phrasebook_") for row in rows("train"))
    assert f"{from_phrasebook:,} training lines" in text
