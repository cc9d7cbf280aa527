"""Every kind of encoder gives what its own library gives, whatever the batches are."""

import re
import shutil
import sys
import warnings

import numpy as np
import pytest
import torch

import driftkit as dk
from driftkit.encoders import Encoder, encode, encoder_of, is_model, open_encoder
from driftkit.errors import OptionError, SourceError, UnknownNameError

TEXTS = ["green tea is good", "tea", "coffee is bad", "black coffee", "tea", "is", "good tea"]
CLOSE = {"rtol": 0, "atol": 1e-5}


def lengths(texts):
    return [[len(text), 1.0] for text in texts]


@pytest.fixture(params=["sentence_transformer", "hugging_face", "static", "function"])
def encoder(request):
    """An encoder of each kind; ``again(**options)`` opens it anew."""

    def opened(**options):
        if request.param == "sentence_transformer":
            return open_encoder(request.getfixturevalue("sentence_model"), **options)
        if request.param == "hugging_face":
            return open_encoder(request.getfixturevalue("bert"), pooling="mean", **options)
        if request.param == "static":
            return open_encoder(request.getfixturevalue("static_model"), **options)
        return open_encoder(lengths, **options)

    return opened


# --- what every kind promises ---------------------------------------------------------------------


def test_a_row_for_each_text_in_the_order_given(encoder):
    one = encoder(cache=False)
    rows = one.encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (len(TEXTS), one.dimensions)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(one.encode([text])[0], row, **CLOSE)


def test_the_size_of_a_batch_changes_nothing_but_rounding(encoder):
    rows = encoder(cache=False).encode(TEXTS)
    for size in (1, 2, 5, 64):
        np.testing.assert_allclose(
            encoder(cache=False, batch_size=size).encode(TEXTS), rows, **CLOSE
        )


def test_the_order_of_the_texts_changes_nothing_at_all(encoder):
    one = encoder(cache=False, batch_size=2)
    np.testing.assert_array_equal(one.encode(TEXTS[::-1])[::-1], one.encode(TEXTS))


def test_progress_ends_with_all_distinct_texts(encoder):
    told = []
    encoder(cache=False, batch_size=4).encode(TEXTS, progress=lambda *at: told.append(at))
    assert told == [(4, 6), (6, 6)]


def test_a_table_names_its_rows_and_its_encoder(encoder):
    one = encoder(cache=False)
    table = one.table(["tea", "coffee"], ["a", "b"])
    assert list(table) == ["a", "b"]
    np.testing.assert_array_equal(table.matrix, one.encode(["tea", "coffee"]))
    assert table.source.format == "encoder"
    assert table.source.name == one.name
    assert encoder_of(table) is one
    assert encoder_of(dk.Embeddings(["a"], [[1.0]])) is None


def test_a_prompt_stands_before_every_text(encoder):
    plain, prompted = encoder(cache=False), encoder(cache=False, prompt="good ")
    expected = plain.encode([f"good {text}" for text in TEXTS])
    np.testing.assert_allclose(prompted.encode(TEXTS), expected, **CLOSE)


def test_it_says_nothing_and_leaves_torch_and_the_libraries_alone(encoder, capfd):
    from transformers.utils import logging

    before = torch.random.get_rng_state(), torch.is_grad_enabled(), torch.get_num_threads()
    bars, filters = logging.is_progress_bar_enabled(), list(warnings.filters)
    capfd.readouterr()  # what the library said when it made the model
    encoder(cache=False).encode(TEXTS)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert before[1:] == (torch.is_grad_enabled(), torch.get_num_threads())
    assert logging.is_progress_bar_enabled() == bars
    assert warnings.filters == filters
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("texts", [[], "tea", [1, 2], None])
def test_what_is_no_list_of_texts_is_refused(encoder, texts):
    with pytest.raises(OptionError):
        encoder(cache=False).encode(texts)


# --- against the libraries ------------------------------------------------------------------------


