"""The files of the built-in corpus: sizes, splits, typography, spelling, and the grammar that a pattern can check."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"
SETS = ("train", "valid", "test", "test_long")
"""``test_everyday`` repeats a part of ``test``."""
GRAMMAR = "grammar/"
BRITISH = "grammar/british"
"""Begins the third column of a sentence that a grammar wrote; the others are hand-written."""
BANDS = ((1, 3), (4, 5), (6, 7), (8, 9), (10, 11), (12, 30))
NBSP = "\u00a0"
Row = tuple[str, str, str]


@cache
def rows(name: str) -> tuple[Row, ...]:
    text = (DATA / "en-fr" / f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.split("\n")[:-1]]
    assert all(len(cells) == 3 for cells in lines), name
    return tuple((cells[0], cells[1], cells[2]) for cells in lines)


@cache
def all_rows() -> tuple[Row, ...]:
    return tuple(row for name in SETS for row in rows(name))


def hand_written(name: str) -> list[Row]:
    return [row for row in rows(name) if not row[2].startswith(GRAMMAR)]


def words(text: str) -> list[str]:
    """Runs of letters and digits, lower-cased: ``J'ai`` gives ``j``, ``ai``."""
    return re.findall(r"[^\W_]+", text.lower())


def matches(pattern: str, side: int) -> list[str]:
    """Every sentence of one side (0 English, 1 French) that the pattern occurs in."""
    return [row[side] for row in all_rows() if re.search(pattern, row[side], re.IGNORECASE)]


# ----- files and sizes


def test_sizes() -> None:
    assert 40_000 <= len(rows("train")) <= 50_000
    assert [len(rows(name)) for name in ("valid", "test", "test_everyday", "test_long")] == [1000, 1000, 500, 500]
    assert sum(len(hand_written(name)) for name in SETS) >= 12_000
    caches = {"__pycache__", ".mypy_cache", ".ruff_cache"}
    files = [path for path in DATA.rglob("*") if path.is_file() and not caches & set(path.parts)]
    assert sum(path.stat().st_size for path in files) < 6 * 1024 * 1024


def test_files_are_plain() -> None:
    for path in (DATA / "en-fr").iterdir():
        raw = path.read_bytes()
        assert raw.endswith(b"\n"), path
        assert b"\r" not in raw, path
        raw.decode("utf-8")


def test_the_third_column_is_a_topic_or_a_construction() -> None:
    assert [row for row in all_rows() if not re.fullmatch(f"(?:{GRAMMAR})?[a-z_]+", row[2])] == []


def test_the_everyday_test_set_is_the_hand_written_part_of_the_test_set() -> None:
    assert list(rows("test_everyday")) == hand_written("test")
    assert len(hand_written("valid")) == 500
    assert hand_written("test_long") == []


def test_test_and_validation_sets_have_the_lengths_of_the_whole() -> None:
    def shares(chosen: list[Row]) -> list[float]:
        lengths = [len(en.split()) for en, _, _ in chosen]
        return [sum(low <= length <= high for length in lengths) / len(lengths) for low, high in BANDS]

    whole = shares([row for name in ("train", "valid", "test") for row in hand_written(name)])
    for name in ("valid", "test"):
        assert shares(hand_written(name)) == pytest.approx(whole, abs=0.02)


def test_the_long_test_set_is_longer_than_training() -> None:
    lengths = {name: [len(en.split()) for en, _, _ in rows(name)] for name in ("train", "test_long")}
    assert min(lengths["test_long"]) >= 20
    assert max(lengths["train"]) < min(lengths["test_long"])


@pytest.mark.parametrize("side", [0, 1])
def test_every_word_of_the_long_test_set_occurs_in_training(side: int) -> None:
    known = {word for row in rows("train") for word in words(row[side])}
    assert {word for row in rows("test_long") for word in words(row[side])} - known == set()


# ----- duplicates and splits


CONTRACTIONS = (
    (r"\bwon't\b", "will not"),
    (r"\b(?:can't|cannot)\b", "can not"),
    (r"n't\b", " not"),
    (r"\bi'm\b", "i am"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"\blet's\b", "let us"),
    (r"\b(it|he|she|that|there|what|where|who|how|here|when|why)'s\b", r"\1 is"),
    (r"'d\b", " would"),
)


@cache
def key(en: str) -> str:
    """The letters and digits of an English sentence, contractions undone."""
    text = en.lower()
    for pattern, full in CONTRACTIONS:
        text = re.sub(pattern, full, text)
    return " ".join(words(text))


def test_contractions_are_undone_before_sentences_are_compared() -> None:
    assert key("I can't, I'm late!") == key("I cannot; I am late.") == "i can not i am late"
    assert key("Let's see who's there.") == "let us see who is there"


