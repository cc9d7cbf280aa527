"""What an evaluator takes for a table of vectors."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy.typing as npt

from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError

if TYPE_CHECKING:
    import torch
    from gensim.models import KeyedVectors

    Vectors: TypeAlias = npt.ArrayLike | torch.nn.Embedding | torch.Tensor
    Table: TypeAlias = Embeddings | KeyedVectors | tuple[Any, Vectors] | str | PathLike[str]


def as_table(source: Table) -> Embeddings:
    """Return what people have in memory, or what `driftkit.load` reads, as `Embeddings`.

    In a tuple (words, vectors) these are a matrix, a tensor or a ``torch.nn.Embedding``.

    >>> as_table((["tea", "coffee"], [[1.0, 0.0], [0.8, 0.6]]))
    <Embeddings memory: 2 words x 2, memory>
    """
    if isinstance(source, Embeddings):
        return source
    if isinstance(source, str | PathLike):
        from driftkit.loaders import load

        return load(source)
    if hasattr(source, "wv"):  # a gensim model carries its KeyedVectors
        source = source.wv
    if hasattr(source, "index_to_key") and hasattr(source, "vectors"):
        return Embeddings.from_gensim(source)
    if isinstance(source, tuple) and len(source) == 2:
        words = source[0]
        vectors: Any = getattr(source[1], "weight", source[1])
        if hasattr(vectors, "detach"):
            vectors = vectors.detach().to("cpu").float().numpy()
        return Embeddings(words, vectors)
    raise OptionError(
        f"{type(source).__name__} is not a table of vectors; give Embeddings, a gensim "
        "KeyedVectors, (words, matrix), (words, torch.nn.Embedding), or a path. A bare matrix "
        "lacks the words of its rows."
    )
