"""Synthetic corpora in languages that are written without spaces: every sentence of a tiny hand-written grammar."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

SUBJECTS = [
    ("I", "我", "私は"),
    ("you", "你", "あなたは"),
    ("my friend", "我的朋友", "私の友達は"),
    ("the teacher", "老师", "先生は"),
    ("the old man", "那个老人", "その老人は"),
    ("our neighbors", "我们的邻居", "私たちの隣人は"),
]
TIMES = [
    ("today", "今天", "今日"),
    ("every morning", "每天早上", "毎朝"),
    ("at the weekend", "周末", "週末に"),
    ("in the evening", "晚上", "夜に"),
]
ACTIONS = [
    ("read a book", "看书", "本を読みました"),
    ("read the newspaper", "看报纸", "新聞を読みました"),
    ("drank green tea", "喝绿茶", "緑茶を飲みました"),
    ("drank cold water", "喝冷水", "冷たい水を飲みました"),
    ("ate white rice", "吃白米饭", "白いご飯を食べました"),
    ("bought fresh vegetables", "买新鲜的蔬菜", "新鮮な野菜を買いました"),
    ("wrote a long letter", "写一封长信", "長い手紙を書きました"),
    ("used a computer", "用电脑", "コンピューターを使いました"),
]
PLACES = [
    ("at home", "在家里", "家で"),
    ("at school", "在学校", "学校で"),
    ("in the city", "在城市里", "町で"),
    ("", "", ""),
]


def pairs(language: str) -> list[tuple[str, str]]:
    """Return 768 English sentences with their Chinese (``zh``) or Japanese (``ja``) translations, in random order."""
    found = []
    for subject, time, action, place in itertools.product(SUBJECTS, TIMES, ACTIONS, PLACES):
        english = " ".join(part for part in (subject[0], action[0], place[0], time[0]) if part)
        k = {"zh": 1, "ja": 2}[language]
        translation = "".join(part[k] for part in (subject, time, place, action)) + "。"
        found.append((f"{english[0].upper()}{english[1:]}.", translation))
    random.Random(1).shuffle(found)
    return found


def write_corpora(folder: Path, language: str, reverse: bool = False) -> None:
    """Write ``train.tsv`` and ``test.tsv`` (64 pairs), English first unless ``reverse``."""
    lines = ["\t".join(pair[::-1] if reverse else pair) + "\n" for pair in pairs(language)]
    (folder / "test.tsv").write_text("".join(lines[:64]), encoding="utf-8")
    (folder / "train.tsv").write_text("".join(lines[64:]), encoding="utf-8")
