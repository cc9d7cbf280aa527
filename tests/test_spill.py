import errno

import numpy as np
import pytest

from driftkit import Embeddings, align, audit, spill
from driftkit.drift.null_model import null_pair
from driftkit.errors import OutputError

ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
WORDS = [f"w{row}" for row in range(60)]
ORDER = np.random.default_rng(1).permutation(60)


def shuffled():
    """Tables whose rows stand in different orders; the last ten words moved, and one was added."""
    tuned = ROWS.copy()
    tuned[50:] += 1
    words = [*(WORDS[row] for row in ORDER), "new"]
    return Embeddings(WORDS, ROWS), Embeddings(words, np.vstack([tuned[ORDER], [1, 1, 1, 1]]))


def in_a_file(matrix):
    while matrix is not None and not isinstance(matrix, np.memmap):
        matrix = matrix.base
    return matrix is not None


def test_rows_in_another_order_lie_in_a_file_where_they_are_many(monkeypatch):
    small = align(*shuffled())
    assert not in_a_file(small.after)
    monkeypatch.setattr(spill, "LARGE", 0)
    large = align(*shuffled())
    assert in_a_file(large.after)
    np.testing.assert_array_equal(large.after, small.after)
    assert not large.after.flags.writeable
    found = [audit(pair, [], k=3).to_dict() | {"time": ""} for pair in (small, large)]
    assert found[0] == found[1]


def test_so_do_random_moves_and_they_are_the_same(monkeypatch):
    small = null_pair(align(*shuffled()))
    monkeypatch.setattr(spill, "LARGE", 0)
    large = null_pair(align(*shuffled()))
    assert in_a_file(large.tuned.matrix)
    assert (small.tuned.words, large.tuned.words[-1]) == (large.tuned.words, "new")
    np.testing.assert_array_equal(small.tuned.matrix, large.tuned.matrix)


def test_a_folder_without_room_is_one_sentence(monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spill, "LARGE", 0)
    monkeypatch.setattr(spill, "TemporaryFile", full)
    with pytest.raises(OutputError, match="No space left on device; .* set TMPDIR to a folder"):
        _ = align(*shuffled()).after
