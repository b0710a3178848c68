import calendar
import json
import time

import numpy as np
import pytest

from seq2seq_cli import __version__
from seq2seq_cli.config import ModelConfig, Recipe, TokenizerConfig
from seq2seq_cli.errors import UserError
from seq2seq_cli.nn.members import create_model
from seq2seq_cli.storage.checkpoint import Checkpoint, TrainingState, load_model, load_state, save_model, save_state
from seq2seq_cli.storage.model_files import state_path
from seq2seq_cli.storage.origin import Origin
from seq2seq_cli.text.tokenizer_file import train_tokenizer
from seq2seq_cli.text.training_vocabulary import MAX_WORDS, TrainingVocabulary


def small_checkpoint(**settings):
    source = train_tokenizer(TokenizerConfig("bpe", 30), ["the cat sees the dog"])
    target = train_tokenizer(TokenizerConfig("char", 30), ["le chat voit 𝄞"])
    config = ModelConfig(len(source), len(target), **{"embedding_size": 3, "hidden_size": 4, **settings})
    model = create_model(config, np.random.default_rng(0))
    history = [{"step": 3, "valid_bleu": 1.5}]
    return Checkpoint(model, source, target, Recipe.of(corpus="pairs.tsv", seed=5), history)


def without_normalization(checkpoint):
    """Make a checkpoint one that earlier versions could have written."""
    checkpoint.recipe = checkpoint.recipe.replace(text_normalization="none")
    for tokenizer in (checkpoint.source_tokenizer, checkpoint.target_tokenizer):
        tokenizer.normalizer = None


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.npz"
    save_model(path, small_checkpoint())
    return path


@pytest.mark.parametrize(
    "settings",
    [{"tie_embeddings": False}, {"tie_embeddings": True}, {"cell": "lstm", "layers": 2, "context": "initial"}],
)
def test_a_saved_model_loads_the_same(settings, tmp_path):
    checkpoint = small_checkpoint(**settings)
    save_model(tmp_path / "m.npz", checkpoint)
    loaded = load_model(tmp_path / "m.npz")
    assert loaded.model.config == checkpoint.model.config
    assert np.array_equal(loaded.model.parameters.flat, checkpoint.model.parameters.flat)
    assert loaded.model.parameters.flat.dtype == np.float32
    assert loaded.source_tokenizer.to_json() == checkpoint.source_tokenizer.to_json()
    assert loaded.target_tokenizer.to_json() == checkpoint.target_tokenizer.to_json()
    assert (loaded.recipe.training, loaded.history, loaded.corpus) == (
        checkpoint.recipe.training,
        checkpoint.history,
        "pairs.tsv",
    )


def test_the_training_vocabulary_is_saved_and_may_be_missing(tmp_path):
    checkpoint = small_checkpoint()
    checkpoint.training_vocabulary = TrainingVocabulary(7, frozenset({"the", "été"}))
    path = tmp_path / "m.npz"
    save_model(path, checkpoint)
    assert load_model(path).training_vocabulary == checkpoint.training_vocabulary
    content = members(path)
    config = json.loads(str(content["config"]))
    del config["seen"], content["checksums"]
    np.savez(path, **{**content, "config": text(config)})
    assert load_model(path).training_vocabulary == TrainingVocabulary()


def test_the_words_of_a_large_corpus_can_be_read_again(tmp_path):
    checkpoint = small_checkpoint()
    checkpoint.training_vocabulary = TrainingVocabulary(7, frozenset(f"{number}-word" for number in range(MAX_WORDS)))
    save_model(tmp_path / "m.npz", checkpoint)
    assert load_model(tmp_path / "m.npz").training_vocabulary == checkpoint.training_vocabulary


def test_the_file_is_what_the_design_promises_to_other_programs(saved):
    with np.load(saved, allow_pickle=False) as file:
        assert json.loads(file["format"].item()) == {"name": "seq2seq model", "version": 3}
        assert json.loads(str(file["config"]))["model"]["cell"] == "lstm"
        assert json.loads(str(file["tokenizer.source"]))["kind"] == "bpe"
        assert json.loads(str(file["tokenizer.target"]))["kind"] == "char"
        assert json.loads(str(file["history"]))[0]["step"] == 3
        assert file["encoder.embedding.weight"].dtype == np.float32
        assert file["decoder.fc_out.bias"].ndim == 1


