import json
import subprocess
import sys

import numpy as np
import pytest

from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig
from seq2seq_cli.evaluation.scores import corpus_scores
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint, save_model
from seq2seq_cli.text.builtin import builtin_corpus
from seq2seq_cli.text.corpus import read_corpus
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from tests.conftest import assert_explained, environment


def test_scores_have_signatures_data_and_settings(trained, cli):
    result = cli("eval", "pairs.tsv", cwd=trained)
    text = result.stdout.decode()
    assert result.returncode == 0
    assert "BLEU" in text
    assert "chrF2" in text
    assert text.count("|version:") == 2
    assert "pairs.tsv" in text
    assert "model.npz" in text
    assert "beam 5" in text
    assert "copy unknown" not in text
    changed = cli("eval", "pairs.tsv", "--no-copy-unknown", "--max-source-length", "3", cwd=trained).stdout.decode()
    assert "copy unknown" in changed
    assert "max source length 3" in changed


def test_json_is_one_object_at_full_precision_that_matches_the_translations(trained, cli):
    result = cli("eval", "pairs.tsv", "--json", "--by-length", "--metrics", "bleu,chrf,ter", cwd=trained)
    found = json.loads(result.stdout)
    pairs = [line.split("\t") for line in (trained / "pairs.tsv").read_text().splitlines()]
    sources = "\n".join(source for source, _ in pairs) + "\n"
    outputs = cli("translate", cwd=trained, stdin=sources.encode()).stdout.decode().splitlines()
    expected = corpus_scores(outputs, [target for _, target in pairs], ["bleu", "chrf", "ter"])
    assert {name: found[name] for name in ("bleu", "chrf", "ter")} == expected.values
    assert found["signatures"] == expected.signatures
    assert found["sentences"] == len(pairs)
    assert found["by_length"][0]["sentences"] == len(pairs)
    assert found["chrf"] > 90


def test_evaluate_is_the_same_command(trained, cli):
    assert (
        cli("evaluate", "pairs.tsv", "--json", cwd=trained).stdout
        == cli("eval", "pairs.tsv", "--json", cwd=trained).stdout
    )


def test_an_ensemble_is_scored(trained, cli):
    single = json.loads(cli("eval", "pairs.tsv", "--json", cwd=trained).stdout)
    double = json.loads(cli("eval", "pairs.tsv", "--json", "-m", "model.npz", "-m", "model.npz", cwd=trained).stdout)
    assert double["bleu"] == single["bleu"]


def test_files_are_scored_without_a_model(cli, tmp_path):
    (tmp_path / "h").write_text("a cat sat here\nb\n")
    (tmp_path / "r").write_text("a cat sat there\nb\n")
    found = json.loads(cli("eval", "--hypotheses", "h", "--references", "r", "--json").stdout)
    assert found["chrf"] == corpus_scores(["a cat sat here", "b"], ["a cat sat there", "b"]).values["chrf"]
    (tmp_path / "p.tsv").write_text("x\ta cat sat there\ny\tb\n")
    also = json.loads(cli("eval", "p.tsv", "--hypotheses", "h", "--json").stdout)
    assert also["chrf"] == found["chrf"]


def test_a_reranked_or_sampled_evaluation_says_how(trained, cli):
    arguments = ("eval", "pairs.tsv", "--json", "--threads", "1")
    reranked = json.loads(cli(*arguments, "--beam", "2", "--rerank", "model.npz", cwd=trained).stdout)
    assert (reranked["beam"], reranked["rerank"], reranked["rerank_weight"]) == (2, "model.npz", 0.5)
    result = cli(*arguments, "--sample", "--seed", "3", cwd=trained)
    sampled = json.loads(result.stdout)
    assert (sampled["sample"], sampled["temperature"], sampled["seed"]) == (True, 1.0, 3)
    assert "beam" not in sampled
    assert "by sampling" in result.stderr.decode()
    assert not {"sample", "rerank", "seed"} & json.loads(cli(*arguments, "--beam", "1", cwd=trained).stdout).keys()


