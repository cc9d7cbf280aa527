"""What was encoded once is not encoded again."""

import shutil

import numpy as np
import pytest

from driftkit.encoders import encode, open_encoder

TEXTS = ["green tea", "coffee", "black coffee is good"]


@pytest.fixture
def folder(bert, tmp_path):
    """A model that can be damaged."""
    return shutil.copytree(bert, tmp_path / "model")


def test_a_second_run_does_not_even_open_the_model(folder, monkeypatch):
    first = encode(folder, TEXTS, pooling="mean")
    monkeypatch.setattr("transformers.AutoModel.from_pretrained", None)  # nobody may call it
    second = encode(folder, TEXTS[::-1], pooling="mean")
    for text in TEXTS:
        np.testing.assert_array_equal(first[text], second[text])
    assert second.source == first.source


def test_rows_go_by_content_and_not_by_place(folder, tmp_path, cache_folder):
    encode(folder, TEXTS, pooling="mean")
    encode(shutil.copytree(folder, tmp_path / "copy"), TEXTS, pooling="mean", batch_size=1)
    assert len(list(cache_folder.iterdir())) == 1
    encode(folder, TEXTS[:2], pooling="mean")
    encode(folder, TEXTS, pooling="cls")
    assert len(list(cache_folder.iterdir())) == 3


def test_other_content_is_encoded_anew(folder):
    before = encode(folder, TEXTS, pooling="mean")
    lines = (folder / "tokenizer.json").read_text().replace('"tea"', '"tee"')
    (folder / "tokenizer.json").write_text(lines)
    after = encode(folder, TEXTS, pooling="mean")
    assert (before["green tea"] != after["green tea"]).any()
    np.testing.assert_allclose(before["coffee"], after["coffee"], rtol=0, atol=1e-6)


@pytest.fixture
def linked(sentence_model, tmp_path):
    """A model whose folder of pooling is a link, and a function that links it elsewhere."""
    folder = shutil.copytree(sentence_model, tmp_path / "linked")
    (pooling,) = folder.glob("*_Pooling")
    store = shutil.copytree(pooling, tmp_path / "store" / "mean")
    other = shutil.copytree(pooling, tmp_path / "store" / "cls")
    config = (other / "config.json").read_text()
    (other / "config.json").write_text(config.replace('"mean"', '"cls"'))
    assert (other / "config.json").read_text() != config
    shutil.rmtree(pooling)

    def link(name):
        pooling.unlink(missing_ok=True)
        pooling.symlink_to(store.parent / name)
        return folder

    return link


def test_links_of_folders_are_followed(linked):
    before, after = (encode(linked(name), TEXTS) for name in ("mean", "cls"))
    assert (before["green tea"] != after["green tea"]).any()
    np.testing.assert_array_equal(encode(linked("mean"), TEXTS).matrix, before.matrix)
    config = linked("mean") / "1_Pooling" / "config.json"
    config.write_text(config.read_text().replace('"mean"', '"cls"'))  # inside the linked folder
    np.testing.assert_array_equal(encode(linked("mean"), TEXTS).matrix, after.matrix)


@pytest.mark.parametrize("place", [".pool", ".cache/pool", "checkpoint-5", "../beside"])
def test_what_modules_json_names_counts_wherever_it_lies(sentence_model, tmp_path, place):
    folder = shutil.copytree(sentence_model, tmp_path / "model")
    (pooling,) = folder.glob("*_Pooling")
    target = folder / place
    target.parent.mkdir(exist_ok=True)
    pooling.rename(target)
    named = (folder / "modules.json").read_text()
    (folder / "modules.json").write_text(named.replace(pooling.name, place))
    before = open_encoder(folder).fingerprint
    config = (target / "config.json").read_text()
    (target / "config.json").write_text(config.replace('"mean"', '"cls"'))
    assert open_encoder(folder).fingerprint != before


def test_a_folder_that_links_to_itself_has_an_end(folder):
    before = open_encoder(folder, pooling="mean").fingerprint
    (folder / "round").symlink_to(folder)
    assert open_encoder(folder, pooling="mean").fingerprint == before


def test_a_model_whose_base_lies_elsewhere_is_not_known_to_stay(sentence_model, tmp_path):
    folder = shutil.copytree(sentence_model, tmp_path / "model")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "../base"}')
    assert open_encoder(folder).fingerprint is None


def test_nothing_is_kept_where_nothing_is_to_be(folder, cache_folder):
    encode(folder, TEXTS, pooling="mean", cache=False)
    assert not cache_folder.exists()


def test_a_broken_file_is_encoded_anew(folder, cache_folder):
    first = encode(folder, TEXTS, pooling="mean")
    (kept,) = cache_folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    np.testing.assert_array_equal(encode(folder, TEXTS, pooling="mean").matrix, first.matrix)


def test_a_flipped_byte_is_seen(folder, cache_folder):
    first = encode(folder, TEXTS, pooling="mean")
    (kept,) = cache_folder.iterdir()
    data = bytearray(kept.read_bytes())
    data[-5] ^= 1
    kept.write_bytes(data)
    np.testing.assert_array_equal(encode(folder, TEXTS, pooling="mean").matrix, first.matrix)


def test_a_place_that_cannot_be_written_is_no_obstacle(folder, cache_folder):
    cache_folder.parent.mkdir()
    cache_folder.write_text("in the way")
    assert len(encode(folder, TEXTS, pooling="mean")) == 3


def test_a_function_is_asked_every_time():
    asked = []

    def function(texts):
        asked.extend(texts)
        return np.ones((len(texts), 2))

    one = open_encoder(function)
    one.encode(["tea", "tea", "coffee"])
    one.encode(["tea"])
    assert asked == ["coffee", "tea", "tea"]
