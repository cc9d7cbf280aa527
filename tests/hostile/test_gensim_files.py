"""Every file gensim ships for its own tests: it loads, or it is refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from driftkit import load
from driftkit.errors import DriftkitError, MissingExtraError, UnsafePickleError

FILES = sorted(path for path in Path(datapath("")).iterdir() if path.is_file())
HOLD_VECTORS = {  # and how gensim itself reads them
    "euclidean_vectors.bin": {"binary": True},
    "lee_fasttext.vec": {},
    "test_glove.txt": {"no_header": True},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.filterwarnings("ignore")  # what gensim and numpy say of old pickles is theirs
def test_it_loads_or_is_refused_with_a_reason(path):
    try:
        table, sentence = load(path), ""
    except MissingExtraError as error:
        table, sentence = None, str(error)
    except DriftkitError as error:
        table, sentence = None, str(error)
        if not sentence.startswith(str(path)):
            raise
    if path.name in HOLD_VECTORS:
        theirs = KeyedVectors.load_word2vec_format(path, **HOLD_VECTORS[path.name])
        assert list(table.words) == theirs.index_to_key
        np.testing.assert_array_equal(table.matrix, theirs.vectors)
    elif table is not None:
        assert len(table) > 0
        assert np.isfinite(table.matrix).all()
    assert len(sentence) < 2000


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in (".kv", ".model")])
def test_pickles_need_the_flag(path):
    with pytest.raises(DriftkitError) as caught:
        load(path)
    if isinstance(caught.value, UnsafePickleError):
        assert "--unsafe-pickle" in str(caught.value)