def test_confidence_prints_an_interval(trained, cli):
    assert "±" in cli("eval", "pairs.tsv", "--confidence", "--beam", "1", cwd=trained).stdout.decode()


HYPOTHESES = ["the cat sat on a mat .", "there is a dog", "", "hello, world! été"] * 3
REFERENCES = ["the cat sat on the mat .", "there was a big dog", "yes", "hello world!"] * 3


def write(folder, **files):
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_scores_of_files_equal_the_sacrebleu_commands_to_the_last_digit(cli, tmp_path):
    write(tmp_path, h=HYPOTHESES, r=REFERENCES)
    names = ("bleu", "chrf", "ter")
    found = json.loads(
        cli("eval", "--hypotheses", "h", "--references", "r", "--metrics", ",".join(names), "--json").stdout
    )
    for name in names:
        command = [sys.executable, "-m", "sacrebleu", "r", "-i", "h", "-m", name, "-w", "16"]
        theirs = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
        assert f"{found[name]:.16f}" == f"{theirs['score']:.16f}"
        assert found["signatures"][name] == theirs["signature"]


def test_scores_without_case_equal_the_sacrebleu_commands_to_the_last_digit(cli, tmp_path):
    shouted = [line.upper() if k % 3 else line for k, line in enumerate(HYPOTHESES)]
    write(tmp_path, h=shouted, r=REFERENCES, s=["word " * 7] * len(REFERENCES))
    arguments = ("eval", "--hypotheses", "h", "--json", "--lowercase", "--metrics", "bleu,chrf,ter")
    found = json.loads(cli(*arguments, "--references", "r").stdout)
    for name, flags in (("bleu", ["-lc"]), ("chrf", ["--chrf-lowercase"]), ("ter", [])):
        command = [sys.executable, "-m", "sacrebleu", "r", "-i", "h", "-m", name, "-w", "16", *flags]
        theirs = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
        assert f"{found[name]:.16f}" == f"{theirs['score']:.16f}"
        assert found["signatures"][name] == theirs["signature"]
        assert "case:lc" in theirs["signature"]
    by_length = json.loads(cli(*arguments, "s,r", "--by-length", "--baselines", "--examples", "1").stdout)
    assert by_length["by_length"][0]["bleu"] == by_length["bleu"] == found["bleu"]
    compared = json.loads(cli(*arguments, "--references", "r", "--hypotheses", "r", "--compare").stdout)
    assert compared["systems"][0]["bleu"] == found["bleu"]
    assert "case:lc" in compared["signatures"]["bleu"]


def test_models_and_files_are_compared_side_by_side(trained, cli, tmp_path):
    pairs = [line.split("\t") for line in (trained / "pairs.tsv").read_text().splitlines()]
    write(tmp_path, source=[source for source, _ in pairs], perfect=[target for _, target in pairs])
    arguments = ("eval", trained / "pairs.tsv", "-m", trained / "model.npz", "--hypotheses", "source", "--compare")
    arguments += ("--hypotheses", "perfect", "--metrics", "chrf,ter", "--by-length")
    result = cli(*arguments)
    lines = result.stdout.decode().splitlines()
    assert lines[0].split() == ["system", "chrF2", "p", "TER", "p"]
    assert [line.split()[0] for line in lines[1:4]] == [str(trained / "model.npz"), "source", "perfect"]
    assert "*" not in lines[1]
    assert lines[2].count("*") == 2
    assert lines[4].startswith("* differs from")
    found = json.loads(cli(*arguments, "--json").stdout)
    assert [system["name"] for system in found["systems"]] == [str(trained / "model.npz"), "source", "perfect"]
    assert "p_values" not in found["systems"][0]
    assert found["systems"][1]["p_values"]["chrf"] < 0.05
    assert found["systems"][2]["chrf"] == 100
    assert "|bs:1000|" in found["signatures"]["chrf"]
    assert found["systems"][2]["by_length"][0]["sentences"] == len(pairs)


