"""The plane of the map: principal components of the original, and what holds whatever was drawn."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from driftkit import Embeddings, align
from driftkit.drift.projection import FITTED, _signed, project
from driftkit.errors import AlignmentError, MissingExtraError, OptionError


def tables(n=200, d=6, moved=40, seed=0):
    rng = np.random.default_rng(seed)
    before = (rng.normal(size=(n, d)) * np.arange(d, 0, -1) + rng.normal(size=d)).astype(np.float32)
    after = before.copy()
    after[:moved] += rng.normal(size=(moved, d)).astype(np.float32)
    return before, after


def joined(before, after):
    words = [f"w{at}" for at in range(len(before))]
    return align(Embeddings(words, before), Embeddings(words, after))


def every(pair, **settings):
    return project(pair, np.arange(len(pair)), **settings)


def test_it_is_the_pca_of_scikit_learn_on_rows_of_length_one(pair):
    decomposition = pytest.importorskip("sklearn.decomposition", reason="scikit-learn (extra dev)")
    unit = pair.before / np.linalg.norm(pair.before, axis=1, keepdims=True)
    oracle = decomposition.PCA(2).fit(unit)
    found = every(pair)
    signs = np.sign((oracle.components_ * found.axes).sum(axis=1))
    np.testing.assert_allclose(found.axes, oracle.components_ * signs[:, None], atol=1e-5)
    np.testing.assert_allclose(found.before, oracle.transform(unit) * signs, atol=1e-5)
    after = pair.after / np.linalg.norm(pair.after, axis=1, keepdims=True)
    np.testing.assert_allclose(found.after, oracle.transform(after) * signs, atol=1e-5)
    np.testing.assert_allclose(found.shares, oracle.explained_variance_ratio_, atol=1e-5)


def test_what_did_not_move_stays_and_what_moved_leaves():
    before, after = tables()
    found = every(joined(before, after))
    np.testing.assert_array_equal(found.after[40:], found.before[40:])
    assert (found.after[:40] != found.before[:40]).any(axis=1).all()


def test_only_the_direction_of_a_row_counts():
    before, _ = tables()
    longer = before * np.linspace(0.5, 20, len(before), dtype=np.float32)[:, None]
    found = every(joined(before, longer))
    np.testing.assert_allclose(found.after, found.before, atol=1e-6)


def test_the_plane_depends_on_the_original_alone_and_not_on_what_is_drawn():
    before, after = tables()
    found, other = every(joined(before, after)), every(joined(before, after[::-1].copy()))
    np.testing.assert_array_equal(found.axes, other.axes)
    some = np.array([7, 3, 150])
    few = project(joined(before, after), some)
    assert few.words == ("w7", "w3", "w150")
    np.testing.assert_allclose(few.before, found.before[some], atol=1e-12)
    np.testing.assert_allclose(few.after, found.after[some], atol=1e-12)


def test_a_rotation_of_both_tables_changes_the_picture_by_signs_alone():
    before, after = tables()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    found = every(joined(before, after))
    turned = every(joined(before @ turn, after @ turn))
    signs = np.sign((found.before * turned.before).sum(axis=0))
    np.testing.assert_allclose(turned.before * signs, found.before, atol=1e-4)
    np.testing.assert_allclose(turned.after * signs, found.after, atol=1e-4)
    np.testing.assert_allclose(turned.shares, found.shares, atol=1e-5)


def test_axes_are_orthonormal_and_the_first_holds_more():
    found = every(joined(*tables()))
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(2), atol=1e-12)
    assert found.shares[0] >= found.shares[1] > 0
    assert found.shares.sum() <= 1
    np.testing.assert_allclose(found.before.mean(axis=0), 0, atol=1e-7)


@given(
    of_numpy.arrays(np.float64, 5, elements=st.integers(-3, 3).map(float)),
    of_numpy.arrays(np.float64, 5, elements=st.floats(-1e-9, 1e-9)),
)
def test_whatever_sign_a_library_returns_the_axis_is_the_same(axis, rounding):
    if not axis.any():
        return
    axis /= np.linalg.norm(axis)
    np.testing.assert_allclose(_signed(-axis + rounding), _signed(axis), atol=1e-8)
    assert _signed(axis).max() >= np.abs(axis).max() - 1e-12


def test_rows_of_zeros_have_no_place_and_no_say():
    before, after = tables()
    after[3] = 0
    before[50] = after[50] = 0
    found = every(joined(before, after))
    assert np.isfinite(found.before[3]).all()
    assert np.isnan(found.after[3]).all()
    assert np.isnan(found.before[50]).all()
    kept = np.delete(np.arange(len(before)), 50)
    alone = every(joined(before[kept], after[kept]))
    np.testing.assert_allclose(found.axes, alone.axes, atol=1e-12)


def test_one_dimension_is_drawn_on_a_line():
    found = every(joined(np.array([[1.0], [-2.0], [3.0]]), np.array([[1.0], [2.0], [3.0]])))
    np.testing.assert_array_equal(found.before[:, 1], 0)
    np.testing.assert_array_equal(found.axes, [[1], [0]])
    assert found.shares.tolist() == [1, 0]


def test_rows_beyond_the_fitted_ones_are_placed_and_have_no_say():
    rng = np.random.default_rng(0)
    before = rng.normal(size=(FITTED + 50, 3)).astype(np.float32)
    other = before.copy()
    other[FITTED:] = [5, 5, 5]
    found, changed = every(joined(before, before)), every(joined(other, other))
    np.testing.assert_array_equal(found.axes, changed.axes)
    assert np.isfinite(found.before[FITTED:]).all()


def test_tables_of_other_widths_are_refused_in_words():
    before, _ = tables()
    with pytest.raises(AlignmentError, match="6 against 4 dimensions, so they have no axis"):
        every(joined(before, before[:, :4].copy()))


def test_only_known_methods():
    with pytest.raises(OptionError, match="it is 'pca' or 'umap'"):
        every(joined(*tables()), method="tsne")


def test_umap_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"umap-learn.*driftkit\[umap\]"):
        every(joined(*tables()), method="umap")


@pytest.mark.slow
def test_umap_fits_the_original_and_leaves_what_did_not_move():
    pytest.importorskip("umap", reason="umap-learn (extra umap)")
    # In a process of its own, since it warns of much, and there not compiled, which takes longer.
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import numpy as np\n"
        "from test_projection import every, joined, tables\n"
        "before, after = tables(n=80, moved=10)\n"
        "after[3] = 0\n"
        "found = every(joined(before, after), method='umap')\n"
        "assert found.before.shape == found.after.shape == (80, 2)\n"
        "assert np.isfinite(found.before).all() and np.isnan(found.after[3]).all()\n"
        "assert (found.after[10:] == found.before[10:]).all()\n"
        "assert (found.after[:10] != found.before[:10]).any(axis=1).all()\n"
        "assert found.axes.shape == (0, 6) and found.shares.shape == (0,)\n"
    )
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
