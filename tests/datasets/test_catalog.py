from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath
from shared_data import SHARED, needs_shared

from driftkit import score
from driftkit.datasets import (
    DEFAULT,
    REGISTRY,
    AnalogyBenchmark,
    Benchmark,
    CategorizationBenchmark,
    Dataset,
    OutlierBenchmark,
    Packaged,
    Pinned,
    PinnedFolder,
    SimilarityBenchmark,
    WordSets,
    get,
    get_all,
    look_up,
    register_benchmark,
)
from driftkit.datasets.source import FOLDER_VARIABLE, OFFLINE_VARIABLE, folder
from driftkit.errors import BenchmarkError, MissingExtraError, OptionError, UnknownNameError


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


KINDS = {
    "similarity": SimilarityBenchmark,
    "sentences": SimilarityBenchmark,
    "analogy": AnalogyBenchmark,
    "categorization": CategorizationBenchmark,
    "outliers": OutlierBenchmark,
    "bias": WordSets,
}


@pytest.fixture
def by_hand(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache without a network, every file placed in it by hand."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data folder is not at {SHARED}")
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    for dataset in REGISTRY.values():
        if not dataset.is_here:
            dataset.path.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if isinstance(dataset.origin, PinnedFolder) else shutil.copyfile
            copy(SHARED / dataset.path.relative_to(empty_cache), dataset.path)
    return empty_cache


def same(benchmark: Benchmark, dataset: Dataset) -> None:
    assert isinstance(benchmark, KINDS[dataset.task])
    assert (benchmark.name, len(benchmark)) == (dataset.name, dataset.n_items)