def test_baselines_put_the_score_in_scale(trained, cli):
    result = cli("eval", "pairs.tsv", "--baselines", "--beam", "1", "--json", cwd=trained)
    assert [baseline["name"] for baseline in json.loads(result.stdout)["baselines"]] == ["copy of the source"]
    assert "--train-corpus" in result.stderr.decode()
    arguments = ("eval", "pairs.tsv", "--baselines", "--train-corpus", "pairs.tsv", "--beam", "1")
    found = json.loads(cli(*arguments, "--json", cwd=trained).stdout)
    copy, nearest, word_by_word = found["baselines"]
    assert copy["chrf"] < 50 < nearest["chrf"]
    assert word_by_word["chrf"] == 100  # that is how the toy corpus was made
    shown = cli(*arguments, cwd=trained).stdout.decode()
    assert "baselines" in shown
    assert "nearest training sentence" in shown
    assert "word by word (IBM model 1)" in shown


def save_a_model_of_the_builtin_corpus(path):
    tokenizer = train_tokenizer(TokenizerConfig("word", 50), ["Je ne sais pas où il est allé ."])
    config = ModelConfig(len(tokenizer), len(tokenizer), embedding_size=4, hidden_size=4)
    model = create_model(config, np.random.default_rng(0))
    save_model(path, Checkpoint(model, tokenizer, tokenizer, Recipe()))


def test_the_built_in_training_pairs_are_known(cli, tmp_path):
    save_a_model_of_the_builtin_corpus(tmp_path / "model.npz")
    write(tmp_path, test=["Good morning.\tBonjour."])
    found = json.loads(cli("eval", "test", "--baselines", "--json").stdout)
    names = [baseline["name"] for baseline in found["baselines"]]
    assert names == ["copy of the source", "nearest training sentence", "word by word (IBM model 1)"]


def test_without_a_corpus_the_built_in_test_sets_are_scored_in_one_table(cli, tmp_path):
    save_a_model_of_the_builtin_corpus(tmp_path / "model.npz")
    arguments = ("eval", "--beam", "1", "--max-length", "6", "--allow-unknown", "-o", "out")
    result = cli(*arguments)
    lines = result.stdout.decode().splitlines()
    assert [line.split()[-1] for line in lines[:4]] == ["sentences", "1,000", "500", "500"]
    assert [line.split()[0] for line in lines[1:4]] == ["whole", "everyday", "long"]
    assert result.stdout.count(b"|version:") == 2
    found = json.loads(cli(*arguments, "--json", "--by-length", "--examples", "1").stdout)
    sets = found["sets"]
    assert {name: part["sentences"] for name, part in sets.items()} == {"whole": 1000, "everyday": 500, "long": 500}
    assert {name: sets["whole"][name] for name in ("bleu", "chrf", "sentences")} == {
        name: found[name] for name in ("bleu", "chrf", "sentences")
    }
    assert sum(bucket["sentences"] for bucket in found["by_length"]) == 1000
    assert f"{sets['long']['chrf']:.2f}" in lines[3]


def test_kept_translations_are_of_the_whole_test_set_and_the_everyday_set_is_scored_by_them(cli, tmp_path):
    save_a_model_of_the_builtin_corpus(tmp_path / "model.npz")
    result = cli("eval", "--beam", "1", "--max-length", "6", "--allow-unknown", "-o", "out", "--json")
    assert b"translating 1,500 sentences" in result.stderr  # each once
    outputs = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    whole, everyday = (read_corpus(builtin_corpus(split)) for split in ("test", "test_everyday"))
    assert len(outputs) == len(whole.sources)
    translations = dict(zip(whole.sources, outputs))
    expected = corpus_scores([translations[source] for source in everyday.sources], everyday.targets)
    found = json.loads(result.stdout)["sets"]["everyday"]
    assert {name: found[name] for name in ("bleu", "chrf")} == expected.values