def test_no_source_or_target_sentence_is_in_two_sets() -> None:
    for side in (
        [{key(en) for en, _, _ in rows(name)} for name in SETS],
        [{" ".join(words(fr)) for _, fr, _ in rows(name)} for name in SETS],
    ):
        assert sum(len(group) for group in side) == len(set().union(*side))


def test_a_source_sentence_occurs_once() -> None:
    assert [text for text, count in Counter(key(en) for en, _, _ in all_rows()).items() if count > 1] == []


def with_a_gap(text: str) -> Iterator[str]:
    """The sentence with each of its words left out in turn."""
    parts = text.split()
    return (" ".join([*parts[:k], "*", *parts[k + 1 :]]) for k in range(len(parts)))


def test_no_training_sentence_is_a_hand_written_test_sentence_with_one_word_exchanged() -> None:
    held_out = {gap for en, _, _ in rows("test_everyday") if " " in key(en) for gap in with_a_gap(key(en))}
    assert [en for en, _, _ in rows("train") if held_out.intersection(with_a_gap(key(en)))] == []


# ----- typography and spelling


def test_capitals_and_end_marks() -> None:
    for en, fr, _ in all_rows():
        assert en[0].isupper(), en
        assert fr[0].isupper(), fr
        assert en[-1] in ".!?", en
        assert fr[-1] in ".!?", fr
    assert matches(r"(?-i:\bi\b)", 0) == []


def test_only_letters_digits_and_plain_punctuation() -> None:
    assert matches(r"[^a-z0-9é .,;!?'-]", 0) == []
    assert matches(f"[^a-zàâçèéêëîïôùûüœæ0-9 {NBSP}.,;!?'-]", 1) == []
    assert matches(r"^ | $|  | [.,;!?]", 0) == []


def test_french_spaces() -> None:
    assert matches(f"[^{NBSP}][?!:;]", 1) == []
    assert matches(f"{NBSP}(?![?!:;])", 1) == []
    assert matches(r"^\s|\s$|  |\s[.,]", 1) == []


def test_a_question_is_a_question_in_both_languages() -> None:
    assert [(en, fr) for en, fr, _ in all_rows() if ("?" in en) != ("?" in fr)] == []


@pytest.mark.parametrize(("side", "language"), [(0, "en"), (1, "fr")])
def test_every_word_is_in_the_word_list(side: int, language: str) -> None:
    listed = (DATA / "en-fr" / f"words.{language}.txt").read_text(encoding="utf-8").splitlines()
    found = {word for row in all_rows() for word in words(row[side])}
    assert listed == sorted(set(listed))
    assert sorted(found - set(listed)) == [], "new words: misspelled, or to be added to the list"
    assert sorted(set(listed) - found) == [], "words that occur no longer: to be removed from the list"


def test_american_spelling_except_where_british_words_are_taught() -> None:
    """The grammar pairs of the topic ``british`` are training pairs with an American word exchanged."""
    british = re.compile(
        r"\b(?:(?:colou?r|favou?r|neighbou?r|behaviou?r|hono?ur|humou?r)(?<=our)(?:s|ed|ite|ing|hood)?"
        r"|grey|theatre|centre|metres?|kilometres?|pyjamas|travell\w+|cancelled|licence|realis\w+)\b",
        re.IGNORECASE,
    )
    found = {row for row in all_rows() if british.search(row[0])}
    assert {row for row in found if row[2] != BRITISH} == set()
    assert len(found) > 100
    assert not [row for name in ("valid", "test", "test_long") for row in rows(name) if row[2] == BRITISH]


# ----- French: elision, contraction, forms before a vowel


ASPIRATED = set(
    words(
        "hachais hache hacher hachez haie hall hamac hamster hanche handball harpe hasard hâte haut haute hautes "
        "hauteur hauts haussé hérisson héros heurté hibou hiboux hoche hoché hockey homard honte hors hublot huit "
        "huitième haricot haricots oui onze onzième yaourt yaourts"
    )
)


def begins_with_vowel(word: str) -> bool:
    """Whether the word calls for elision: ``ami``, ``homme``, ``y``, but not ``hibou``."""
    return word not in ASPIRATED and (word in ("y", "yeux") or word[0] in "aeiouàâäéèêëîïôöùûüœæh")


def followed(first: str, apart: str = "") -> list[tuple[str, str]]:
    """Words after one of ``first``, each with its sentence; ``allez-le`` does not count, nor phrases in ``apart``."""
    pattern = re.compile(rf"(?<![-\w'])(?:{first}) ([^\W_]+)", re.IGNORECASE)
    exempt = re.compile(rf"\b(?:{apart})\b", re.IGNORECASE)
    return [
        (match[1].lower(), fr)
        for _, fr, _ in all_rows()
        for match in pattern.finditer(fr)
        if not (apart and exempt.match(fr, match.start()))
    ]