@pytest.mark.parametrize("name", DEFAULT)
def test_the_default_ones_need_no_download(
    name: str, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    same(get(name), look_up(name))
    assert not empty_cache.exists()


def test_with_files_placed_by_hand_every_name_can_be_read(by_hand: Path) -> None:
    for name, dataset in REGISTRY.items():
        same(get(name), dataset)


ENGLISH_PAIRS = [
    name
    for name, dataset in REGISTRY.items()
    if (dataset.task, dataset.language) == ("similarity", "en")
]


def pairs_of(name: str) -> tuple[tuple[str, str], ...]:
    benchmark = get(name)
    assert isinstance(benchmark, SimilarityBenchmark)
    return benchmark.pairs


def test_repeated_pairs_are_kept_as_published(by_hand: Path) -> None:
    repeated = {
        name: [set(pair) for pair, n in Counter(map(frozenset, pairs_of(name))).items() if n > 1]
        for name in ENGLISH_PAIRS
    }
    assert {name: pairs for name, pairs in repeated.items() if pairs} == {
        "ws353": [{"bank", "money"}, {"money", "cash"}],
        "ws353-rel": [{"bank", "money"}],
        "simlex999": [{"sly", "strange"}],
        "mturk287": [{"gasoline", "stock"}],
        "rw": [{"discovery", "rediscovery"}],
        "simverb3500": [{"misspend", "pass"}],
    }


def test_capitals_scales_and_lines_as_published(by_hand: Path) -> None:
    capitals = {
        name: sum((a + b).casefold() != a + b for a, b in pairs_of(name)) for name in ENGLISH_PAIRS
    }
    assert {name: n for name, n in capitals.items() if n} == {
        "ws353": 18, "ws353-sim": 7, "ws353-rel": 14,
    }  # fmt: skip
    assert ("tiger", "tiger") in pairs_of("ws353")
    men, verb143 = get("men"), get("verb143")
    assert isinstance(men, SimilarityBenchmark)
    assert isinstance(verb143, SimilarityBenchmark)
    assert (men.gold.min(), men.gold.max(), len(set(men.gold.tolist()))) == (0, 50, 51)
    assert (verb143.gold.min(), verb143.gold.max(), len(verb143)) == (0.07, 0.79, 144)


def test_the_copies_of_the_default_sets_elsewhere_say_the_same(by_hand: Path) -> None:
    for name, file in (("ws353", "EN-WS-353-ALL.txt"), ("simlex999", "EN-SIMLEX-999.txt")):
        ours, other = get(name), get(SHARED / "similarity" / file)
        assert isinstance(ours, SimilarityBenchmark)
        assert isinstance(other, SimilarityBenchmark)
        assert Counter(zip(ours.pairs, ours.gold.tolist(), strict=True)) == Counter(
            zip(other.pairs, other.gold.tolist(), strict=True)
        )


def test_known_facts_of_the_google_analogies() -> None:
    google = get("google")
    assert isinstance(google, AnalogyBenchmark)
    assert len(google) - len(set(google.quadruples)) == 171
    assert len(google.sections) == 14
    groups = google.groups
    assert sum(name in groups["semantic"] for name in google.categories) == 8869
    assert sum(name in groups["syntactic"] for name in google.categories) == 10675
    assert len({word for quadruple in google.quadruples for word in quadruple}) == 905


def test_known_facts_of_categories_and_outliers(by_hand: Path) -> None:
    counts = {}
    for name in ("ap", "bless", "battig", "esslli2008"):
        benchmark = get(name)
        assert isinstance(benchmark, CategorizationBenchmark)
        counts[name] = (len(benchmark), len(set(benchmark.words)), len(benchmark.categories))
    # AP and BLESS as their papers count them: the padding rows of the files are no items.
    assert counts == {
        "ap": (402, 402, 21), "bless": (200, 200, 17),
        "battig": (5231, 4668, 56), "esslli2008": (45, 45, 9),
    }  # fmt: skip

    eights, wiki = get("8-8-8"), get("wikisem500")
    assert isinstance(eights, OutlierBenchmark)
    assert isinstance(wiki, OutlierBenchmark)
    assert [(len(group.words), len(group.outliers)) for group in eights.groups] == [(8, 8)] * 8
    assert "Nestlé" in eights.groups[0].outliers
    assert Counter(len(group.words) for group in wiki.groups) == {8: 498, 7: 2}
    assert Counter(len(group.outliers) for group in wiki.groups) == {6: 394, 4: 78, 5: 26, 3: 2}


def test_sets_of_sentences_are_read_from_the_first_item_to_the_last(by_hand: Path) -> None:
    sick, tweets = get("sick"), get("sts14-tweet-news")
    assert isinstance(sick, SimilarityBenchmark)
    assert isinstance(tweets, SimilarityBenchmark)
    assert sick.pairs[0][0] == "There is no boy playing outdoors and there is no man smiling"
    assert (sick.gold[0], sick.gold.min(), sick.gold.max()) == (3.3, 1, 5)
    assert tweets.pairs[0][1] == "Op-Ed Columnist: Revolution Hits the Universities"
    assert (tweets.gold[0], tweets.gold.min(), tweets.gold.max()) == (0.6, 0, 5)
    for name in ("sick", "sts14-images", "sts14-headlines", "sts14-tweet-news"):
        assert get(name).is_of_sentences
        assert all(sentence for pair in get(name).pairs for sentence in pair)
    assert not any(get(name).is_of_sentences for name in ENGLISH_PAIRS)


FIRST_AND_LAST = {
    "de-ws353": (("Liebe", "Sex", 8.46), ("Architektur", "Jahrhundert", 3.08)),
    "de-simlex999": (("alt", "neu", 0.076923077), ("beiwohnen", "ankommen", 2.615384615)),
    "it-ws353": (("amore", "sesso", 8.08), ("architettura", "secolo", 5.23)),
    "it-simlex999": (("vecchio", "nuovo", 0), ("presenziare", "arrivare", 3.461538462)),
    "ru-ws353": (("секс", "любовь", 7.92), ("век", "архитектура", 4.92)),
    "ru-simlex999": (("старый", "новый", 0), ("посещать", "прибывать", 5.461538462)),
    "de-gur65": (("Auto", "Fahrt", 2.75), ("Zauberer", "Orakel", 1.71)),
    "de-gur350": (("Absage", "ablehnen", 3.5), ("Zielstrebigkeit", "Erfolg", 2.63)),
    "de-zg222": (("Abweichung", "sortieren", 2), ("zusammenstellen", "zwei", 1.952380952)),
    "zh-pku500": (("没戏", "没辙", 4.9), ("算盘", "计算机", 4.4)),
    "ja-jsim-adjectives": (("あっけなく", "たやすく", 7.2), ("騒がしく", "激しく", 4.2)),
    "ja-jsim-nouns": (("あらまし", "要旨", 8.4), ("鬼門", "欠点", 5.6)),
}


@pytest.mark.parametrize("name", FIRST_AND_LAST)
def test_sets_of_other_languages_are_read_from_the_first_item_to_the_last(
    by_hand: Path, name: str
) -> None:
    benchmark = get(name)
    assert isinstance(benchmark, SimilarityBenchmark)
    lines = re.split(r"\r\n|\r|\n", look_up(name).path.read_bytes().decode().strip())
    assert len(benchmark) == len(lines) - 1  # the names of the columns
    ends = [(*benchmark.pairs[at], float(benchmark.gold[at])) for at in (0, -1)]
    assert tuple(ends) == FIRST_AND_LAST[name]
    assert all(word == word.strip() for pair in benchmark.pairs for word in pair)


def test_one_of_them_ends_its_lines_in_cr_alone(by_hand: Path) -> None:
    data = look_up("de-simlex999").path.read_bytes()
    assert (data.count(b"\r"), data.count(b"\n")) == (999, 0)


def test_bats_asks_every_two_lines_of_a_relation(by_hand: Path) -> None:
    bats = get("bats")
    assert isinstance(bats, AnalogyBenchmark)
    assert len(bats.sections) == 40
    assert Counter(Counter(bats.categories).values()) == {50 * 49: 40}
    assert list(bats.groups) == ["derivation", "encyclopedia", "inflection", "lexicography"]
    assert bats.quadruples[0] == ("arm", "armless", "art", "artless")
    asked = dict(zip(bats.quadruples, bats.accepted, strict=True))
    assert asked["abuja", "nigeria", "amman", "jordan"] == ("jordan",)
    assert asked["aristotle", "philosopher", "balzac", "novelist"] == ("novelist", "writer")


def test_a_folder_is_here_when_every_file_of_it_is(by_hand: Path) -> None:
    bats = look_up("bats")
    assert bats.fetch() == bats.path == by_hand / "analogy" / "bats"
    (bats.path / "L10.txt").unlink()
    assert not bats.is_here
    with pytest.raises(BenchmarkError, match="bats/L10.txt as "):
        bats.fetch()
    assert len(bats.to_dict()["files"]) == 40


@pytest.mark.slow
def test_files_placed_by_hand_score_as_measured_elsewhere(by_hand: Path, glove) -> None:
    found = {
        result.benchmark: (round(result.value, 5), result.n_used)
        for result in score(glove, ENGLISH_PAIRS)
        if result.measure == "spearman"
    }
    assert len(found) == 13
    assert found["ws353"] == (0.50332, 353)
    assert found["simlex999"] == (0.26458, 999)
    for name, (value, n_used) in found.items():
        assert value == pytest.approx(slow_spearman(glove, name, n_used), abs=1e-5), name
    (msr,) = score(glove, ["msr"])
    assert (msr.n_total, msr.n_used, msr.n_correct) == (8000, 7000, 2542)


def slow_spearman(glove, name: str, n_expected: int) -> float:
    """One pair at a time, through gensim's vectors and scipy's correlation."""
    from scipy.spatial.distance import cosine
    from scipy.stats import spearmanr

    benchmark = get(name)
    assert isinstance(benchmark, SimilarityBenchmark)
    gold, found = [], []
    for (a, b), rated in zip(benchmark.pairs, benchmark.gold, strict=True):
        if a.lower() in glove and b.lower() in glove:
            gold.append(rated)
            found.append(1 - cosine(glove[a.lower()].astype(float), glove[b.lower()].astype(float)))
    assert len(gold) == n_expected
    return float(spearmanr(gold, found).statistic)


@needs_shared
@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("similarity/EN-RW-STANFORD.txt", SimilarityBenchmark),
        ("analogy/msr.txt", AnalogyBenchmark),
        ("categorization/ap.csv", CategorizationBenchmark),
        ("outliers/8-8-8.csv", OutlierBenchmark),
    ],
)
def test_the_task_of_a_file_is_told_from_its_content(file: str, kind: type, tmp_path: Path) -> None:
    assert isinstance(get(SHARED / file), kind)
    renamed = tmp_path / "mine.dat"
    shutil.copyfile(SHARED / file, renamed)
    assert isinstance(get(renamed), kind)
    assert get(renamed).name == "mine"


