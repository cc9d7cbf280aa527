"""Embedding layers: one that knows the word of each row, and Mixout around any."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from os import PathLike
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from driftkit.arrays import Matrix, generator
from driftkit.documents import parse_json
from driftkit.embeddings import Embeddings
from driftkit.errors import OptionError, UnknownNameError, VocabularyError
from driftkit.loaders import load
from driftkit.training.anchors import Doubt, check_layer, follow, start_of, wide

OOV = ("random", "mean", "zeros")
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
    loaded : bool
        Whether a checkpoint was loaded into it, so that its rows may be tuned.
    """

    def __init__(
        self,
        words: Sequence[str],
        matrix: Tensor,
        *,
        found: Sequence[bool],
        source: str = "memory",
        sparse: bool = True,
        padding_idx: int | None = None,
    ) -> None:
        words = in_row_order("words", words)
        super().__init__(
            len(words), matrix.shape[1], padding_idx, sparse=sparse, _weight=matrix.clone()
        )
        self.words, self.source, self.loaded = words, source, False
        self.index = {word: row for row, word in enumerate(self.words)}
        marked = zip(self.words, found, strict=True)
        self.missing = tuple(word for word, known in marked if not known)

    def rows(self, tokens: Iterable[str]) -> Tensor:
        """Return the row of each token, that of ``<unk>`` for unknown tokens, (m,) int64.

        Raises
        ------
        OptionError
            If `tokens` is one string.
        UnknownNameError
            If a token is unknown and there is no ``<unk>``.
        """
        _refuse_string("tokens", tokens)
        tokens, unknown = list(tokens), self.index.get(UNK)
        rows = [self.index.get(token, unknown) for token in tokens]
        if None in rows:
            hint = f"The vocabulary has no {UNK} to stand for it."
            raise UnknownNameError("word", tokens[rows.index(None)], self.words, hint)
        return torch.tensor(rows, dtype=torch.int64)

    def to_embeddings(self) -> Embeddings:
        """Return the rows as they are now, copied, with their words."""
        return Embeddings(self.words, self)

    def get_extra_state(self) -> Tensor:
        """Return words and source as JSON in bytes (m,): safetensors files hold only tensors."""
        state = {"words": self.words, "missing": self.missing, "source": self.source}
        return torch.frombuffer(bytearray(json.dumps(state).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what `get_extra_state` returned; raise `VocabularyError` if the words differ."""
        try:
            saved = parse_json(bytes(state.cpu().numpy()))
            theirs, missing, source = (saved[name] for name in ("words", "missing", "source"))
            lists = isinstance(theirs, list) and isinstance(missing, list)
            if not lists or not all(isinstance(word, str) for word in [*theirs, *missing, source]):
                raise ValueError("words and missing must be lists of words, source a name")
        except (ValueError, TypeError, KeyError) as error:
            raise VocabularyError(
                "the checkpoint", f"holds no words of a WordEmbedding ({error})."
            ) from None
        theirs = tuple(theirs)
        if theirs != self.words:
            at = f"there are {len(theirs):,} words there and {len(self.words):,} here"
            for row, (their, our) in enumerate(zip(theirs, self.words, strict=False)):
                if their != our:
                    at = f"row {row} is {their!r} there and {our!r} here"
                    break
            raise VocabularyError(
                "the checkpoint", f"its words differ from this embedding's: {at}."
            )
        self.missing, self.source, self.loaded = tuple(missing), source, True


def embedding_from(
    source: Embeddings | str | PathLike[str],
    words: Iterable[str] | Mapping[str, int] | None = None,
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
    words : iterable of str, or mapping of str to int, optional
        The vocabulary in row order, repeats left out, or the row of each word, such as
        ``tokenizer.get_vocab()``; every word of the source unless given. A word is looked up
        exactly as written.
    specials : sequence of str
        Rows put in front; a mapping must have them there already. ``<pad>`` is zero and never
        trained; the others are OOV unless the source has them.
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

    Raises
    ------
    OptionError
        If `oov` is another word, `words` or `specials` is one string or has no order, or a mapping
        gives other rows than 0, 1, 2, ...
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
    front = in_row_order("specials", specials)
    given = None if words is None else in_row_order("words", words)
    table = source if isinstance(source, Embeddings) else load(source)
    vocabulary = tuple(dict.fromkeys([*front, *(table.words if given is None else given)]))
    if isinstance(words, Mapping) and vocabulary != given:
        raise OptionError(
            f"words= says the row of each word and specials= puts {', '.join(front)} in front, so "
            "rows would be others; give specials=() or those that words= begins with."
        )
    rows = np.fromiter((table.index.get(word, -1) for word in vocabulary), np.int64)
    matrix = np.zeros((len(vocabulary), table.dimensions), np.float32)
    matrix[rows >= 0] = table.matrix[rows[rows >= 0]]
    matrix[rows < 0] = _start_of_missing(table, int((rows < 0).sum()), oov, seed)
    padding = vocabulary.index(PAD) if PAD in front else None
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


def words_of(
    embedding: nn.Embedding, words: Sequence[str] | Mapping[str, int] | None
) -> tuple[str, ...]:
    """Return the words of a layer's rows: those given, else those it knows itself."""
    own = embedding.words if isinstance(embedding, WordEmbedding) else None
    known = own if words is None else in_row_order("words", words)
    n = embedding.num_embeddings
    if known is None or len(known) != n:
        given = "no words were given" if known is None else f"{len(known):,} words were given"
        raise VocabularyError(
            "the embedding layer",
            f"{given} for its {n:,} rows; give the word of each row, or build the layer with "
            "embedding_from, which remembers them.",
        )
    first: dict[str, int] = {}
    for row, word in enumerate(known):
        if first.setdefault(word, row) != row:
            raise VocabularyError(
                "the embedding layer",
                f"rows {first[word]:,} and {row:,} were both given the word {word!r}; give each "
                "row a word of its own.",
            )
    return known


def in_row_order(name: str, words: Iterable[str] | Mapping[str, int]) -> tuple[str, ...]:
    """Return words by row: in the order given, or in that of the rows that a mapping gives them.

    >>> in_row_order("words", {"b": 1, "a": 0})
    ('a', 'b')
    """
    _refuse_string(name, words)
    if isinstance(words, set | frozenset):
        raise OptionError(
            f"{name} is a {type(words).__name__}, which has no order of rows; give a list, or a "
            "mapping of each word to its row."
        )
    if isinstance(words, Mapping):
        rows = [row for row in words.values() if isinstance(row, int | np.integer)]
        if len(rows) < len(words) or set(rows) != set(range(len(words))):
            raise OptionError(
                f"{name} is a {type(words).__name__} whose values are not the rows 0 to "
                f"{len(words) - 1:,}, each once; give each word its row, or a list of words in the "
                "order of rows."
            )
        words = sorted(words, key=words.__getitem__)
    listed = tuple(words)
    if strange := [row for row, word in enumerate(listed) if not isinstance(word, str)]:
        raise OptionError(
            f"{name} has {listed[strange[0]]!r} for row {strange[0]:,}, which is no word; give a "
            "string for each row (for one without a word, a name of its own)."
        )
    return listed


def mixout(
    weight: Tensor, original: Tensor, p: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return ``((1 - m) original + m weight - p original) / (1 - p)``, whose mean is the weight.

    For each number on its own, m is 0 with probability p and else 1. With an original of zero this
    is dropout.

    >>> original = torch.ones(2)
    >>> torch.equal(mixout(original, original, 0.5), original)
    True
    """
    _check_probability(p)
    place = weight.device if generator is None else generator.device
    keep = torch.empty(weight.shape, dtype=torch.float32, device=place)
    keep.bernoulli_(1 - p, generator=generator)
    now, start = wide(weight), wide(original)
    mixed = (torch.lerp(start, now, keep.to(now)) - p * start) / (1 - p)
    return mixed.to(weight.dtype)


class MixoutEmbedding(nn.Module):
    """Look up rows through mixout while training, and plainly otherwise.

    Only the rows of a batch are mixed, each row once however often its word occurs, and gradients
    stay sparse where the table's are. The table itself stays at ``.embedding``.

    Parameters
    ----------
    embedding : torch.nn.Embedding
        Its rows as they are now are the original. They are saved with the module, as ``original``,
        so that a run that resumes mixes with the rows it began with.
    p : float
        Probability that a number is swapped for its original, at least 0 and below 1.
    seed : int
        Of the swaps. They are drawn on the CPU, so every device swaps alike.
    original : Tensor, shape (n, d), optional
        The original table, where the embedding is tuned already.

    References
    ----------
    Lee, Cho & Kang 2020, "Mixout: Effective Regularization to Finetune Large-scale Pretrained
    Language Models".
    """

    original: Tensor

    def __init__(
        self, embedding: nn.Embedding, p: float, *, seed: int = 0, original: Tensor | None = None
    ) -> None:
        _check_probability(p)
        check_layer(embedding, of_rows=True)
        super().__init__()
        self.embedding, self.p = embedding, p
        self.register_buffer("original", start_of(embedding.weight, original))
        self._generator = torch.Generator().manual_seed(seed)
        self._doubt = Doubt(embedding, original)
        self.register_load_state_dict_post_hook(_settle)  # type: ignore[no-untyped-call]

    @property
    def weight(self) -> Tensor:
        """The table's weight, which a model may tie to its head."""
        return self.embedding.weight

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (the name nn.Embedding gives it)
        """Return the vectors of rows of any shape, with a last axis d."""
        if not self.training or self.p == 0:
            vectors: Tensor = self.embedding(input)
            return vectors
        self._doubt.speak("MixoutEmbedding")
        self.original = follow(self.original, self.embedding.weight)
        distinct, place = input.unique(return_inverse=True)
        mixed = mixout(self.embedding(distinct), self.original[distinct], self.p, self._generator)
        return nn.functional.embedding(place, mixed)


def _settle(layer: MixoutEmbedding, keys: Any) -> None:
    """Forget a doubt about the original once it was loaded; torch gives the keys it missed."""
    if not any(key.endswith("original") for key in keys.missing_keys):
        layer._doubt.settle()


def _start_of_missing(table: Embeddings, n: int, oov: str, seed: int) -> Matrix:
    """Return rows (n, d) for words without a vector."""
    if oov == "zeros":
        return np.zeros((n, table.dimensions), np.float32)
    if oov == "mean":
        mean = table.matrix.mean(axis=0, dtype=np.float64)
        return np.broadcast_to(mean, (n, table.dimensions)).astype(np.float32)
    scale = np.sqrt(np.square(table.norms).mean() / table.dimensions)
    return generator(seed, "missing").normal(0, scale, (n, table.dimensions)).astype(np.float32)


def _check_probability(p: float) -> None:
    if not isinstance(p, Real) or not 0 <= p < 1:
        raise OptionError(
            f"p={p!r} was given; the probability of a swap is at least 0 and below 1."
        )


def _refuse_string(name: str, given: object) -> None:
    if isinstance(given, str):
        raise OptionError(f"{name}={given!r} is one string; give a list: [{given!r}].")