def test_the_best_and_the_worst_sentences_are_shown(cli, tmp_path):
    pairs = [("s1", "one two"), ("s2", "three four"), ("s3", "five six")]
    write(tmp_path, corpus=["\t".join(pair) for pair in pairs], h=["one two", "zzz", "five siz"])
    arguments = ("eval", "corpus", "--hypotheses", "h", "--examples", "1")
    found = json.loads(cli(*arguments, "--json").stdout)["examples"]
    assert found["best"] == [
        {"sentence": 1, "chrf": 100.0, "source": "s1", "reference": "one two", "translation": "one two"}
    ]
    assert [example["sentence"] for example in found["worst"]] == [2]
    shown = cli(*arguments).stdout.decode()
    assert shown.index("best sentences") < shown.index("s1") < shown.index("worst sentences") < shown.index("zzz")
    many = json.loads(cli("eval", "corpus", "--hypotheses", "h", "--examples", "2", "--json").stdout)["examples"]
    assert [len(many["best"]), len(many["worst"])] == [2, 1]


def test_the_translations_are_kept(trained, cli, tmp_path):
    pairs = (trained / "pairs.tsv").read_text().splitlines()
    expected = cli(
        "translate", cwd=trained, stdin="".join(line.split("\t")[0] + "\n" for line in pairs).encode()
    ).stdout
    scores = cli("eval", "pairs.tsv", "--json", "-o", tmp_path / "out.txt", cwd=trained).stdout
    assert (tmp_path / "out.txt").read_bytes() == expected
    assert cli("eval", "pairs.tsv", "--json", "-o", "-", cwd=trained).stdout == expected + scores
    again = cli("eval", trained / "pairs.tsv", "--hypotheses", "out.txt", "--json").stdout
    assert json.loads(again)["chrf"] == json.loads(scores)["chrf"]


def test_the_sentences_of_a_line_are_translated_one_by_one_on_request(trained, cli, tmp_path):
    write(tmp_path, e=["Red cat! Blue dog!\trouge chat! bleu chien!", "\tvide", "old bird.\tvieux oiseau."])
    sources = b"Red cat! Blue dog!\n\nold bird.\n"
    model = ("-m", trained / "model.npz")
    whole, split = (cli("translate", *model, *flags, stdin=sources).stdout for flags in ((), ("--split-sentences",)))
    assert whole != split
    for flags, expected in (((), whole), (("--split-sentences",), split)):
        result = cli("eval", "e", *model, "--json", "-o", "-", *flags)
        kept = [line for k, line in enumerate(expected.splitlines()) if k != 1]  # a pair with an empty side is skipped
        assert result.stdout.splitlines()[:-1] == kept, result.stderr
        assert json.loads(result.stdout.splitlines()[-1]).get("split_sentences", False) == bool(flags)


def test_standard_input_stands_for_any_one_file(cli, tmp_path):
    write(tmp_path, h=HYPOTHESES, r=REFERENCES, c=[f"s\t{line}" for line in REFERENCES])
    expected = json.loads(cli("eval", "--hypotheses", "h", "--references", "r", "--json").stdout)
    for arguments, name in (
        (("--hypotheses", "-", "--references", "r"), "h"),
        (("--hypotheses", "h", "--references", "-"), "r"),
        (("-", "--hypotheses", "h"), "c"),
        (("c,-", "--hypotheses", "h"), "r"),
    ):
        result = cli("eval", *arguments, "--json", stdin=(tmp_path / name).read_bytes())
        assert json.loads(result.stdout)["chrf"] == expected["chrf"]


def test_scores_that_mislead_are_explained_on_stderr(cli, tmp_path):
    write(tmp_path, h=["a"], r=["a"])
    result = cli("eval", "--hypotheses", "h", "--references", "r")
    assert "the corpus has one sentence" in result.stderr.decode()
    assert "BLEU is 0 because no translation has four words" in result.stderr.decode()
    assert b"because" not in result.stdout
    assert cli("eval", "--hypotheses", "h", "--references", "r", "-q").stderr == b""