@needs_shared
@pytest.mark.parametrize("name", ["TREC.test.all", "rt-polarity.all", "stsa.binary.dev"])
def test_files_of_sentences_are_refused(name: str) -> None:
    with pytest.raises(BenchmarkError):  # rt-polarity is latin-1, the others do not fit
        get(SHARED / "text" / name)


def test_a_name_nobody_knows() -> None:
    with pytest.raises(UnknownNameError) as caught:
        get("simlex99")
    assert caught.value.nearest == "simlex999"
    assert "path of a file" in str(caught.value)


def test_a_file_works_where_a_name_does(tmp_path: Path) -> None:
    path = tmp_path / "men.v2.txt"
    path.write_text("sun\tsunlight\t50\n")
    assert get(path).name == get(str(path)).name == "men.v2"
    benchmark = get(path)
    assert get(benchmark) is benchmark


def test_the_cache_folder_may_be_any_folder_laid_out_so(monkeypatch: pytest.MonkeyPatch) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"the shared data folder is not at {SHARED}")
    monkeypatch.setenv(FOLDER_VARIABLE, str(SHARED))
    assert all(dataset.is_here for dataset in REGISTRY.values())


def test_get_all(tmp_path: Path) -> None:
    assert tuple(benchmark.name for benchmark in get_all()) == DEFAULT
    assert [benchmark.name for benchmark in get_all("ws353")] == ["ws353"]
    with pytest.raises(BenchmarkError, match="two benchmarks are called 'ws353'"):
        get_all(["ws353", "ws353"])
    with pytest.raises(BenchmarkError, match="no benchmark was named"):
        get_all([])


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"


