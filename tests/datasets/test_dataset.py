from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gensim.test.utils import datapath

from driftkit.datasets import Packaged, Pinned, look_up
from driftkit.errors import MissingExtraError


def test_a_packaged_file_is_where_gensim_says() -> None:
    for name in ("ws353", "simlex999", "google"):
        dataset = look_up(name)
        assert isinstance(dataset.origin, Packaged)
        assert dataset.path == Path(datapath(dataset.path.name))
        assert dataset.is_here
        assert dataset.fetch() == dataset.path


def test_a_package_that_is_not_there() -> None:
    absent = replace(look_up("ws353"), origin=Packaged("no_such_package_anywhere", "a.txt"))
    with pytest.raises(MissingExtraError, match="no_such_package_anywhere"):
        absent.read()


def test_a_pinned_file_belongs_in_the_folder_of_its_task(empty_cache: Path) -> None:
    msr = look_up("msr")
    assert isinstance(msr.origin, Pinned)
    assert msr.path == empty_cache / "analogy" / "msr.txt"
    assert not msr.is_here
    assert msr.origin.url == (
        "https://raw.githubusercontent.com/zhezhaoa/ngram2vec/"
        "e57c623a5dfe5df4ea0be3f04ad52045aaa6360f/testsets/analogy/msr.txt"
    )


@pytest.mark.parametrize(
    ("citation", "authors"),
    [
        ("Baroni & Lenci 2011, How we BLESSed", "Baroni & Lenci 2011"),
        ("Hill, Reichart & Korhonen 2015, SimLex-999", "Hill et al. 2015"),
        ("Finkelstein et al. 2002, Placing search in context", "Finkelstein et al. 2002"),
        ("Somebody, in print", "Somebody, in print"),
    ],
)
def test_how_a_paper_is_cited_in_a_table(citation: str, authors: str) -> None:
    assert replace(look_up("men"), citation=citation).authors == authors


def test_the_json_entry(empty_cache: Path) -> None:
    entry = look_up("men").to_dict()
    assert entry["path"] == str(empty_cache / "similarity" / "EN-MEN-TR-3k.txt")
    assert (entry["is_here"], entry["package"], entry["n_items"]) == (False, None, 3000)
    assert entry["sha256"].startswith("888b1358")
    packaged = look_up("google").to_dict()
    assert (packaged["package"], packaged["url"], packaged["sha256"]) == ("gensim", None, None)
    assert entry.keys() == packaged.keys()
