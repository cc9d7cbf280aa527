"""Words that end in a number: the header decides; without one it may be refused."""

import numpy as np
import pytest

from driftkit.errors import SourceError
from driftkit.loaders import load

NAMED = "route 66 0.5 1.5\napollo 13 0.25 2.5\nboeing 747 0.75 3.5\n"
COUNTED = "".join(f"w{chr(97 + i)} {900 - 7 * i} {i}.5 1.25\n" for i in range(20))


@pytest.mark.parametrize(
    ("content", "words", "d"),
    [
        ("3 2\n" + NAMED, ("route 66", "apollo 13", "boeing 747"), 2),
        ("3 3\n" + NAMED, ("route", "apollo", "boeing"), 3),
        ("2 2\nitem 1 3 4\nitem 2 5 6\n", ("item 1", "item 2"), 2),
        ("2 2\nmay 5 1998 0.5 1.5\nmay 6 1998 0.5 2.5\n", ("may 5 1998", "may 6 1998"), 2),
        ("2 2\nparis 0.5 1.5\nroute 66 0.5 1.5\n", ("paris", "route 66"), 2),
        ("20 3\n" + COUNTED, tuple(line.split()[0] for line in COUNTED.splitlines()), 3),
    ],
)
def test_the_header_decides(write, content, words, d):
    table = load(write(content))
    assert (table.words, table.dimensions, table.source.format) == (words, d, "word2vec-text")


def test_gensims_tags_of_documents(tmp_path):
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(8)
    matrix = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    theirs.add_vectors([f"doc {i}" for i in range(30)], matrix)
    theirs.save_word2vec_format(tmp_path / "d.txt")
    ours = load(tmp_path / "d.txt")
    assert list(ours.words) == theirs.index_to_key
    assert np.array_equal(ours.matrix, matrix)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (NAMED, "a whole number ('route 66'), which can be read in two ways: as the first of 3"),
        (COUNTED, "(ROWS 2); if it is a count, leave it out"),
        ("item 0 0.5 1.5\nitem 1 0.25 2.5\n", "a whole number ('item 0')"),
        ("".join(f"item {i} {i * i} 3\n" for i in range(9)), "a whole number ('item 0')"),
        ("may 5 1998 0.5 1.5\nmay 6 1998 0.5 2.5\n", "('may 5 1998')"),
        ("20 2\n" + COUNTED, "before the 2 that its header promises ('wa 900'); leave these cou"),
        ("2 2\ngood 0 0.5 1.5\nbad 1 0.5 2.5\n", "leave these counts or row numbers out"),
        ("2 2\npython 3.11 0.5 1.5\nnode 18.1 0.5 2.5\n", "mend the header (ROWS 3), or"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(write, content, sentence):
    with pytest.raises(SourceError) as caught:
        load(write(content))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "a 1 2\nb 3 4\na 5 6\n",  # whole numbers, and a duplicate
        "a 1 0.5\nb 1 1.5\n",  # a bias
        "a 10 0.5 2\nb 3 1.5 1\n",  # %g writes 1.0 as 1
        "a 12 0.5\n",
    ],
)
def test_tables_with_whole_numbers_are_read(write, content):
    assert load(write(content)).dimensions == len(content.split("\n")[0].split()) - 1
