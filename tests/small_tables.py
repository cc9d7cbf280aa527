"""The small real tables that tests of the gate and its command compare."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
from gensim.test.utils import datapath

from driftkit import Embeddings

FREQUENT, MANY, MOVED = 300, 1_200, 40

RELATIVES = (
    ("man", "woman"),
    ("king", "queen"),
    ("father", "mother"),
    ("brother", "sister"),
    ("son", "daughter"),
    ("boy", "girl"),
    ("he", "she"),
    ("his", "her"),
    ("husband", "wife"),
    ("uncle", "aunt"),
    ("actor", "actress"),
)


def write_tables(glove: Embeddings, folder: Path) -> None:
    """Write the tables, and two benchmarks of our own.

    ==================  ==========================================================================
    ``original.npy``    the most frequent words of GloVe and those of two benchmarks; "new york"
    ``gentle.npy``      40 rows moved a little
    ``tuned.npy``       the same rows moved a lot
    ``hot.npy``         every row moved a lot
    ``same.npy``        no row moved
    ``short.npy``       gentle, without its last third
    ``zero.npy``        gentle, with two rows more and one row of zeros
    ``clipped.npy``     gentle, cut off at 1.5
    ``overflowed.npy``  gentle, with infinities
    ``wordless.npy``    gentle, without its words
    ``frequent.npy``    the 1,200 most frequent words, so many that there are bands of ranks
    ``faded.npy``       frequent, with its last words moved a lot
    ``repaired.txt``    the original as text, with one word twice
    ``narrow.txt``      vectors of two numbers
    ``strangers.txt``   words nobody knows
    ``family.txt``      110 analogies that all tables answer
    ``strange.tsv``     a similarity benchmark that no table answers
    ==================  ==========================================================================
    """
    rated = Path(datapath("wordsim353.tsv")).read_text("utf-8").splitlines()[2:]
    wanted = {word.lower() for line in rated for word in line.split("\t")[:2]} & set(glove.index)
    wanted.update(word for pair in RELATIVES for word in pair)
    rows = sorted({*range(FREQUENT), *glove.rows(sorted(wanted)).tolist()})
    words = [*(glove.words[row] for row in rows), "new york"]
    original = np.vstack([glove.matrix[rows], glove["new"] + glove["york"]])
    rng = np.random.default_rng(0)
    moved = np.sort(rng.choice(len(words), MOVED, replace=False))

    def nudged(scale, which=moved):
        table = original.copy()
        table[which] += rng.normal(0, scale, table[which].shape).astype(np.float32)
        return table

    def save(name, table, words=words):
        np.save(folder / f"{name}.npy", table)
        (folder / f"{name}.vocab.txt").write_text("\n".join(words), encoding="utf-8")

    gentle = nudged(1e-3)
    zero = gentle.copy()
    zero[0] = 0
    kept = len(words) * 2 // 3
    save("original", original)
    save("gentle", gentle)
    save("tuned", nudged(0.6))
    save("hot", nudged(1.0, slice(None)))
    save("same", original)
    save("short", gentle[:kept], words[:kept])
    save("zero", np.vstack([np.ones((2, 50), np.float32), zero]), ["<s>", "</s>", *words])
    save("clipped", np.clip(gentle, -1.5, 1.5))
    with np.errstate(over="ignore"):
        save("overflowed", (gentle * 2.0**15).astype(np.float16))
    np.save(folder / "wordless.npy", gentle)
    faded = glove.matrix[:MANY].copy()
    faded[1_100:] += rng.normal(0, 0.6, faded[1_100:].shape).astype(np.float32)
    save("frequent", glove.matrix[:MANY], glove.words[:MANY])
    save("faded", faded, glove.words[:MANY])

    lines = [" ".join([word, *map(str, row)]) for word, row in zip(words, original, strict=True)]
    asked = [" ".join(one + other) for one, other in permutations(RELATIVES, 2)]
    strangers = [f"{word} {' '.join(['1'] * 50)}" for word in ("qu", "qux")]
    for name, text in {
        "repaired.txt": [*lines[:-1], lines[0]],
        "narrow.txt": ["good 1 2", "bad 2 1"],
        "strangers.txt": strangers,
        "family.txt": [": family", *asked],
        "strange.tsv": ["qu\tqux\t1", "quux\tqu\t2", "qux\tquux\t3"],
    }.items():
        (folder / name).write_text("\n".join(text) + "\n", encoding="utf-8")
