import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import InputError
from driftkit.gate.subjects import COUNTS, STATISTICS, Subject, parse_subjects
from driftkit.measures.registry import REGISTRY


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("moved", ["moved"]),
        ("spearman[simlex999]", ["spearman[simlex999]"]),
        ("spearman[simlex999] change", ["spearman[simlex999]"]),
        ("spearman [simlex999]  tuned", ["spearman[simlex999] tuned"]),
        ("3cosadd@1[google] original", ["3cosadd@1[google] original"]),
        ("change[*]", ["change[*]"]),
        ("coverage[rw]", ["coverage[rw]"]),
        ("overlap@10 mean[moved]", ["overlap@10 mean[moved]"]),
        ("overlap@10[moved] mean", ["overlap@10 mean[moved]"]),
        ("overlap mean", ["overlap mean"]),
        ("rbo(p=0.9)@10 p05[all]", ["rbo(p=0.9)@10 p05"]),
        ("rbo(p=0.8) median[unmoved]", ["rbo(p=0.8) median[unmoved]"]),
        ("cka", ["cka"]),
        ("cka[moved]", ["cka[moved]"]),
        ("overlap@10 mean[rank 1-1000]", ["overlap@10 mean[rank 1-1000]"]),
        ("mean_cosine tuned[moved]", ["mean_cosine tuned[moved]"]),
        ("word[good] overlap@10", ["word[good] overlap@10"]),
        ("words[good, bad,good] self_cosine", ["word[good] self_cosine", "word[bad] self_cosine"]),
        (r'word["New York", "a\"]b"] l2', ['word["New York"] l2', r'word["a\"]b"] l2']),
    ],
)
def test_forms(text, canonical):
    found = parse_subjects(text, text)
    assert [str(subject) for subject in found] == canonical
    assert [parse_subjects(str(subject), "")[0] for subject in found] == list(found)


@pytest.mark.parametrize(
    "text",
    [
        "movd",
        "overlp@10 mean",
        "overlap@10",
        "overlap@10 avg",
        "overlap@10 mean[mowed]",
        "overlap@0 mean",
        "rbo(q=1) mean",
        "cka mean",
        "cka[ws353]",
        "moved[all]",
        "spearman",
        "spearman[a] tuned[b]",
        "spearman[a] delta",
        "coverage[a] tuned",
        "word[good] cka",
        "word[good] overlp",
        'word[a "b] overlap',
        "word[a,,b] overlap",
        "two words",
        "?",
    ],
)
def test_what_nobody_measures_is_refused(text):
    with pytest.raises(InputError):
        parse_subjects(text, text)


_words = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(_words | st.sampled_from(['a"b', "a b", "a,b", "[x]", "\\", "ß]"]))
def test_any_word_can_be_protected(word):
    subject = Subject("word", "overlap@10", on=word)
    assert parse_subjects(str(subject), "") == (subject,)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_names_round_trip(data):
    measure = data.draw(st.sampled_from(list(REGISTRY.values())))
    if measure.kind == "word":
        of, on = data.draw(st.sampled_from(STATISTICS)), data.draw(st.sampled_from(["", "moved"]))
        subject = Subject("group", str(measure), of, on)
    elif measure.kind == "space":
        of, on = (
            data.draw(st.sampled_from(["", "tuned"])),
            data.draw(st.sampled_from(["", "moved"])),
        )
        subject = Subject("group", str(measure), of, on)
    else:
        of = data.draw(st.sampled_from(["", "tuned", "original"]))
        subject = Subject("benchmark", str(measure), of, "ws353")
    assert parse_subjects(str(subject), "") == (subject,)
    assert subject.stands_for(subject)


def test_a_depth_that_is_not_written_means_the_one_measured():
    (asked,) = parse_subjects("overlap mean", "")
    assert asked.stands_for(Subject("group", "overlap@25", "mean"))
    (exact,) = parse_subjects("overlap@10 mean", "")
    assert not exact.stands_for(Subject("group", "overlap@25", "mean"))
    (rbo,) = parse_subjects("rbo(p=0.8) mean", "")
    assert not rbo.stands_for(Subject("group", "rbo(p=0.9)@10", "mean"))


def test_patterns_of_benchmarks():
    change, coverage = (
        Subject("benchmark", "3cosadd@1", on="g"),
        Subject("benchmark", "coverage", on="g"),
    )
    assert Subject("benchmark", "change", on="*").stands_for(change)
    assert not Subject("benchmark", "change", on="*").stands_for(coverage)
    assert Subject("benchmark", "coverage", on="*").stands_for(coverage)
    assert not Subject("benchmark", "spearman", on="*").stands_for(coverage)
    assert not Subject("benchmark", "coverage", on="*").stands_for(change)
    assert not Subject("count", "lost").stands_for(Subject("count", "moved"))


def test_every_count_is_described():
    assert all(COUNTS.values())