def test_elision() -> None:
    after = followed("je|me|se|le|la|ne|de|que|jusque|lorsque|puisque|ma|sa", apart="de un à")
    assert len(after) > 20_000
    assert [fr for word, fr in after if begins_with_vowel(word)] == []
    assert matches(r"\bsi ils?\b", 1) == []


def test_no_elision_before_an_aspirated_word() -> None:
    elided = [(word, fr) for _, fr, _ in all_rows() for word in re.findall(r"(?:\b[cdjlmns]|qu)'([^\W_]+)", fr.lower())]
    assert len(elided) > 10_000
    assert [fr for word, fr in elided if not begins_with_vowel(word)] == []


def test_forms_before_a_vowel() -> None:
    assert [fr for word, fr in followed("cet|bel|nouvel|vieil") if not begins_with_vowel(word)] == []
    assert [fr for word, fr in followed("ce", apart="ce à quoi") if begins_with_vowel(word)] == []
    apart = "beau (?:au|en|essayer|ici|à)|(?:nouveau|nouveaux) ici"  # il fait beau à Rome, j'ai beau essayer
    apart += "|(?:beau|nouveau|vieux) et"  # without a noun: il est vieux et sale
    after = followed("beau|(?<!de )nouveau|vieux", apart=apart)  # *de nouveau* is "again"
    assert [fr for word, fr in after if begins_with_vowel(word) and word[-1] not in "sx"] == []


def test_contraction() -> None:
    """``au``, ``du``, ``des``; but ``de le faire``, ``de le lui prêter``, where *le* is a pronoun."""
    assert matches(r"(?<![\w'-])(?:de|à) les? (?!\w+(?:er|ir|re)\b|lui \w+er\b)", 1) == []


def test_a_and_an() -> None:
    articles = [
        (article, word, en) for en, _, _ in all_rows() for article, word in re.findall(r"\b(an?) (\w+)", en.lower())
    ]
    assert len(articles) > 5000
    an, a = "hour|honest|honor|[aeio]|u(?!ni[^mn]|s)", "eu|once|one"
    assert [en for article, word, en in articles if (article == "an") != bool(re.match(f"(?!{a})(?:{an})", word))] == []


# ----- French: register and agreement


def test_you_is_vous() -> None:
    familiar = set(words("tu toi ton ta tes tien tienne tiennes"))
    assert [fr for _, fr, _ in all_rows() if familiar & set(words(fr))] == []
    assert matches(r"(?<!-)\bt[e']\W?(?!-)\b", 1) == []


def test_a_noun_has_one_gender() -> None:
    """After *un*, *ce*, *du* and the like against *une*, *cette*, *de la*: what has both is a word of both genders."""
    determiner = r"\b(?:(un|ce|cet|quel|aucun|du|au)|une|cette|quelle|aucune|ma|sa|(?:à|de) la) ([^\W_]+)"
    genders: dict[str, set[bool]] = defaultdict(set)
    for _, fr, _ in all_rows():
        for masculine, noun in re.findall(determiner, fr.lower()):
            genders[noun].add(bool(masculine))
    both = {word for word, found in genders.items() if len(found) == 2}
    assert len(genders) > 800
    assert both <= set(
        words(
            # before a noun or a relative, or after the pronoun
            "a au autre de demi des deux deuxième drôle énorme est était grand jeune moindre même nôtre parler plus "
            "revoir seul si très vrai "
            # persons; and livre (book, pound), poêle (stove, pan), poste (job, post office), tour (turn, tower)
            "bibliothécaire collègue dentiste élève enfant journaliste livre pianiste poêle poste secrétaire tour "
            "touriste"
        )
    ), sorted(both)


BE = set(
    words(
        "suis est sommes êtes sont étais était étions étiez étaient serai sera serons serez seront "
        "serais serait serions seriez seraient"
    )
)
HAVE = set(
    words(
        "ai as a avons avez ont avais avait avions aviez avaient aurai aura aurons aurez auront "
        "aurais aurait aurions auriez auraient"
    )
)
BETWEEN = set(words("ne n y en pas jamais plus déjà rien toujours encore bien vraiment souvent presque tous peut"))
ENDINGS = {"il": "", "elle": "e", "ils": "s", "elles": "es", "j": "", "je": "", "nous": "s", "vous": "", "on": ""}


def verb_phrases() -> Iterator[tuple[list[str], str]]:
    """Three words in a row, adverbs and pronouns between auxiliary and participle left out, with their sentence."""
    for _, fr, _ in all_rows():
        left = [word for word in words(fr) if word not in BETWEEN]
        for k in range(len(left) - 1):
            yield [left[k - 1] if k else "", left[k], left[k + 1]], fr