def test_a_tied_model_also_has_the_name_that_torch_expects(tmp_path):
    save_model(tmp_path / "m.npz", small_checkpoint(tie_embeddings=True))
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        assert np.array_equal(file["decoder.fc_out.weight"], file["decoder.embedding.weight"])


def test_training_state_round_trips(tmp_path):
    checkpoint = small_checkpoint()
    moments = {name: np.full_like(checkpoint.model.parameters.flat, value) for name, value in (("m", 1), ("v", 2))}
    path = state_path(tmp_path / "m.npz")
    assert path.name == "m.state.npz"
    save_state(path, checkpoint, TrainingState(moments, {"step": 7}))
    loaded, state = load_state(path)
    assert state.progress == {"step": 7}
    assert state.moments.keys() == moments.keys()
    for name, vector in moments.items():
        assert np.array_equal(state.moments[name], vector)
    assert np.array_equal(loaded.model.parameters.flat, checkpoint.model.parameters.flat)


def test_a_state_is_not_a_model_and_says_so(tmp_path):
    save_state(tmp_path / "m.npz", small_checkpoint(), TrainingState({}, {}))
    with pytest.raises(UserError, match="not a seq2seq model, but 'seq2seq training state'"):
        load_model(tmp_path / "m.npz")


def members(path):
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def text(value):
    return np.array(json.dumps(value))


def changed(content, part, name, value):
    config = json.loads(str(content["config"]))
    config[part][name] = value
    return text(config)