def test_sentence_transformers_gives_the_same(sentence_model):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(sentence_model), device="cpu")
    expected = model.encode(TEXTS)
    np.testing.assert_allclose(open_encoder(sentence_model).encode(TEXTS), expected, **CLOSE)
    np.testing.assert_allclose(open_encoder(model).encode(TEXTS), expected, **CLOSE)


def test_a_prompt_of_the_model_goes_by_its_name(sentence_model):
    by_name = open_encoder(sentence_model, prompt="query").encode(TEXTS)
    by_text = open_encoder(sentence_model, prompt="query : ").encode(TEXTS)
    np.testing.assert_array_equal(by_name, by_text)
    with pytest.raises(SourceError, match="called 'document', which is empty"):
        open_encoder(sentence_model, prompt="document").encode(TEXTS)


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [("mean", lambda rows: rows.mean(0)), ("cls", lambda rows: rows[0]), ("last", lambda r: r[-1])],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_transformers_pools_what_is_no_padding(bert, pooling, pool, side):
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(bert).eval()
    tokenizer = AutoTokenizer.from_pretrained(bert)
    with torch.no_grad():  # one by one, so without padding
        each = [
            model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in TEXTS
        ]
    expected = torch.stack([pool(rows) for rows in each]).numpy()
    tokenizer.padding_side = side
    if side == "right":  # BERT counts places from the left, so padding there moves its words
        found = open_encoder((model, tokenizer), pooling=pooling).encode(TEXTS)
        np.testing.assert_allclose(found, expected, **CLOSE)
        found = open_encoder(bert, pooling=pooling).encode(TEXTS)
        np.testing.assert_allclose(found, expected, **CLOSE)
    else:
        found = open_encoder((model, tokenizer), pooling=pooling, batch_size=1).encode(TEXTS)
        np.testing.assert_allclose(found, expected, **CLOSE)


def test_mean_pooling_of_either_library_is_the_same(bert, sentence_model):
    np.testing.assert_allclose(
        open_encoder(bert, pooling="mean").encode(TEXTS),
        open_encoder(sentence_model).encode(TEXTS),
        **CLOSE,
    )


def test_model2vec_gives_the_same_from_memory_and_folder(static_model, tmp_path):
    static_model.save_pretrained(tmp_path / "static")
    expected = static_model.encode(TEXTS)
    np.testing.assert_allclose(open_encoder(static_model).encode(TEXTS), expected, **CLOSE)
    np.testing.assert_allclose(open_encoder(tmp_path / "static").encode(TEXTS), expected, **CLOSE)


def test_a_function_may_return_a_tensor_of_any_type():
    found = open_encoder(lambda texts: torch.ones(len(texts), 3, dtype=torch.bfloat16))
    assert found.encode(["a"]).tolist() == [[1.0, 1.0, 1.0]]


def test_a_model_in_memory_stays_in_training_where_it_was(sentence_model):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(sentence_model), device="cpu").train()
    model[1].eval()
    before = [module.training for module in model.modules()]
    open_encoder(model).encode(TEXTS)
    assert [module.training for module in model.modules()] == before


# --- rounding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_narrower_type_is_no_movement(minilm, dtype):
    from sentence_transformers import SentenceTransformer

    narrow = SentenceTransformer(
        str(minilm), device="cpu", model_kwargs={"dtype": getattr(torch, dtype)}
    )
    texts = [f"{word} is {other}" for word in ("tea", "war", "love") for other in ("good", "old")]
    full, half = encode(minilm, texts), encode(narrow, texts)
    assert half.source.dtype == dtype
    assert dtype in half.source.rounding.reason
    pair = dk.align(full, half)
    assert pair.changed.all()
    assert not pair.moved.any()


def test_other_batches_are_no_movement(minilm):
    texts = [f"{word} is {other}" for word in ("tea", "war", "love") for other in ("good", "old")]
    tables = [encode(minilm, texts, cache=False, batch_size=size) for size in (1, 4, 64)]
    for other in tables[1:]:
        assert not dk.align(tables[0], other).moved.any()