def forms(participles: str) -> dict[str, str]:
    """Every form of these participles, each with its ending."""
    return {word + ending: ending for word in participles.split() for ending in ("", "e", "s", "es")}


def test_verbs_of_movement_take_etre() -> None:
    moving = forms("allé venu revenu parti arrivé resté tombé mort devenu né entré reparti")
    taking = [fr for (_, verb, participle), fr in verb_phrases() if verb in HAVE and participle in moving]
    assert taking == []


def test_verbs_of_action_take_avoir() -> None:
    acting = forms("dormi travaillé couru nagé marché voyagé ri pleuré dansé mangé bu voulu pu eu su")
    taking = [fr for (before, verb, done), fr in verb_phrases() if verb in BE and done in acting and before != "se"]
    assert taking == []


def test_participles_with_etre_agree_with_a_pronoun() -> None:
    moving = forms(
        "allé venu revenu parti sorti arrivé resté retourné tombé mort devenu né descendu monté rentré entré"
    )
    checked = [
        (moving[participle], ENDINGS[subject], fr)
        for (subject, verb, participle), fr in verb_phrases()
        if subject in ENDINGS and verb in BE and participle in moving
    ]
    assert len(checked) > 1000
    assert [fr for ending, expected, fr in checked if ending != expected] == []


def test_adjectives_agree_with_a_pronoun() -> None:
    """*il est contente* and the like: by the ending, for adjectives that show their gender."""
    stems = "petit content fatigué occupé marié français américain intelligent gentil désolé né blessé prêt perdu"
    adjectives = forms(stems)
    checked = [
        (adjectives[adjective], ENDINGS[subject], fr)
        for (subject, verb, adjective), fr in verb_phrases()
        if subject in ("il", "elle", "ils", "elles") and verb in BE and adjective in adjectives
    ]
    assert len(checked) > 100
    assert [fr for ending, expected, fr in checked if ending != expected] == []


# ----- what the corpus is for


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"\b(?:old|young) (?:man|men|woman|women)\b", 40),
        (r"\blittle (?:girl|boy)s?\b", 40),
        (r"\bwork(?:s|ed|ing)? (?:in|at|for|as)\b", 100),
        (r"\b(?:like|likes|love|loves|prefer|prefers) (?:this|that|these|those|my|your|his|her)\b", 80),
        (r"\b(?:is|are|was|were) too \w+", 80),
        (r"\bI(?:'ve| have) (?:a|two|three|no|never|to|got)\b", 150),
        (
            r"\bget(?:s|ting)? (?:up|home|married|lost|tired|used|to|a|the)\b|\bgot (?:up|home|married|lost|tired)\b",
            150,
        ),
        (r"\bI (?:don't|do not) (?:know|think|want|like|have|understand)\b", 150),
        (r"^(?:Can|Could|May) (?:I|you)\b", 150),
        (r"^(?:What|Where|When|Why|Who|How)\b.*\?", 1500),
        (r"^Don't\b", 150),
        (r"\b(?:do|does|did|is|are|was|were|will|can|could|would|have|has) ?not\b", 400),
        (r"n't\b", 1500),
        (r"\b(?:yesterday|tomorrow|tonight|last|next|ago)\b", 1000),
    ],
)
def test_everyday_combinations_are_frequent_in_training(pattern: str, least: int) -> None:
    assert sum(re.search(pattern, en) is not None for en, _, _ in rows("train")) >= least


def test_a_tenth_of_the_hand_written_pairs_has_over_ten_words() -> None:
    lengths = [len(en.split()) for name in SETS for en, _, _ in hand_written(name)]
    assert sum(length > 10 for length in lengths) >= 0.1 * len(lengths)


def test_the_datasheet_gives_the_true_counts() -> None:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    written = sum(len(hand_written(name)) for name in SETS)
    training = [len(hand_written("train")), len(rows("train")) - len(hand_written("train"))]
    vocabulary = [
        len((DATA / "en-fr" / f"words.{side}.txt").read_text(encoding="utf-8").splitlines()) for side in ("en", "fr")
    ]
    assert f"{len(rows('train')):,} training pairs" in text
    assert f"{written:,} hand-written pairs" in text
    assert f"{training[0]:,} hand-written and {training[1]:,} grammar" in text
    assert f"{vocabulary[0]:,} English and {vocabulary[1]:,} French words" in text
    names = ("train", "valid", "test", "test_everyday", "test_long")
    for low, high in BANDS:
        counts = [sum(low <= len(en.split()) <= high for en, _, _ in rows(name)) for name in names]
        assert f"| {low}–{high} | {' | '.join(f'{count:,}' for count in counts)} |" in text
