"""What a value over a whole table hides, on a checkpoint of the demo."""

import pytest

import driftkit as dk
from driftkit.demo import RECIPES, read_task, train
from driftkit.errors import MissingExtraError

WORDS = 30_000


@pytest.fixture(scope="module")
def direct(glove):
    """An audit of the recipe `direct` of the demo, on the most frequent words of GloVe."""
    original = dk.Embeddings(glove.words[:WORDS], glove.matrix[:WORDS])
    try:
        task = read_task(original, seed=0)
    except MissingExtraError as error:
        pytest.skip(str(error))
    recipe = next(each for each in RECIPES if each.name == "direct")
    model, _ = train(original, task, recipe, 0)
    tuned = dk.Embeddings(original.words, model.embedding.weight.detach().numpy())
    return dk.audit(dk.align(original, tuned), benchmarks=["simlex999"], resamples=200, null=True)


@pytest.mark.slow
def test_cka_over_the_whole_table_hides_what_the_moved_rows_show(direct):
    assert 0.03 < direct.pair.moved.mean() < 0.1
    whole, moved, unmoved = (
        direct.space.find("cka", group).value for group in ("all", "moved", "unmoved")
    )
    assert whole > 0.95  # nothing to see
    assert moved < 0.7  # and half of it gone
    assert unmoved == pytest.approx(1)
    # Where words are frequent the damage shows a little more.
    assert direct.space.find("cka", "rank 1001-10000").value < whole


@pytest.mark.slow
def test_unmoved_words_that_lost_neighbors_are_listed(direct):
    rows = {(row.measure, row.group): row for row in direct.summaries()}
    assert rows["self_cosine", "unmoved"].mean == 1
    assert 0.9 < rows["overlap@10", "unmoved"].mean < 0.99
    assert rows["overlap@10", "moved"].mean < 0.6
    listed = direct.to_dict()["unmoved_words"]
    assert len(listed) == 50
    for entry in listed:
        assert not entry["moved"]
        assert entry["measures"]["self_cosine"] == 1
        assert entry["measures"]["overlap@10"] <= 0.5
        assert len(entry["lost"]) == len(entry["gained"]) >= 5
    told = direct.explain(20).unmoved
    assert {each.cause for each in told} == {"its neighbors moved"}
    assert all(each.own == 0 for each in told)
    # Their old neighbors moved away; now and then only others moved in.
    assert sum(each.neighbors > 0 for each in told) > 15


@pytest.mark.slow
def test_the_drift_runs_along_valence(direct):
    first, *_ = direct.explain().directions
    # Pleasant words went one way and unpleasant ones the other.
    pair = direct.pair
    good, bad = (
        [(pair.after - pair.before)[pair.index[word]] @ first.vector for word in words]
        for words in (("happy", "wonderful", "love"), ("terrible", "murder", "hate"))
    )
    assert min(good) > max(bad) or max(good) < min(bad)
    # Random moves of the same size have no such direction.
    assert first.share > 3 * direct.null.explain().directions[0].share
