"""The page that tells what neighbors cost, written from the runs in the repository."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.speed.cost import (
    CARD,
    CARD_SMALL,
    HERE,
    MOVED,
    NODES,
    SMALL,
    TABLES,
    WORD_BYTES,
    XEON,
    Model,
    Node,
    Run,
    Tiles,
    card_errors,
    card_of,
    chosen,
    cost_of,
    errors,
    faster,
    fits_a_card,
    old_errors,
    spread,
    work_of,
    work_on_a_card,
)

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "cost.md"
MANY = (1, 2, 4, 8, 16, 32, 64)
MEANING = {
    "products": "a product of two numbers in int8",
    "looks": "a pair of words compared with thresholds",
    "heaps": "an entry that goes into a list",
    "decided": "a number of a row that float64 decides",
    "encoded": "a number that is rounded",
    "words": "a word asked about",
    "rows": "a row of the table, in each part",
    "table": "a number of a table sent and rounded",
}


def page_of(runs: Sequence[Run]) -> str:
    model = Model.of(runs)
    ours = chosen(runs, machine=HERE, engine="int8", what="both")
    node, with_card = Node(), Node(cards=1)
    off = max(abs(each) for each in card_errors(chosen(runs, machine=CARD)))
    old = max(abs(each) for each in old_errors(chosen(runs, engine="0389e60")))
    refits = max(spread(ours, n, d, node.cores) for n, d in TABLES)
    return TEXT.format(
        costs=_costs(model),
        held_out=_held(ours),
        card_held_out=f"{off:.0%}",
        card_seconds=_card_seconds(runs),
        threads=_threads(runs, model.order),
        more_threads=_more_threads(model),
        old=f"{old:.0%}",
        nodes=_nodes(model, node),
        cards=_cards(model, with_card),
        where=_where(model, node),
        small=f"{SMALL:,}",
        word_bytes=WORD_BYTES,
        cores=node.cores,
        memory=f"{node.memory / 1e9:.0f}",
        network=f"{node.network * 8 / 1e9:.0f}",
        refits=f"{refits:.0%}",
        serial=f"{model.processor.serial['words'] * 1e6:.1f}",
        row_serial=f"{model.processor.serial['rows'] * 1e9:.0f}",
    )


def duration(seconds: float) -> str:
    """Seconds in two digits and the unit in which they are said.

    >>> duration(4.321), duration(500), duration(86_400 * 12.3)
    ('4.3 s', '8.3 min', '12 days')
    """
    for most, unit, name in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < most:
            return f"{float(f'{seconds / unit:.2g}'):g} {name}"
    return f"{float(f'{seconds / 86_400:.2g}'):,g} days"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _size(n: int, d: int) -> str:
    return f"{n:,} x {d}"


def _costs(model: Model) -> str:
    shared, alone = model.processor.parallel, model.processor.serial
    rows = [
        (MEANING[term], _small(shared.get(term) or alone.get(term)), _small(model.card.get(term)))
        for term in MEANING
    ]
    return table(("one of", "a core, int8", "an H100"), rows)


def _small(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, name in ((1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps")):
        if seconds >= unit:
            return f"{float(f'{seconds / unit:.2g}'):g} {name}"
    return f"{float(f'{seconds / 1e-15:.2g}'):g} fs"


def _held(ours: Sequence[Run]) -> str:
    far = [run for run in ours if run.n > SMALL]
    found = list(zip(far, errors(ours), strict=True))
    rows = []
    for n in sorted({run.n for run in far}):
        for name, whole in (("every word", True), ("some words", False)):
            some = [error for run, error in found if run.n == n and (run.asked == n) == whole]
            if some:
                size = np.abs(some)
                within = f"{int((size < 0.25).sum())} of {len(some)}"
                rows.append(
                    (f"{n:,}", name, f"{np.mean(some):+.0%}", f"{size.mean():.0%}",
                     f"{size.max():.0%}", within)
                )  # fmt: skip
    return table(("rows", "asked about", "mean", "mean size", "largest", "within 25 %"), rows)


def _card_seconds(runs: Sequence[Run]) -> str:
    cards = chosen(runs, machine=CARD)
    cost = card_of([run for run in cards if run.n <= CARD_SMALL])
    largest = max(cards, key=lambda run: run.n)
    took = [run.seconds for run in cards if run.n == largest.n]
    told = cost_of(work_on_a_card(largest.n, largest.d), cost)
    return f"{told:.1f} s for {_size(largest.n, largest.d)}, which took {min(took):.1f} s"


def _threads(runs: Sequence[Run], order: float) -> str:
    rows = []
    for one in chosen(runs, machine=HERE, engine="float32", what="both"):
        seen = chosen(runs, machine=XEON, engine="float32", n=one.n, d=one.d)
        took = {run.threads: run.seconds for run in seen}
        name = _size(one.n, one.d)
        rows.append((name, "measured", *(f"{took[1] / took[p]:.1f}" for p in MANY[1:5]), "", ""))
        rows.append(("", "model", *(f"{faster(one, p, order):.1f}" for p in MANY[1:])))
    return table(("table", "", *(f"{p} threads" for p in MANY[1:])), rows)


def _more_threads(model: Model) -> str:
    rows = []
    for n, d in ((60_000, 300), (400_000, 50), (400_000, 300), (3_000_000, 300)):
        work = work_of(n, d, MOVED)
        one = model.processor.seconds(work)
        tiles = Tiles(n, d)
        rows.append(
            (
                _size(n, d), duration(one),
                *(
                    f"{one / model.processor.seconds(work, p, tiles.slower(p, model.order)):.1f}"
                    for p in (8, 16, 32, 64)
                ),
                f"{tiles.rows(64):,}", f"{tiles.waits(64) - 1:.1%}",
            )
        )  # fmt: skip
    return table(
        ("table", "1 thread", "8", "16", "32", "64", "rows of a tile at 64", "they wait"), rows
    )


def _nodes(model: Model, node: Node) -> str:
    rows = []
    for n, d in TABLES:
        cells = [_size(n, d), duration(model.processor.seconds(work_of(n, d, MOVED)))]
        for nodes in NODES:
            plan = model.plan(n, d, MOVED, nodes, node)
            assert plan is not None
            threads = node.cores // plan.processes
            cells.append(f"{duration(plan.total)} ({plan.processes} x {threads})")
        rows.append(cells)
    names = [f"{nodes} node{'s' * (nodes > 1)}" for nodes in NODES]
    return table(("table", "1 core", *names), rows)


def _cards(model: Model, node: Node) -> str:
    rows = []
    for n, d in TABLES:
        search = cost_of(work_on_a_card(n, d), model.card)
        one = duration(search) if fits_a_card(n, d) else "-"
        cells = []
        for nodes in NODES:
            plan = model.plan(n, d, MOVED, nodes, node)
            assert plan is not None
            cells.append(duration(plan.total))
        rows.append((_size(n, d), one, *cells))
    names = [f"{nodes} card{'s' * (nodes > 1)}" for nodes in NODES]
    return table(("table", "1 card, one search", *names), rows)


def _where(model: Model, node: Node) -> str:
    rows = []
    for cards, name in ((0, "nodes"), (1, "cards")):
        for n, d in TABLES:
            for nodes in NODES[::2]:
                plan = model.plan(n, d, MOVED, nodes, Node(node.cores, cards=cards))
                assert plan is not None
                shares = (took / plan.total for took in plan.seconds.values())
                rows.append(
                    (
                        _size(n, d), f"{nodes} {name if nodes > 1 else name[:-1]}",
                        f"{plan.parts:,}", *(f"{share:.0%}" for share in shares),
                    )
                )  # fmt: skip
    head = ("table", "on", "parts", *plan.seconds)
    return table(head, rows)


TEXT = """\
# What it costs, and what it would cost