def test_a_reader_that_leaves_early_is_no_error(trained):
    command = f"{sys.executable} -m seq2seq_cli eval pairs.tsv -q --beam 1 -o - | head -n 1; echo ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], cwd=trained, env=environment(), capture_output=True)
    assert result.stdout.split(b"\n")[1] == b"0"
    assert result.stderr == b""


ERRORS = [
    (("nothing.tsv",), 1, "no such file"),
    (("--metrics", "meteor"), 2, "--metrics"),
    (("--references", "x"), 2, "--hypotheses"),
    (("--hypotheses", "pairs.tsv"), 2, "needs either a CORPUS or --references"),
    (("--hypotheses", "nothing", "--references", "pairs.tsv"), 1, "no such file"),
    (("--hypotheses", "pairs.tsv", "--references", "log.jsonl"), 1, "hypotheses and"),
    (("--beam", "0"), 2, "--beam"),
    (("pairs.tsv", "--compare"), 2, "two or more systems"),
    (("pairs.tsv", "--hypotheses", "a", "--hypotheses", "b"), 2, "--compare"),
    (("pairs.tsv", "--hypotheses", "a", "-m", "model.npz"), 2, "not both"),
    (("--hypotheses", "a", "--references", "b", "-m", "model.npz"), 2, "only for --hypotheses"),
    (("--hypotheses", "a", "--references", "b", "--by-length"), 2, "--by-length needs the source sentences"),
    (("--hypotheses", "a", "--references", "b", "--baselines"), 2, "--baselines needs the source sentences"),
    (("--hypotheses", "-", "--references", "-"), 2, "be read only once"),
    (("-", "--baselines", "--train-corpus", "-"), 2, "be read only once"),
    (("-m", "-"), 2, "a model cannot be read from standard input"),
    (("--", "-,-"), 2, "be read only once"),
    (("pairs.tsv", "--hypotheses", "a", "-o", "out"), 2, "--output"),
    (("pairs.tsv", "-m", "model.npz", "-m", "model.npz", "--compare", "-o", "out"), 2, "--output"),
    (("pairs.tsv", "--examples", "-1"), 2, "--examples"),
    (("nothing.tsv", "-o", "nowhere/out"), 1, "no such folder"),  # before any work
    ((), 2, "not trained on the built-in corpus"),
]


@pytest.mark.parametrize("case", range(len(ERRORS)))
def test_errors_are_explained(case, trained, cli):
    arguments, code, message = ERRORS[case]
    assert_explained(cli("eval", *arguments, cwd=trained), code, message)


def test_without_a_model_it_says_how_to_get_one(cli):
    assert_explained(cli("eval"), 1, "there is no model", "seq2seq train")


SECOND = ["a cat sat on a mat .", "there is a dog here", "no", "hello, world"] * 3


def test_several_files_of_references_equal_the_sacrebleu_commands_to_the_last_digit(cli, tmp_path):
    write(tmp_path, h=HYPOTHESES, r=REFERENCES, s=SECOND)
    write(tmp_path, both=["x\t" + "\t".join(pair) for pair in zip(REFERENCES, SECOND)])
    write(tmp_path, pairs=[f"x\t{line}" for line in REFERENCES])
    command = [sys.executable, "-m", "sacrebleu", "r", "s", "-i", "h", "-m", "bleu", "chrf", "ter", "-w", "16"]
    theirs = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
    flags = ("eval", "--hypotheses", "h", "--metrics", "bleu,chrf,ter", "--json")
    for given in (
        ("--references", "r", "--references", "s"),
        ("both", "--all-references"),
        ("pairs", "--references", "s"),
    ):
        found = json.loads(cli(*flags, *given).stdout)
        for name, expected in zip(("bleu", "chrf", "ter"), theirs):
            assert f"{found[name]:.16f}" == f"{expected['score']:.16f}"
            assert found["signatures"][name] == expected["signature"]
            assert "nrefs:2" in expected["signature"]


