import gzip
import io
import json

import pytest
from gensim import downloader

from driftkit.errors import SourceError, UnknownNameError
from driftkit.loaders import inspect, load

TEXT = b"2 3\ngood 1 2 3\nbad 4 5 6\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A prepared folder as gensim keeps one, and no network."""
    monkeypatch.setattr(downloader, "BASE_DIR", str(tmp_path))

    def offline(*args, **settings):
        raise OSError("no network here")

    monkeypatch.setattr(downloader, "urlopen", offline)
    return tmp_path


def test_gensims_cache_is_enough(cache):
    (cache / "tiny-3").mkdir()
    (cache / "tiny-3" / "tiny-3.gz").write_bytes(gzip.compress(TEXT))
    (cache / "tiny-3" / "__init__.py").write_text("raise SystemExit('this must not run')")
    table = load("gensim:tiny-3")
    assert (table.words, table.source.name) == (("good", "bad"), "gensim:tiny-3")
    assert load("gensim:tiny-3", limit=1).words == ("good",)
    assert inspect("gensim:tiny-3").tables[0].shape == (2, 3)


def test_gensim_without_cache_or_network_says_what_to_do(cache, capfd):
    with pytest.raises(SourceError) as caught:
        load("gensim:tiny-3")
    sentence = str(caught.value)
    assert sentence.startswith(f"gensim:tiny-3: is not in gensim's cache ({cache}) and could not")
    assert sentence.endswith("fetch it where there is a network, and copy that folder.")
    assert capfd.readouterr() == ("", "")


def test_a_name_gensim_does_not_have(cache, monkeypatch):
    known = json.dumps({"corpora": {}, "models": {"glove-tiny": {"parts": 1}}}).encode()
    monkeypatch.setattr(downloader, "urlopen", lambda url: io.BytesIO(known))
    with pytest.raises(UnknownNameError, match="did you mean 'glove-tiny'"):
        load("gensim:glove-tin")
    with pytest.raises(SourceError, match="no slashes or dots"):
        load("gensim:../x")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A cache as huggingface_hub keeps one, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    snapshot = tmp_path / "models--me--tiny" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    refs = tmp_path / "models--me--tiny" / "refs"
    refs.mkdir()
    (refs / "main").write_text("a" * 40)
    return snapshot


def test_the_hubs_cache_is_enough(hub):
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"wte.weight": np.eye(2, dtype=np.float32)}, hub / "model.safetensors")
    (hub / "vocab.txt").write_text("good\nbad\n")
    (hub / "v.txt").write_bytes(TEXT)
    assert load("hf:me/tiny").words == ("good", "bad")
    assert load("hf:me/tiny::wte.weight").source.name == "hf:me/tiny::wte.weight"
    assert load("hf:me/tiny/v.txt").dimensions == 3
    assert inspect("hf:me/tiny").tables[0].key == "wte.weight"


def test_the_hub_without_cache_or_network_says_what_to_do(hub):
    for name in ("hf:me/other", "hf:me/tiny@other"):
        with pytest.raises(SourceError, match="is not in the cache of huggingface_hub and could"):
            load(name)
    with pytest.raises(SourceError, match="is not a name on the Hugging Face Hub"):
        load("hf:me//x y")