How long the neighbors of every word take, k = 10, both spaces: a model with few terms, fitted to
runs and checked on larger ones, and what it says of tables that nobody here has run. This page is
written by `python -m benchmarks.speed.cost --write` from the runs in `benchmarks/speed/cost.csv`.

## What is counted

Each term is something that [the engine](engine.md) does, counted from its own constants: products
of numbers, pairs looked at, entries that go into lists, numbers decided in float64, numbers
rounded. Seconds for one of each are fitted to all runs by least squares of relative errors, none
below 0. A core is one of an AMD EPYC with AVX-512 VNNI (processor seconds, on a machine that was
busy otherwise, made-up rows; before float64 took eight numbers at once, which makes deciding two to
four times as fast); of an H100 there are few runs.

{costs}

A word and a row cost a core what one thread alone does: lists are sorted and brought together by
numpy, and norms and positions of all rows are made ready. On a card the line of words is all
that is in no other.

## How wrong it is

Fitted to tables of up to {small} rows only, it was asked about larger ones:

{held_out}

The error grows with n: per pair, large tables cost less than small ones tell, so what is said of
much larger ones is rather too much. (That parts fill lists with offers was counted only after a
first look at these errors, which were 10 % on average without it.) On the card, what was timed at
400,000 rows says {card_seconds}: {card_held_out} off at most. That is one
size on one card.

