"""faiss writes, driftkit reads: every kind that keeps whole vectors, against `reconstruct_n`."""

from contextlib import suppress

import numpy as np
import pytest

from driftkit.errors import SourceError, VocabularyError
from driftkit.loaders import inspect, load

faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")

D, N = 6, 40
ROWS = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
IDS = np.random.default_rng(1).permutation(np.arange(-5, 10 * N, 10))[:N]
WORDS = [f"w{row}" for row in range(N)]

COUNTED = {
    "flat, inner product": lambda: faiss.IndexFlatIP(D),
    "flat, L2": lambda: faiss.IndexFlatL2(D),
    "flat, L1": lambda: faiss.IndexFlat(D, faiss.METRIC_L1),
    "HNSW, L2": lambda: faiss.IndexHNSWFlat(D, 4),
    "HNSW, inner product": lambda: faiss.IndexHNSWFlat(D, 4, faiss.METRIC_INNER_PRODUCT),
    "IVF": lambda: faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, 3),
    "IVF, most lists empty": lambda: faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, 30),
    "IVF over HNSW": lambda: faiss.IndexIVFFlat(faiss.IndexHNSWFlat(D, 4), D, 3),
}
WITH_IDS = {
    "ids over flat": lambda: faiss.IndexIDMap(faiss.IndexFlatIP(D)),
    "ids both ways over flat": lambda: faiss.IndexIDMap2(faiss.IndexFlatL2(D)),
    "ids over HNSW": lambda: faiss.IndexIDMap(faiss.IndexHNSWFlat(D, 4)),
    "ids over IVF": lambda: faiss.IndexIDMap(faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, 3)),
    "ids of IVF itself": lambda: faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, 3),
}
COMPRESSED = [
    "PQ3x4",
    "SQ8",
    "SQfp16",
    "IVF3,PQ3x4",
    "HNSW4,SQ8",
    "L2norm,Flat",
    "PCA3,Flat",
    "LSH",
]


@pytest.fixture
def save(tmp_path):
    def save(index, ids=None, rows=ROWS):
        if not index.is_trained:
            index.train(np.vstack([ROWS] * 40))
        index.add(rows) if ids is None else index.add_with_ids(rows, ids)
        faiss.write_index(index, str(tmp_path / "m.index"))
        return tmp_path / "m.index"

    return save


@pytest.mark.parametrize("kind", COUNTED)
def test_rows_in_the_order_they_were_added(save, kind):
    rows = np.repeat(ROWS[:1], N, axis=0) + ROWS * 1e-3 if "empty" in kind else ROWS
    index = COUNTED[kind]()
    path = save(index, rows=rows)
    if hasattr(index, "make_direct_map"):
        index.make_direct_map()
    np.testing.assert_array_equal(index.reconstruct_n(0, N), rows)
    table = load(path, vocab=WORDS)
    np.testing.assert_array_equal(table.matrix, rows)
    assert table.matrix.flags.aligned
    assert (table.source.format, table.source.rounding.is_exact) == ("faiss", True)
    some = load(path, vocab=WORDS, words=["w30", "w2"])
    assert (some.words, some.matrix.tolist()) == (("w2", "w30"), rows[[2, 30]].tolist())


@pytest.mark.parametrize("kind", WITH_IDS)
def test_ids_are_the_names(save, kind):
    path = save(WITH_IDS[kind](), ids=IDS)
    table = load(path)
    by_id = dict(zip(map(str, IDS), ROWS, strict=True))
    assert sorted(table.words) == sorted(by_id)
    np.testing.assert_array_equal(table.matrix, [by_id[word] for word in table.words])
    if "over" in kind:
        assert table.words == tuple(map(str, IDS))
    with pytest.raises(VocabularyError, match=r"has ids of its own, so no vocabulary is needed"):
        load(path, vocab=WORDS)


@pytest.mark.parametrize("mapped", [0, faiss.DirectMap.Array, faiss.DirectMap.Hashtable])
def test_ivf_with_a_map_of_its_ids(save, mapped):
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(D), D, 3)
    index.train(np.vstack([ROWS] * 4))
    index.add(ROWS)
    index.set_direct_map_type(mapped)
    path = save(faiss.IndexFlatL2(D)).with_name("mapped.index")
    faiss.write_index(index, str(path))
    np.testing.assert_array_equal(load(path, vocab=WORDS).matrix, ROWS)


def test_the_metric_is_told(save):
    for index, metric in [
        (faiss.IndexFlatIP(D), "inner product"),
        (faiss.IndexHNSWFlat(D, 4), "L2 distance"),
        (faiss.IndexFlat(D, faiss.METRIC_L1), "the distance that faiss numbers 2"),
    ]:
        told = f"metric: the index ranks by {metric}, driftkit by cosine"
        assert any(each.startswith(told) for each in inspect(save(index)).problems)


def test_rows_without_names_need_a_vocabulary(save):
    with pytest.raises(VocabularyError, match="no words were found for its 40 rows"):
        load(save(faiss.IndexFlatL2(D)))


@pytest.mark.parametrize("kind", COMPRESSED)
def test_what_was_compressed_or_turned_is_refused(save, kind):
    with pytest.raises(SourceError) as caught:
        load(save(faiss.index_factory(D, kind)), vocab=WORDS)
    said = "is a faiss index that does not keep whole vectors as they were given"
    assert said in str(caught.value)


def test_compressed_below_ids_or_without_its_vectors(save, tmp_path):
    path = save(faiss.index_factory(D, "IDMap,SQ8"), ids=IDS)
    with pytest.raises(SourceError, match=r"an index of the kind b'IxSQ', which keeps no vectors"):
        load(path)
    index = faiss.IndexHNSWFlat(D, 4)
    index.add(ROWS)
    faiss.write_index(index, str(path), faiss.IO_FLAG_SKIP_STORAGE)
    with pytest.raises(SourceError, match=r"an index of the kind b'null', which keeps no vectors"):
        load(path, vocab=WORDS)


@pytest.mark.parametrize("kind", [*COUNTED, *WITH_IDS])
def test_any_cut_is_one_sentence(save, kind):
    ids = IDS if kind in WITH_IDS else None
    path = save((COUNTED | WITH_IDS)[kind](), ids=ids)
    whole = path.read_bytes()
    vocab = None if kind in WITH_IDS else WORDS
    for size in [*range(64, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(SourceError, match=r"is a damaged or truncated faiss index \("):
            load(path, vocab=vocab)
    path.write_bytes(whole + b"\0")
    with pytest.raises(SourceError, match="1 bytes follow its end"):
        load(path, vocab=vocab)


@pytest.mark.parametrize("kind", [*COUNTED, *WITH_IDS])
def test_any_huge_length_is_one_sentence(save, kind):
    """Every place where a length may stand promises exabytes in turn; nothing is taken for it."""
    ids = IDS if kind in WITH_IDS else None
    path = save((COUNTED | WITH_IDS)[kind](), ids=ids)
    whole = path.read_bytes()
    vocab = None if kind in WITH_IDS else WORDS
    for at in range(4, min(len(whole) - 8, 400)):
        path.write_bytes(whole[:at] + (2**62 - 1).to_bytes(8, "little") + whole[at + 8 :])
        with suppress(SourceError):
            assert load(path, vocab=vocab).matrix.shape == (N, D)
