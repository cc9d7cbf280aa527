"""`load`: whatever people saved, as `Embeddings`."""

from __future__ import annotations

import os

from driftkit.embeddings import Embeddings
from driftkit.loaders.layouts import SCHEME_READERS, find_layout
from driftkit.loaders.source import Progress, Vocab, parse


def load(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    vocab: Vocab | None = None,
    unsafe_pickle: bool = False,
    progress: Progress | None = None,
) -> Embeddings:
    r"""Read a table of word vectors.

    Parameters
    ----------
    source : str or path
        A file, ``PATH::KEY`` for one tensor of a file, or ``package:NAME``. The format is told
        by content.
    key : str, optional
        Name of the tensor, the same as ``PATH::KEY``. Without one, the only two-dimensional
        floating tensor with a row for each word is taken.
    vocab : str, path or sequence of str, optional
        The words of files that hold numbers only: a file (one word per line, a JSON list, or a
        JSON map from word to row) or the words in row order. By default the words inside the
        file or a file beside it, such as ``X.vocab.txt`` or ``vocab.txt``. Formats that hold
        their words (text, word2vec, gensim, packages) do not use it.
    unsafe_pickle : bool, default False
        Open pickles that can run code. Only for files whose origin you trust.
    progress : callable, optional
        Called with (done, total) while a long file is read.

    Returns
    -------
    Embeddings
        Memory-mapped where the format allows.

    Raises
    ------
    SourceError
        If the source is missing, empty, damaged, ambiguous or of no known format.
    UnsafePickleError
        If reading it would run code and ``unsafe_pickle`` is False.
    VocabularyError
        If there is not one word a row.
    UnknownNameError
        If no tensor or package has the name given.
    MissingExtraError
        If an optional package is needed and absent.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tiny.txt")
    ...     _ = path.write_text("good 1.0 0.5\nbad -1.0 0.5\n", encoding="utf-8")
    ...     table = load(path)
    >>> table.words, table.source.format
    (('good', 'bad'), 'glove-text')
    """
    request = parse(source, key=key, vocab=vocab, unsafe_pickle=unsafe_pickle, progress=progress)
    if request.scheme is not None:
        return SCHEME_READERS[request.scheme](request)
    return find_layout(request).read(request)
