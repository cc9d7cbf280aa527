"""An embedding layer for a vocabulary, started from any table driftkit reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Literal

import numpy as np
import torch
from torch import nn

from driftkit.arrays import Matrix
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, UnknownNameError, VocabularyError
from driftkit.loaders import load

OOV = ("random", "mean", "zeros")
"""What rows of words without a vector can start from."""

PAD, UNK = "<pad>", "<unk>"


class WordEmbedding(nn.Embedding):
    """An `nn.Embedding` that knows the word of each row, and saves the words with its weights.

    A checkpoint of any model that holds it carries its words under ``..._extra_state``, where
    `driftkit.load` finds them: ``driftkit audit`` needs no ``--vocab``. Loading a checkpoint
    whose words differ is an error rather than a table with its rows mixed up.

    Parameters
    ----------
    words : sequence of str
        The word of each row, all different.
    matrix : Tensor, shape (n, d)
        The rows to start from; copied.
    found : sequence of bool
        Whether each row's word had a vector to start from.
    source : str
        Where the vectors came from.
    sparse : bool
        Whether gradients hold only the rows of the batch.
    padding_idx : int, optional
        Row that is never trained.

    Attributes
    ----------
    words : tuple of str
    index : dict of str to int
        Word to row.
    missing : tuple of str
        Words that had no vector.
    source : str
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: torch.Tensor,
        *,
        found: Sequence[bool],
        source: str = "memory",
        sparse: bool = True,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__(
            len(words),
            matrix.shape[1],
            _weight=matrix.clone(),
            sparse=sparse,
            padding_idx=padding_idx,
        )
        self.words, self.source = tuple(words), source
        self.index = {word: row for row, word in enumerate(self.words)}
        self.missing = tuple(
            word for word, known in zip(self.words, found, strict=True) if not known
        )

    def rows(self, tokens: Iterable[str]) -> torch.Tensor:
        """Return the row of each token, that of ``<unk>`` for unknown tokens, (m,) int64.

        Raises
        ------
        UnknownNameError
            If a token is unknown and there is no ``<unk>``.
        """
        unknown = self.index.get(UNK)
        rows = [self.index.get(token, unknown) for token in tokens]
        if None in rows:
            token = list(tokens)[rows.index(None)]
            raise UnknownNameError(
                "word", token, self.words, f"The vocabulary has no {UNK} to stand for it."
            )
        return torch.tensor(rows, dtype=torch.int64)

    def to_embeddings(self) -> Embeddings:
        """Return the rows as they are now, copied, with their words."""
        return Embeddings(self.words, self.weight.detach().cpu().float().numpy().copy())

    def get_extra_state(self) -> torch.Tensor:
        """Return what a state dict carries beside the weight: JSON as bytes, (m,) uint8.

        A tensor, since safetensors files hold nothing else.
        """
        state = {"words": self.words, "missing": self.missing, "source": self.source}
        return torch.frombuffer(bytearray(json.dumps(state).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: torch.Tensor) -> None:
        """Restore what `get_extra_state` returned, if it holds the same words.

        Raises
        ------
        VocabularyError
            If the words of the checkpoint are not those of this layer.
        """
        saved = json.loads(bytes(state.cpu().numpy()))
        if tuple(saved["words"]) != self.words:
            both = enumerate(zip(saved["words"], self.words, strict=False))
            different = (
                f"row {row} is {theirs!r} there and {ours!r} here"
                for row, (theirs, ours) in both
                if theirs != ours
            )
            lengths = f"there are {len(saved['words']):,} words there and {len(self.words):,} here"
            at = next(different, lengths)
            raise VocabularyError(
                "the checkpoint", f"its words are not those of this embedding: {at}."
            )
        self.missing, self.source = tuple(saved["missing"]), saved["source"]


def embedding_from(
    source: Embeddings | str | PathLike[str],
    words: Iterable[str] | None = None,
    *,
    specials: Sequence[str] = (PAD, UNK),
    oov: Literal["random", "mean", "zeros"] = "random",
    sparse: bool = True,
    freeze: bool = False,
    seed: int = 0,
) -> WordEmbedding:
    """Build the embedding layer of a vocabulary from a table of vectors.

    Parameters
    ----------
    source : Embeddings, str or path
        A table, or anything `driftkit.load` reads.
    words : iterable of str, optional
        The vocabulary in row order, repeats left out; every word of the source unless given. A
        word is looked up exactly as written.
    specials : sequence of str
        Rows put in front. ``<pad>`` is zero and never trained; the others are OOV unless the
        source has them.
    oov : {"random", "mean", "zeros"}
        What rows without a vector start from: normal numbers around 0 with the root mean square of
        the source's numbers as standard deviation, so that lengths match; the source's mean vector;
        or zero.
    sparse : bool, default True
        Whether gradients hold only the rows of the batch. Train the layer with
        `torch.optim.SparseAdam`, or with SGD without momentum: then only those rows move.
    freeze : bool
        Whether to start without gradients.
    seed : int
        Of the random rows; what a row starts from depends on its place among those.

    Returns
    -------
    WordEmbedding

    Raises
    ------
    OptionError
        If `oov` is another word, or `words` is one string.
    SourceError, VocabularyError, UnknownNameError
        If the source cannot be read.

    Examples
    --------
    >>> table = Embeddings(["good", "bad"], [[3.0, 4.0], [-3.0, 4.0]])
    >>> layer = embedding_from(table, ["bad", "worse"], oov="mean")
    >>> layer.words, layer.missing
    (('<pad>', '<unk>', 'bad', 'worse'), ('<unk>', 'worse'))
    >>> layer(layer.rows(["bad", "novel"])).tolist()
    [[-3.0, 4.0], [0.0, 4.0]]
    """
    if oov not in OOV:
        raise OptionError(f"oov={oov!r} was given; it is one of {', '.join(OOV)}.")
    if isinstance(words, str):
        raise OptionError(f"words={words!r} is one string; give a list of words: [{words!r}].")
    table = source if isinstance(source, Embeddings) else load(source)
    vocabulary = tuple(dict.fromkeys([*specials, *(table.words if words is None else words)]))
    rows = np.fromiter((table.index.get(word, -1) for word in vocabulary), np.int64)
    matrix = np.zeros((len(vocabulary), table.dimensions), np.float32)
    matrix[rows >= 0] = table.matrix[rows[rows >= 0]]
    matrix[rows < 0] = _start_of_missing(table, int((rows < 0).sum()), oov, seed)
    padding = vocabulary.index(PAD) if PAD in specials else None
    if padding is not None:
        matrix[padding] = 0
    found = [row >= 0 or at == padding for at, row in enumerate(rows.tolist())]
    layer = WordEmbedding(
        vocabulary,
        torch.from_numpy(matrix),
        found=found,
        source=table.source.name,
        sparse=sparse,
        padding_idx=padding,
    )
    layer.weight.requires_grad_(not freeze)
    return layer


def words_of(embedding: nn.Embedding, words: Sequence[str] | None) -> tuple[str, ...]:
    """Return the words of a layer's rows: those given, else those it knows itself."""
    known = embedding.words if words is None and isinstance(embedding, WordEmbedding) else words
    n = embedding.num_embeddings
    if known is None or len(known) != n:
        given = "no words were given" if known is None else f"{len(known):,} words were given"
        raise VocabularyError(
            "the embedding layer",
            f"{given} for its {n:,} rows; give the word of each row, or build the layer with "
            "embedding_from, which remembers them.",
        )
    return tuple(known)


def _start_of_missing(table: Embeddings, n: int, oov: str, seed: int) -> Matrix:
    """Return rows (n, d) for words without a vector."""
    if oov == "zeros":
        return np.zeros((n, table.dimensions), np.float32)
    if oov == "mean":
        mean = table.matrix.mean(axis=0, dtype=np.float64)
        return np.broadcast_to(mean, (n, table.dimensions)).astype(np.float32)
    scale = np.sqrt(np.square(table.norms).mean() / table.dimensions)
    rng = np.random.default_rng(seed)
    return rng.normal(0, scale, (n, table.dimensions)).astype(np.float32)