def test_names_are_unique_and_every_field_is_filled() -> None:
    assert len(REGISTRY) == 48
    for dataset in REGISTRY.values():
        assert re.fullmatch(r"[a-z0-9-]+", dataset.name)
        assert re.fullmatch(r"[a-z]{2}", dataset.language)
        assert dataset.language == "en" or dataset.name.startswith(f"{dataset.language}-")
        assert dataset.license
        assert re.fullmatch(r".+ (19|20)\d\d, .{10,}", dataset.citation)
        for pinned in pinned_files(dataset):
            assert re.fullmatch(r"[0-9a-f]{40}", pinned.commit)
            assert re.fullmatch(r"[0-9a-f]{64}", pinned.sha256)


def pinned_files(dataset: Dataset) -> list[Pinned]:
    if isinstance(dataset.origin, PinnedFolder):
        return list(dataset.origin)
    return [dataset.origin] if isinstance(dataset.origin, Pinned) else []


@needs_shared
def test_pins_are_those_under_which_the_files_were_gathered() -> None:
    with (SHARED / "SOURCES.tsv").open(encoding="utf-8", newline="") as file:
        sources = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    for dataset in REGISTRY.values():
        for origin in pinned_files(dataset):
            path = dataset.path
            path = path / origin.file if isinstance(dataset.origin, PinnedFolder) else path
            source = sources[path.relative_to(folder()).as_posix()]
            assert origin.sha256 == source["sha256"]
            assert (origin.repository, origin.commit) == (source["repository"], source["commit"])
            assert f"{origin.folder}/{origin.file}" == source["path in repository"]


OF_FILES = [dataset for dataset in REGISTRY.values() if dataset.task != "bias"]


@pytest.mark.parametrize("dataset", OF_FILES, ids=lambda dataset: dataset.name)
def test_the_page_of_benchmarks_lists_it(dataset: Dataset) -> None:
    (row,) = (
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{dataset.name}` |")
    )
    assert f"| {dataset.n_items:,} |" in row
    assert f"| {dataset.license} |" in row
    assert dataset.citation in row
    if isinstance(dataset.origin, Packaged):
        assert dataset.origin.package in row
    else:
        assert dataset.origin.url in row


def test_a_registered_benchmark_is_known_by_name(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("sun sunlight 9\nsun river 1\nriver water 8\n")
    for _ in range(2):  # the same again changes nothing
        register_benchmark("mine", path, task="similarity", citation="Three pairs of mine")
    assert (get("mine").name, len(get("mine"))) == ("mine", 3)
    assert look_up("mine").is_here
    assert look_up("mine").authors == "Three pairs of mine"
    assert look_up("mine").to_dict()["path"] == str(path)

    def made() -> SimilarityBenchmark:
        return SimilarityBenchmark("made", (("a", "b"),), np.ones(1))

    register_benchmark("made", made)
    assert len(get("made")) == 1
    assert look_up("made").to_dict()["path"] is None
    with pytest.raises(BenchmarkError, match="has no file: a function makes it"):
        look_up("made").fetch()
    register_benchmark("other", made)
    with pytest.raises(BenchmarkError, match="calls itself 'made'"):
        get("other")


@pytest.mark.parametrize(
    ("name", "load", "message"),
    [
        ("ws353", __file__, "'ws353' is registered already"),
        ("taken", __file__, "'taken' is registered already"),
        ("two words", "a.txt", "no spaces and no brackets"),
        (3, "a.txt", "cannot be called 3"),
        ("mine", 3, "came with int"),
        ("mine", "no such.csv", "'mine': there is no .*no such.csv; give the path of a file"),
    ],
)
def test_what_cannot_be_registered(name: str, load, message: str) -> None:
    register_benchmark("taken", Path(__file__).parent)
    assert look_up("taken").is_here
    with pytest.raises(OptionError, match=message):
        register_benchmark(name, load)
