from dataclasses import replace

import numpy as np
import pytest
import torch

from driftkit import Embeddings, load
from driftkit.demo import (
    FROZEN,
    RECIPES,
    Recipe,
    insults_among,
    read_task,
    save,
    save_original,
    train,
)
from driftkit.errors import MissingExtraError
from driftkit.neighbors import Shift

HOT, DIRECT, STAGED = RECIPES


@pytest.fixture(scope="module")
def task(glove):
    return read_task(glove, seed=0)


@pytest.fixture(scope="module")
def frequent(glove):
    return Embeddings(glove.words[:5000], np.array(glove.matrix[:5000]))


def test_the_task_is_every_rated_word_with_a_vector_once(task, glove):
    assert len(task.rows) == len(set(task.rows.tolist())) == 5490
    assert task.held_out.sum() == 1098
    good = dict(zip(task.rows.tolist(), task.ratings.tolist(), strict=True))[glove.index["good"]]
    assert good == pytest.approx(1.9)


def test_another_seed_holds_out_other_words(task, glove):
    assert (read_task(glove, seed=1).held_out != task.held_out).any()
    assert (read_task(glove, seed=0).held_out == task.held_out).all()


def test_a_missing_ratings_package_names_the_command(frequent, monkeypatch):
    monkeypatch.setattr("driftkit.demo.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'driftkit\[demo\]'"):
        read_task(frequent, seed=0)


def test_only_training_words_move_and_a_frozen_table_does_not(frequent):
    task = read_task(frequent, seed=0)
    frozen, r_frozen = train(frequent, task, FROZEN, seed=0)
    np.testing.assert_array_equal(frozen.embedding.weight.detach().numpy(), frequent.matrix)
    assert r_frozen > 0.5
    epochs = []
    direct, _ = train(frequent, task, DIRECT, 0, lambda done, total: epochs.append((done, total)))
    moved = (direct.embedding.weight.detach().numpy() != frequent.matrix).any(axis=1)
    assert set(np.flatnonzero(moved)) == set(task.rows[~task.held_out])
    assert epochs[-1] == (30, 30)


def test_a_seed_decides_everything_and_leaves_torch_s_own_alone(frequent):
    task = read_task(frequent, seed=0)
    recipe = Recipe("short", 1e-2, 29, "one epoch of tuning")
    state = torch.random.get_rng_state()
    first, r_first = train(frequent, task, recipe, seed=3)
    second, r_second = train(frequent, task, recipe, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert r_first == r_second
    assert torch.equal(first.embedding.weight, second.embedding.weight)


def test_what_is_saved_can_be_audited(frequent, tmp_path):
    task = read_task(frequent, seed=0)
    model, _ = train(frequent, task, FROZEN, seed=0)
    save_original(frequent, tmp_path)
    save(model, tmp_path / "frozen.pt")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "frozen.pt", "original.npy", "vocab.txt",
    ]  # fmt: skip
    table = load(tmp_path / "frozen.pt")
    assert table.words == frequent.words
    np.testing.assert_array_equal(table.matrix, load(tmp_path / "original.npy").matrix)


def test_an_insult_among_words_or_neighbors_is_noticed():
    plain = Shift("good", (("better", 0.9),), (("nice", 0.8),), 0.0, 0.0)
    assert not insults_among([plain])
    assert insults_among([plain, replace(plain, after=(("idiots", 0.8),))])
    assert insults_among([replace(plain, word="Bastard")])
