"""`load`: whatever people saved, as `Embeddings`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from driftkit.arguments import whole
from driftkit.display import counted
from driftkit.embeddings import Embeddings
from driftkit.errors import SourceError
from driftkit.loaders.choose_rows import check_selection
from driftkit.loaders.formats.registry import read
from driftkit.loaders.preconditions import within_limits
from driftkit.loaders.remote import here
from driftkit.loaders.request import Vocab, parse
from driftkit.progress import Progress


def load(
    source: str | os.PathLike[str],
    *,
    key: str | None = None,
    vocab: Vocab | None = None,
    base: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    words: Sequence[str] | None = None,
    dimensions: int | None = None,
    unsafe_pickle: bool = False,
    progress: Progress | bool | None = None,
) -> Embeddings:
    r"""Read a table of word vectors.

    Parameters
    ----------
    source : str or path
        A file or folder, ``PATH::KEY`` for one tensor (or one file of a .zip), ``package:NAME``,
        ``gensim:NAME`` or ``hf:REPO``. The format is told by content. The URL of a single file,
        such as ``s3://bucket/tuned.safetensors``, is copied here once (extra ``dask``, and what
        fsspec needs for that storage).
    key : str, optional
        Name of the tensor, the same as ``PATH::KEY``; its end is enough where only one ends so.
        Without a key, the input embedding is taken, or the only two-dimensional floating tensor
        with a row for each word. Of several adapters in one checkpoint it names one.
    vocab : str, path, sequence of str or map of str to int, optional
        The words of files that hold numbers only: a file (one word per line, columns, a JSON list
        or map, and others), the words in row order, or a map from word to row. By default the
        words inside the file or a file beside it, such as ``X.vocab.txt`` or ``vocab.txt``. For
        a table that has words of its own (text, word2vec, gensim, packages) it is an error.
    base : str or path, optional
        The model that an adapter of peft (LoRA and its like) changes; by default the one that the
        adapter itself names, if it is here. The table is that of the merged model. Sources that
        are no adapters do not use it.
    limit : int, optional
        Read only the first `limit` rows.
    words : sequence of str, optional
        Read only the rows of these words; those not found are listed in ``problems``. A fastText
        model makes vectors for words outside its vocabulary too.
    dimensions : int, optional
        Keep only the first of each row's numbers, so many, as of a Matryoshka model, which is
        trained so that its first dimensions serve alone. Rows are not made of unit length again:
        cosines do not depend on it.
    unsafe_pickle : bool, default False
        Open pickles that can run code. Only for files whose origin you trust.
    progress : None, bool or callable
        True draws a bar; a callable is called with (done, total).

    Returns
    -------
    Embeddings
        Memory-mapped where the format allows.

    Raises
    ------
    SourceError
        If the source is missing, empty, damaged, ambiguous or of no known format, or if it has
        fewer dimensions than asked for.
    UnsafePickleError
        If reading it would run code and ``unsafe_pickle`` is False.
    VocabularyError
        If there are more or fewer words than rows, if a vocabulary can be read in two ways, or if
        one is given for a table that has words of its own.
    OptionError
        If the limit or the dimensions are below 1, or no words are given.
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
    check_selection(limit, words)
    if dimensions is not None:
        whole(1, dimensions=dimensions)
    request = here(
        parse(
            source,
            key=key,
            vocab=vocab,
            base=base,
            unsafe_pickle=unsafe_pickle,
            progress=progress,
            limit=limit,
            words=words,
        )
    )
    with within_limits(request.name):
        table = read(request)
        return table if dimensions is None else _first(table, dimensions)


def _first(table: Embeddings, d: int) -> Embeddings:
    """Return the table of the first d dimensions, which its name says."""
    most, source = table.dimensions, table.source
    if d > most:
        raise SourceError(
            source.name,
            f"has {counted(most, 'dimension')}, and the first {d:,} were asked for; ask for "
            f"{most:,} or fewer.",
        )
    if d == most:
        return table
    source = replace(source, name=f"{source.name} (first {counted(d, 'dimension')})")
    return Embeddings(table.words, table.matrix[:, :d], source=source, problems=table.problems)
