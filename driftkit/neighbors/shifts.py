"""Neighbors of words in both spaces, and how well the two lists agree."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from driftkit.arguments import DEEPEST, require, strings, whole
from driftkit.arrays import Rows
from driftkit.errors import OptionError
from driftkit.measures.registry import parse_measure
from driftkit.neighbors.overlap import overlap, rbo
from driftkit.neighbors.recall import require_recall
from driftkit.neighbors.result import NeighborShifts
from driftkit.pair import Pair
from driftkit.progress import Progress, as_progress

if TYPE_CHECKING:
    from driftkit.neighbors.search.other_metrics import Metric


def neighbor_shifts(
    pair: Pair,
    words: Sequence[str] | None = None,
    k: int = 10,
    *,
    candidates: int | Sequence[str] | None = None,
    metric: Metric = "cosine",
    device: str = "auto",
    recall: float = 1,
    memory: int | None = None,
    memo: MutableMapping[Any, Any] | None = None,
    progress: Progress | bool | None = None,
) -> NeighborShifts:
    """Find the k nearest neighbors of words before and after, and how well they agree.

    Neighbors are by cosine unless another metric is asked for, the word itself left out; of equally
    near ones the earlier candidate comes first. They are exact (see
    `driftkit.neighbors.search.exact`). Both spaces have the same candidates but for words that only
    the tuned table has: these can be neighbors after, and then take the place of others.

    Parameters
    ----------
    pair : Pair
        The two tables.
    words : sequence of str, optional
        Shared words asked about; every shared word unless given, whatever the candidates.
    k : int
        Number of neighbors. When fewer are possible, lists are as long as can be and are compared
        at that length.
    candidates : int or sequence of str, optional
        Words that may be neighbors: this number of the first shared ones (the most frequent, in
        files that are sorted so) and as many of the first added ones, or these, in this order,
        repeats left out, added ones last. Every shared and every added word unless given. Words
        asked about need not be among them.
    metric : {"cosine", "dot", "euclidean", "csls"}
        What nearest means; what the result calls cosines are the scores of this metric then (see
        `driftkit.neighbors.search.other_metrics`).
    device : str
        Where torch takes the products, such as ``"cpu"`` or ``"cuda"``; ``"auto"`` is the GPU where
        torch finds one and there is enough to do, else the CPU. The answer is the same.
    recall : float
        Share of the true neighbors that is enough, by cosine; 1 is exact. Below 1 they are looked
        for among neighbors of neighbors only (extra ``ann``), as long as certainly gives this share
        on words drawn at random, and `NeighborShifts.recall` tells what was found and how far the
        overlap may be off. Where exact neighbors take less time, as below a million words, they are
        exact.
    memory : int, optional
        Bytes that lists may take while they are made; 500 MB unless given. With `recall` below 1 a
        float32 copy of either table is held besides.
    memo : mutable mapping, optional
        Give the same dictionary when several tuned tables are compared with one original, so that
        the original is searched once for the same words and candidates.
    progress : callable or True, optional
        Called with (queries done, queries in all), both spaces counted; True draws a bar on
        standard error.

    Returns
    -------
    NeighborShifts

    Raises
    ------
    UnknownNameError
        If a word is in neither table, or in only one of them.
    OptionError
        If `pair` is not a pair, k or the number of candidates is below 1, a string stands for a
        list of words, torch cannot use the device, or recall is not a number above 0 and up to 1,
        or below 1 with another metric than cosine.
    MissingExtraError
        If recall is below 1, graphs are worth it, and pynndescent is not installed.

    Examples
    --------
    >>> from driftkit import Embeddings, align
    >>> original = Embeddings(["good", "bad", "film"], [[1, 0.1], [1, 0], [0, 1]])
    >>> tuned = Embeddings(["good", "bad", "film"], [[0.1, 1], [1, 0], [0, 1]])
    >>> shift = neighbor_shifts(align(original, tuned), ["good"], k=1)["good"]
    >>> shift.lost, shift.gained, shift.overlap
    (('bad',), ('film',), 0.0)
    """
    from driftkit.neighbors.search.approximate import nearest_at_recall
    from driftkit.neighbors.search.exact import MEMORY
    from driftkit.neighbors.search.incremental import Added, Spaces, nearest_in_both
    from driftkit.neighbors.search.other_metrics import nearest_in_both_by

    require(pair, Pair, "dk.neighbor_shifts")
    progress = as_progress(progress, "neighbors")
    memory = MEMORY if memory is None else memory
    whole(1, DEEPEST, k=k)
    whole(1, memory=memory)
    recall = require_recall(recall)
    if recall < 1 and metric != "cosine":
        raise OptionError(
            f"recall={recall:g} was given with metric={metric!r}; only neighbors by cosine can be "
            "approximate: leave one of them out."
        )
    rows = np.arange(len(pair)) if words is None else pair.rows(strings("words", words, "words"))
    pool, added = _pool(pair, candidates)
    newcomers = None
    if added:
        tuned = pair.tuned
        newcomers = Added(tuned.matrix, tuned.norms, tuned.rows(added), pair.tuned_rows)
    spaces = Spaces(
        pair.before, pair.after, pair.before_norms, pair.after_norms, pair.changed, newcomers
    )
    how: Any = {"candidates": pool, "device": device, "progress": progress}
    (_, persistence), *_ = parse_measure("rbo").parameters
    reached = None
    if recall < 1:
        found, reached = nearest_at_recall(
            spaces, rows, k, recall, persistence, memory=memory, **how
        )
    elif metric == "cosine":
        key = None if memo is None else _question(pair, rows, pool)
        found = nearest_in_both(spaces, rows, k, memory=memory, memo=memo, memo_key=key, **how)
    else:
        found = nearest_in_both_by(metric, spaces, rows, k, **how)
    (before, before_cosine), (after, after_cosine) = found
    asked = tuple(pair.words[row] for row in rows.tolist()) if words is not None else pair.words
    shared = pair.words if pool is None else tuple(pair.words[row] for row in pool.tolist())
    share = overlap(before, after)
    return NeighborShifts(
        words=asked,
        candidates=(*shared, *added) if added else shared,
        k=k,
        moved=pair.moved[rows],
        before=before,
        after=after,
        before_cosine=before_cosine,
        after_cosine=after_cosine,
        overlap=share,
        rbo=rbo(before, after, persistence),
        reasons={
            asked[at]: _why_unmeasured(pair, int(rows[at]))
            for at in np.flatnonzero(np.isnan(share)).tolist()
        },
        added=len(added),
        recall=reached,
        metric=metric,
    )


def _question(pair: Pair, rows: Rows, pool: Rows | None) -> tuple[object, ...]:
    """What tells one search of an original from another: the table, the words, the candidates."""
    asked = pair.original_rows[rows].tobytes()
    among = pair.original_rows if pool is None else pair.original_rows[pool]
    # The table itself is part of the key, so it lives as long as the key and cannot be mistaken.
    return pair.original, sha256(asked).digest(), sha256(among.tobytes()).digest()


def _why_unmeasured(pair: Pair, row: int) -> str:
    zero = [
        side
        for side, norms in (("original", pair.before_norms), ("tuned", pair.after_norms))
        if norms[row] == 0
    ]
    if zero:
        return f"its row is zero in the {' and the '.join(zero)} table, so it has no direction"
    return "no candidate but itself has a direction"


def _pool(
    pair: Pair, candidates: int | Sequence[str] | None
) -> tuple[Rows | None, tuple[str, ...]]:
    """Positions of the candidates among the shared words, None for all, and the added ones."""
    if candidates is None:
        return None, pair.added
    if not isinstance(candidates, Iterable):
        whole(1, candidates=candidates)
        return np.arange(min(candidates, len(pair))), pair.added[:candidates]
    chosen = tuple(dict.fromkeys(strings("candidates", candidates, "words")))
    whole(1, candidates=len(chosen))
    new = set(pair.added)
    shared = [word for word in chosen if word not in new]
    # Added words alone are refused as unknown ones are: before, no word would have a neighbor.
    return pair.rows(shared or chosen), tuple(word for word in chosen if word in new)
