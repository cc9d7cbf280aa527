import json

import numpy as np
import pytest

from driftkit import Embeddings
from driftkit.errors import OptionError, SourceError, VocabularyError
from driftkit.loaders import inspect, load
from driftkit.provenance import Problem, Rounding, Source


@pytest.fixture
def folder(tmp_path):
    made = Embeddings(
        ["good", "b\nad", "\u0085"],
        [[1.0, 0.5], [-1.0, 1 / 3], [0.0, 2.0]],
        source=Source("t.txt", format="glove-text", rounding=Rounding.of_decimals(2)),
        problems=[Problem("blank line", 7, "skipped")],
    )
    made.save(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_everything_comes_back(folder):
    table = load(folder)
    assert table.words == ("good", "b\nad", "\u0085")
    assert table.matrix.tolist() == np.float32([[1, 0.5], [-1, 1 / 3], [0, 2]]).tolist()
    assert table.source.rounding == Rounding.of_decimals(2)
    assert table.problems == (Problem("blank line", 7, "skipped"),)
    assert isinstance(table.matrix.base, np.ndarray)
    assert not table.matrix.flags.writeable
    assert len(table.source.sha256()) == 64
    assert load(folder, words=["good"]).words == ("good",)
    assert inspect(folder).tables[0].shape == (3, 2)


def test_a_folder_is_replaced_whole_and_nothing_else_is(folder):
    Embeddings(["other"], [[3.0]]).save(folder)
    assert load(folder).words == ("other",)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["tiny"]
    (folder / "driftkit.json").unlink()
    with pytest.raises(OptionError, match="it is a folder of other things"):
        Embeddings(["other"], [[3.0]]).save(folder)
    (folder.parent / "file").touch()
    with pytest.raises(OptionError, match="it is a file"):
        Embeddings(["other"], [[3.0]]).save(folder.parent / "file")
    with pytest.raises(OptionError, match="does not exist"):
        Embeddings(["other"], [[3.0]]).save(folder.parent / "none" / "here")


def test_damage(folder):
    manifest = json.loads((folder / "driftkit.json").read_text())
    with pytest.raises(SourceError, match="leave the key out"):
        load(folder, key="vectors")

    def written(**changes):
        (folder / "driftkit.json").write_text(json.dumps(manifest | changes))

    written(schema="driftkit.embeddings/9")
    with pytest.raises(SourceError, match=r"of another kind \(driftkit.embeddings/9\)"):
        load(folder)
    written(source={})
    with pytest.raises(SourceError, match="is a damaged driftkit folder"):
        load(folder)
    written()
    (folder / "words.json").write_text('["one"]')
    with pytest.raises(VocabularyError, match="has 3 rows and 1 words"):
        load(folder)
    from safetensors.numpy import save_file

    save_file({"other": np.ones((3, 2), np.float32)}, folder / "vectors.safetensors")
    with pytest.raises(SourceError, match="holds no table named 'vectors'"):
        load(folder)
    (folder / "vectors.safetensors").unlink()
    with pytest.raises(SourceError, match=r"its vectors\.safetensors is missing"):
        load(folder)


@pytest.mark.parametrize(
    "rounding",
    [
        {"absolute": -1.0},
        {"relative": 1e400},
        {"relative": "0.1"},
        {"absolute": True},
        {"digits": 3},
    ],
)
def test_a_rounding_that_would_hide_changes_is_damage(folder, rounding):
    manifest = json.loads((folder / "driftkit.json").read_text())
    manifest["source"]["rounding"] = rounding
    (folder / "driftkit.json").write_text(json.dumps(manifest))
    with pytest.raises(SourceError, match="driftkit folder|cannot be read|can be read"):
        load(folder)