BREAKAGES = {
    "no format": lambda m: m.pop("format"),
    "another format": lambda m: m.update(format=text({"name": "other", "version": 1})),
    "newer version": lambda m: m.update(format=text({"name": "seq2seq model", "version": 4})),
    "format not an object": lambda m: m.update(format=text(3)),
    "config not JSON": lambda m: m.update(config=np.array("{")),
    "config an array of numbers": lambda m: m.update(config=np.zeros(3)),
    "unknown setting": lambda m: m.update(
        config=text({"model": {"wings": 2}, "training": {}, "corpus": "", "text": {}})
    ),
    "config empty": lambda m: m.update(config=text({})),
    "config a list": lambda m: m.update(config=text([])),
    "setting of a wrong type": lambda m: m.update(config=changed(m, "model", "layers", 1.0)),
    "text for a switch": lambda m: m.update(config=changed(m, "model", "bidirectional", "no")),
    "setting out of range": lambda m: m.update(config=changed(m, "training", "dropout", 2)),
    "seen of another form": lambda m: m.update(config=changed(m, "seen", "longest", -1)),
    "seen not words": lambda m: m.update(config=changed(m, "seen", "words", [1])),
    "weight missing": lambda m: m.pop("encoder.rnn.weight_hh_l0"),
    "weight of wrong shape": lambda m: m.update({"encoder.rnn.weight_hh_l0": np.zeros((4, 4), np.float32)}),
    "weight transposed": lambda m: m.update({"encoder.rnn.weight_hh_l0": np.zeros((4, 12), np.float32)}),
    "weight in float64": lambda m: m.update({"encoder.rnn.weight_hh_l0": np.zeros((12, 4))}),
    "weight not a number": lambda m: m["encoder.rnn.weight_hh_l0"].__setitem__((0, 0), np.nan),
    "weight infinite": lambda m: m["encoder.rnn.weight_hh_l0"].__setitem__((0, 0), np.inf),
    "extra member": lambda m: m.update(extra=np.zeros(3)),
    "tokenizer missing": lambda m: m.pop("tokenizer.target"),
    "tokenizer of another size": lambda m: m.update({"tokenizer.target": m["tokenizer.source"]}),
    "history not a list": lambda m: m.update(history=text("x")),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_file_that_is_not_a_whole_model_is_one_clear_error(name, saved):
    content = members(saved)
    BREAKAGES[name](content)
    np.savez(saved, **content)
    with pytest.raises(UserError) as caught:
        load_model(saved)
    assert str(saved) in caught.value.where
    assert caught.value.fix
    assert caught.value.exit_code == 1


def test_every_damage_is_an_error_or_harmless(saved):
    """Seeded truncations and flipped bytes: the same weights, or a clean error."""
    good = saved.read_bytes()
    weights = load_model(saved).model.parameters.flat.copy()
    generator = np.random.default_rng(0)
    for trial in range(300):
        data = bytearray(good)
        if trial % 3 == 0:
            data = data[: generator.integers(len(data))]
        else:
            for position in generator.integers(0, len(data), 1 + trial % 2):
                data[position] ^= int(generator.integers(1, 256))
        saved.write_bytes(bytes(data))
        try:
            loaded = load_model(saved)
        except UserError:
            continue
        assert np.array_equal(loaded.model.parameters.flat, weights)


def change_config(path, change):
    """Change the configuration in a model file, as another version of the program would have written it."""
    content = members(path)
    config = json.loads(str(content["config"]))
    change(config)
    content.pop("checksums", None)
    np.savez(path, **{**content, "config": text(config)})


def test_a_file_knows_the_version_the_date_and_the_number_of_pairs(tmp_path):
    checkpoint = small_checkpoint()
    checkpoint.origin = Origin(pairs=41_718)
    save_model(tmp_path / "m.npz", checkpoint)
    origin = load_model(tmp_path / "m.npz").origin
    assert (origin.version, origin.pairs) == (__version__, 41_718)
    assert abs(calendar.timegm(time.strptime(origin.date, "%Y-%m-%dT%H:%M:%SZ")) - time.time()) < 60


def test_a_file_without_an_origin_or_with_nonsense_in_it_has_an_unknown_one(saved):
    change_config(saved, lambda config: config.pop("origin"))
    assert load_model(saved).origin == Origin()
    for nonsense in (3, {"version": 3, "date": ["x"], "pairs": -1}, {"pairs": True, "version": "x" * 1000}):
        change_config(saved, lambda config, nonsense=nonsense: config.update(origin=nonsense))
        assert load_model(saved).origin == Origin()


@pytest.mark.parametrize("section", ["model", "training"])
def test_a_setting_of_a_later_version_is_said_to_be_one(section, saved):
    change_config(saved, lambda config: config[section].update(wings=2))
    with pytest.raises(UserError, match=r"written by a later version of seq2seq-cli.*'wings' is not among") as caught:
        load_model(saved)
    assert caught.value.fix == "install a newer version of seq2seq-cli"


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["model"].update(wings=2),
        lambda config: config["model"].update(cell="peephole"),
        lambda config: config["training"].update(optimizer="lion"),
        lambda config: config.update(text={"tokenizer": "unigram"}),
    ],
)
def test_what_a_known_later_version_wrote_names_it(change, saved):
    change_config(saved, lambda config: [config.update(origin={"version": "12.3.1"}), change(config)])
    with pytest.raises(UserError, match=rf"version 12\.3\.1 of seq2seq-cli, and this is version {__version__}: "):
        load_model(saved)


def test_a_table_of_a_later_version_names_it_and_without_one_the_file_is_damaged(saved):
    np.savez(saved, **{**members(saved), "trigrams": np.zeros(3, np.float32)})
    content = members(saved)
    del content["checksums"]
    np.savez(saved, **content)
    with pytest.raises(UserError, match="damaged"):
        load_model(saved)
    later = json.loads(str(content["config"])) | {"origin": {"version": "12.0"}}
    np.savez(saved, **{**content, "config": text(later)})
    with pytest.raises(UserError, match=r"version 12\.0 of seq2seq-cli.*'trigrams'"):
        load_model(saved)


def test_a_later_version_that_wrote_what_this_one_knows_is_no_problem(saved):
    change_config(saved, lambda config: config.update(origin={"version": "12.3.1"}))
    assert load_model(saved).origin.is_later