@pytest.mark.parametrize(("share", "moved"), [(0.01, False), (0.1, True)])
def test_a_part_of_the_way_to_another_model_is_movement_in_a_narrow_type_too(share, moved):
    """The rows of unrelated texts lie about 1.4 lengths apart; a tenth of that is no rounding."""
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(2, 20, 384))

    def of(matrix):
        return encode(lambda texts: torch.tensor(matrix).bfloat16(), [*"abcdefghijklmnopqrst"])

    pair = dk.align(of(rows), of((1 - share) * rows + share * others))
    assert pair.moved.all() == pair.moved.any() == moved
    assert pair.tolerance.startswith(
        "more than the rounding of the sources, 0.0221 of a row's length (computed in bfloat16: "
    )


def test_the_table_knows_the_texts_of_its_ids():
    table = encode(lambda texts: np.eye(len(texts), 3), {"a": "green tea", "b": "tea"})
    assert table.texts == {"a": "green tea", "b": "tea"}
    assert encode(lambda texts: np.ones((len(texts), 3)), ["tea"]).texts == {"tea": "tea"}
    half = encode(lambda texts: np.ones((len(texts), 3)), ["\ud83c"])
    assert half.texts == {"\\ud83c": "\ud83c"}


def test_other_weights_are_movement(bert, static_model, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(bert, changed)
    from safetensors.torch import load_file, save_file

    weights = load_file(changed / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] *= 1.001
    save_file(weights, changed / "model.safetensors", {"format": "pt"})
    pair = dk.align(encode(bert, TEXTS, pooling="cls"), encode(changed, TEXTS, pooling="cls"))
    assert pair.moved.all()


# --- fingerprints ---------------------------------------------------------------------------------


def test_a_fingerprint_is_that_of_content_and_options(bert, tmp_path):
    copy = shutil.copytree(bert, tmp_path / "copy")
    one = open_encoder(bert, pooling="mean")
    assert re.fullmatch("[0-9a-f]{64}", one.fingerprint)
    assert open_encoder(copy, pooling="mean", batch_size=3).fingerprint == one.fingerprint
    (copy / "README.md").write_text("About it.")
    assert open_encoder(copy, pooling="mean").fingerprint == one.fingerprint
    for options in ({"pooling": "cls"}, {"prompt": "query: "}, {"max_length": 4}):
        other = open_encoder(copy, **{"pooling": "mean", **options})
        assert other.fingerprint != one.fingerprint
    (copy / "vocab.txt").write_text("tea\n")
    assert open_encoder(copy, pooling="mean").fingerprint != one.fingerprint
    table = one.table(TEXTS)
    assert table.source.sha256() == one.fingerprint
    assert table.source.key == "mean pooling"


def test_what_is_in_memory_has_no_fingerprint_and_is_not_kept(static_model, cache_folder):
    for model in (lengths, static_model):
        table = encode(model, TEXTS)
        assert table.source.sha256() is None
    assert not cache_folder.exists()


# --- refusals -------------------------------------------------------------------------------------


def test_a_model_of_transformers_without_a_pooling_is_not_read(bert):
    with pytest.raises(
        OptionError, match=r"choose a pooling: mean, cls \(the first token\) or last"
    ):
        open_encoder(bert)
    with pytest.raises(UnknownNameError, match="did you mean 'mean'"):
        open_encoder(bert, pooling="means")


def test_a_model_with_a_pooling_takes_no_other(sentence_model, static_model):
    with pytest.raises(OptionError, match="has a pooling of its own"):
        open_encoder(sentence_model, pooling="cls")
    with pytest.raises(OptionError, match="takes the mean"):
        open_encoder(static_model, pooling="cls")
    with pytest.raises(OptionError, match="a function, which decides that itself"):
        open_encoder(lengths, pooling="mean")


def test_what_is_no_encoder_is_refused(tmp_path, bert):
    from transformers import AutoModel

    (tmp_path / "file.txt").write_text("tea")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    for source, why in [
        (tmp_path / "file.txt", "is a file; an encoder is"),
        (tmp_path / "absent", "does not exist"),
        (tmp_path, "holds no encoder"),
        (tmp_path / "adapter", "merge it into its base"),
    ]:
        with pytest.raises(SourceError, match=why):
            open_encoder(source)
    for thing, why in [
        (torch.nn.Linear(2, 2), "Linear is no encoder"),
        (3, "int is no encoder"),
        (AutoModel.from_pretrained(bert), r"give \(model, tokenizer\)"),
    ]:
        with pytest.raises(OptionError, match=why):
            open_encoder(thing)


def test_code_that_a_folder_names_is_never_run(sentence_model, tmp_path):
    folder = shutil.copytree(sentence_model, tmp_path / "evil")
    listed = (folder / "modules.json").read_text()
    name = re.findall(r'"type": "(.*?)"', listed)[-1]
    (folder / "modules.json").write_text(listed.replace(name, "evil.Evil"))
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(SourceError, match="cannot be opened as a model of sentence-transformers"):
        open_encoder(folder).encode(TEXTS)
    assert "evil" not in sys.modules


def test_weights_that_are_missing_are_not_made_up(bert, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(bert, tmp_path / "cut")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "layer.1" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(SourceError, match="lacks 16 of the weights"):
        open_encoder(folder, pooling="mean").encode(TEXTS)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda texts: [[1.0, 2.0]] * (len(texts) + 1), "an encoder gives a row for each"),
        (lambda texts: [1.0] * len(texts), "an encoder gives a row for each"),
        (lambda texts: [[float("nan")]] * len(texts), "NaN or infinity for"),
        (lambda texts: [["a"]] * len(texts), "not numbers"),
        (lambda texts: 1 / 0, r"could not encode \(ZeroDivisionError: division by zero\)"),
        (lambda texts: [[1.0] * len(texts[0])] * len(texts), "for one text and"),
    ],
)
def test_a_function_that_gives_no_rows_is_told(function, why):
    with pytest.raises(SourceError, match=why):
        open_encoder(function, batch_size=2).encode(["a", "bb", "ccc", "dddd"])