## More threads

How many times as fast as one thread? The model is the part of one thread in a run of float32
products here, the rest divided by the threads, and the tiles that so many threads take. Measured is
a 16-core Xeon, 5 % of rows changed:

{threads}

Where rows are short, the Xeon gains less: what else its cores share, clock and memory, is not in
the model, so read it as what is possible at best. The engine of 0389e60, whose tiles shrank as
threads grew and each of which had steps in Python, is told by one cost for each tile: all nine of
its times, from 8.2 s on one thread to 3.9 on four and 11.9 on sixteen, within {old}.

With int8, by the fit:

{more_threads}

Threads do not wait for tiles, as many are left for each. But the more threads, the smaller a tile
is, down to 64 rows, and 64 columns are put in order anew for each: in a trial tiles of 64 rows
took half as long again as those of 2,048, and those of 192 a fifth. What holds 64 threads back is
the part of one thread: {serial} µs a word and {row_serial} ns a row. In float32
one thread makes the rows ready, too.

## What larger tables would take

`driftkit shifts --all -o FILE.parquet` with 5 % of the rows changed. A node is taken to have
{cores} of the cores above, {memory} GB of memory, and {network} Gbit/s to where the tables lie;
nodes do not slow each other down there. In brackets: processes x threads on each node, the
fastest that memory allows at {word_bytes} bytes a word in each process. One core is one search,
with nothing read or written.

{nodes}

With cards, each in a node of its own:

{cards}

One search is `dk.neighbor_shifts` of all words at once, where a table is sent once; the command
does parts of at most 32,768 words, and sends both tables for each.

Refits to as many runs drawn anew differ by {refits} at most (90 % of them). That is not how far a
prediction may be off: of whole tables the largest that was run has 200,000 rows on a core and
3,000,000 on a card, no run had more than 16 threads, and none more than one machine. **Take a
factor of two either way** for nodes and for several cards, and of three for a billion rows.

## What limits it

Shares of the time:

{where}

- **Parts.** Workers get 128, or more where each would have more than 32,768 words. At 3,000,000
  words more than 128 processes have nothing to do.
- **No half.** A part asks about some words and meets all, so a product serves one word: twice the
  products of one search whose lists fit into memory.
- **Offers.** In a part, words that did not change take in changed candidates without knowing what
  would be near enough, so lists are filled and decided once more.
- **Reading.** The client, and then every process, reads both tables to the end before the first
  part, to be sure that they are the same: 1 TB for a billion rows of 128. Each part then reads
  them once more, and what memory does not hold comes from the network each time. Parts of more
  words would read less; tiles of a grid, where a node meets some rows with some columns, would
  let it hold two stripes and not all.
- **Every row, in each part.** Norms, positions and marks of all rows are made ready by one thread
  for each part. On a card the tables are sent again (the thread's share is taken from processors
  and may be too large there).
- **A card that does not hold the table** has its rows made ready by one thread of the processor,
  for every part.
- **Words.** A billion are {word_bytes} GB of Python's strings in each process, which is why there
  is one process on a node. Nobody has tried it.
"""