def test_everything_works_with_several_references(trained, cli, tmp_path):
    lines = (trained / "pairs.tsv").read_text().splitlines()
    write(tmp_path, test=[f"{line}\tautre phrase" for line in lines], other=["le chat"] * len(lines))
    flags = ("test", "--all-references", "--baselines", "--by-length", "--beam", "1")
    flags += ("-m", trained / "model.npz", "--train-corpus", trained / "pairs.tsv")
    found = json.loads(cli("eval", *flags, "--examples", "1", "--references", "other", "--json").stdout)
    assert "nrefs:3" in found["signatures"]["bleu"]
    assert found["examples"]["best"][0]["references"][1:] == ["autre phrase", "le chat"]
    assert found["by_length"][0]["sentences"] == len(lines)
    assert [baseline["chrf"] > 0 for baseline in found["baselines"]] == [True] * 3
    table = cli("eval", *flags, "--examples", "1", "--hypotheses", "other", "--compare").stdout.decode()
    assert table.count("reference  ") == 4
    assert "|nrefs:2|" in f"|{table}" or "nrefs:2|" in table


def test_the_tokenizer_follows_the_script_of_the_references_and_can_be_chosen(cli, tmp_path):
    write(tmp_path, h=["我的朋友今天在家里看书。"], r=["我的朋友今天在学校看书。"], e=["The cat sat on the mat."])
    result = cli("eval", "--hypotheses", "h", "--references", "r", "--json")
    found = json.loads(result.stdout)
    assert "|tok:zh|" in found["signatures"]["bleu"]
    assert found["bleu"] > 50
    assert "tokenizer zh, because the target's script is Chinese characters" in result.stderr.decode()
    chosen = cli("eval", "--hypotheses", "h", "--references", "r", "--json", "--tokenize", "char")
    assert "|tok:char|" in json.loads(chosen.stdout)["signatures"]["bleu"]
    assert "because the target" not in chosen.stderr.decode()
    english = cli("eval", "--hypotheses", "e", "--references", "e", "--json")
    assert "|tok:13a|" in json.loads(english.stdout)["signatures"]["bleu"]
    assert "tokenizer" not in english.stderr.decode()


def test_the_warning_about_tokenized_text_reaches_the_user(cli, tmp_path):
    write(tmp_path, h=["the cat sat on the mat ."] * 100)
    result = cli("eval", "--hypotheses", "h", "--references", "h")
    assert "warning: sacreBLEU: That's 100 lines that end in a tokenized period" in result.stderr.decode()
    assert cli("eval", "--hypotheses", "h", "--references", "h", "-q").stderr == b""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--tokenize", "moses"), 2, "--tokenize must be one of 13a, intl, zh, ja-mecab"),
        (("--all-references",), 2, "--all-references needs a CORPUS"),
        (("--references", "h"), 1, "different lengths: 1 and 2 lines"),
        (("--references", "-", "--references", "-"), 2, "only once"),
    ],
)
def test_wrong_references_and_tokenizers_are_explained(cli, tmp_path, arguments, code, message):
    write(tmp_path, h=["a", "b"], r=["a"])
    assert_explained(cli("eval", "--hypotheses", "h", "--references", "r", *arguments), code, message)


def test_empty_sources_have_no_scores_by_length(cli, tmp_path):
    write(tmp_path, h=REFERENCES[:2])
    (tmp_path / "e.tsv").write_text("".join(f"\t{line}\n" for line in REFERENCES[:2]), "utf-8")
    result = cli("eval", "e.tsv", "--hypotheses", "h", "--by-length")
    assert result.returncode == 0, result.stderr.decode()
    assert b"BLEU by source length" not in result.stdout