@pytest.mark.parametrize(
    "options",
    [{"batch_size": 0}, {"max_length": 0}, {"prompt": 3}, {"device": "moon"}, {"device": 1}],
)
def test_options_out_of_range(bert, options):
    with pytest.raises(OptionError):
        open_encoder(bert, pooling="mean", **options).encode(TEXTS)


def test_an_open_encoder_is_returned_as_it_is(bert):
    one = open_encoder(bert, pooling="mean")
    assert isinstance(one, Encoder)
    assert open_encoder(one) is one
    with pytest.raises(OptionError, match="has its options"):
        open_encoder(one, prompt="query: ")
    assert repr(one).endswith(": transformers, mean pooling>")


def test_a_model_is_told_from_a_table(bert, sentence_model, static_model, tmp_path):
    static_model.save_pretrained(tmp_path / "static")
    dk.Embeddings(["tea"], [[1.0]]).save(tmp_path / "table")
    for source in (
        bert,
        sentence_model,
        tmp_path / "static",
        "hf:owner/name",
        "hf:owner/name@main",
    ):
        assert is_model(str(source))
    for source in (
        tmp_path / "table",
        tmp_path,
        "absent",
        "hf:owner/name/x.npy",
        f"{bert}::a.weight",
    ):
        assert not is_model(str(source))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["bert", "sentence_model"])
def test_a_card_encodes_as_the_processor_does(kind, request):
    folder = str(request.getfixturevalue(kind))
    use = {"pooling": "mean"} if kind == "bert" else {}
    texts = ["green tea is good", "black coffee", "query : tea", "bad"]
    use["cache"] = False
    here, there = (encode(folder, texts, device=each, **use).matrix for each in ("cpu", "auto"))
    np.testing.assert_allclose(there, here, atol=1e-4)
