import pytest

from seq2seq_cli.text.units import (
    HAN,
    HANGUL,
    KANA,
    WORD,
    count_units,
    is_phrase,
    script_of,
    split_characters,
    unit_of,
)

CHINESE = ["我喜欢这本书。", "他用 iPhone 看新闻。"]
JAPANESE = ["私はこの本が好きです。", "東京大学", "コンピューターを使います。"]
THAI = ["ฉันชอบหนังสือเล่มนี้"]
KOREAN = ["나는 이 책을 좋아한다.", "서울은 크다."]
ENGLISH = ["I like this book.", "Don't go !"]


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("I like this book.", 4),
        ("Qu'avez-vous ?", 2),  # between spaces, as it always was
        ("", 0),
        ("Où est-il ?", 3),
        ("我喜欢这本书。", 6),
        ("我喜欢 iPhone 15。", 5),
        ("「はい」、と言った。", 6),
        ("コンピューター", 7),
        ("ที่นี่", 2),  # two consonants, each with a vowel sign and a tone mark
        ("ខ្ញុំ", 2),
        ("나는 이 책을 좋아한다.", 4),
        ("𠮷野家", 3),  # beyond the basic plane
        ("が", 1),
        ("か\u3099", 1),  # the same, decomposed
    ],
)
def test_words_are_counted_or_characters_as_the_script_asks(text, units):
    assert count_units(text) == units


def test_words_end_at_apostrophes_and_punctuation_is_none():
    assert count_units("Qu'avez-vous ?", WORD) == 3
    assert count_units("Où ?", WORD) == 1
    assert count_units("我喜欢！", WORD) == 3


@pytest.mark.parametrize(
    ("lines", "script"),
    [
        (CHINESE, HAN),
        (["繁體中文的句子"], HAN),
        (JAPANESE, KANA),
        (KOREAN, HANGUL),
        (THAI, "Thai"),
        (["ខ្ញុំចូលចិត្តសៀវភៅ"], "Khmer"),
        (["ຂ້ອຍມັກປຶ້ມ"], "Lao"),
        (["ကျွန်တော်စာအုပ်ကြိုက်တယ်"], "Burmese"),
        (ENGLISH, ""),
        (["Я люблю книги.", "हिन्दी में लिखो", "أحب الكتب"], ""),
        ([], ""),
        (["123 456", "!"], ""),
        ([*ENGLISH * 5, "我喜欢。"], ""),
        ([*CHINESE * 20, "の"], HAN),  # one kana in a Chinese text
    ],
)
def test_the_script_is_that_of_most_units(lines, script):
    assert script_of(lines) == script
    assert script_of(iter(lines)) == script


def test_the_unit_is_named():
    assert [unit_of(lines) for lines in (CHINESE, JAPANESE, THAI)] == ["characters"] * 3
    assert [unit_of(lines) for lines in (ENGLISH, KOREAN)] == ["words"] * 2


def test_only_pieces_with_such_characters_are_split():
    assert split_characters(" books") == [" books"]
    assert split_characters(" été") == [" été"]
    assert split_characters(" 我喜欢") == ["我", "喜", "欢"]
    assert split_characters("用iPhone看") == ["用", "iPhone", "看"]
    assert "".join(split_characters("ที่นี่")) == "ที่นี่"


def test_phrases_are_longer_than_words_and_only_in_such_scripts():
    assert not is_phrase("コンピュータ")
    assert is_phrase("私の友達は今日")
    assert not is_phrase(" 我们的邻居人")  # the space is not counted
    assert not is_phrase("หนังสือพิมพ์")
    assert is_phrase("ฉันชอบอ่านหนังสือพิมพ์")
    assert not is_phrase("antidisestablishmentarianisme" * 2 + "é")
