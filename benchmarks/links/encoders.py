"""What a map returns of a search across two encoders, beside an orthogonal one.

    python -m benchmarks.links.encoders MODEL TUNED SENTENCES

MODEL is a folder of sentence-transformers, TUNED a fine-tuned copy (made by
`benchmarks/encoders/finetune.py`), SENTENCES a file with one on each line. An index holds what
MODEL says of every sentence. It is searched with what another encoder says of half of them, mapped
by a map fitted on the other half. What keeps the link is to find what MODEL itself finds there: the
share of those ten is R@10. The other recall takes as right what the other encoder finds in an index
of its own; a map that repeats MODEL perfectly has there what MODEL has.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import driftkit as dk

SHORTER = 256  # dimensions of a truncation
FOUND = 10


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def nearest(queries, index, own):
    """Return the places (m, 10) of the rows nearest by cosine, without a query's own row."""
    nearness = unit(queries) @ unit(index).T
    nearness[np.arange(len(own)), own] = -np.inf
    return np.argsort(-nearness, axis=1, kind="stable")[:, :FOUND]


def recall(found, wanted):
    """Return the share of the wanted places that were found."""
    both = [len(set(a) & set(b)) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]
    return float(np.mean(both)) / FOUND


def orthogonal(x, y):
    """Return the matrix (d, e) with orthonormal rows or columns that takes x nearest to y."""
    u, _, vt = np.linalg.svd(x.T @ y, full_matrices=False)
    return u @ vt


def compared(name, old, new):
    """Print rows of the table: an index of old rows (n, d) searched with new ones (n, e)."""
    order = np.random.default_rng(0).permutation(len(old))
    fitted, asked = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    names = [str(place) for place in fitted]
    pair = dk.align(dk.Embeddings(names, old[fitted]), dk.Embeddings(names, new[fitted]))
    fit = dk.fit_map(pair)
    ways = {"MODEL itself": old[asked]}
    if old.shape == new.shape:
        ways["as it is"] = new[asked]
    ways["orthogonal"] = new[asked] @ orthogonal(new[fitted], old[fitted])
    if fit:
        ways[f"fit_map ({fit.affine.name})"] = fit(new[asked])
    for way, queries in ways.items():
        found = nearest(queries, old, asked)
        shares = [recall(found, nearest(rows[asked], rows, asked)) for rows in (old, new)]
        print(f"| {name} | {way} | " + " | ".join(f"{each:.3f}" for each in shares) + " |")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "tuned", "sentences"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args(arguments)
    from sentence_transformers import SentenceTransformer

    lines = asked.sentences.read_text(encoding="utf-8").splitlines()
    sentences = list(dict.fromkeys(filter(None, lines)))
    rows, tuned = (
        SentenceTransformer(str(folder)).encode(sentences).astype(np.float64)
        for folder in (asked.model, asked.tuned)
    )
    print(f"{len(sentences):,} sentences, half of them asked")
    print("| other encoder | its queries | R@10 of MODEL | of the other |\n|---|---|---|---|")
    compared(f"cut to {SHORTER}", rows, rows[:, :SHORTER])
    compared("fine-tuned", rows, tuned)
    compared(f"fine-tuned, cut to {SHORTER}", rows, tuned[:, :SHORTER])
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(rows.shape[1],) * 2))[0]
    compared("turned", rows, rows @ turn)


if __name__ == "__main__":
    main()
