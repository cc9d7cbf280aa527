from pathlib import Path

from driftkit.loaders.inspection import Inspection, TableInfo


def made(path, fits=True, **more):
    info = TableInfo("emb", (4, 3), "float32", fits, 0.25, equals="head (tied)")
    return Inspection("m.pt", path, "torch", (info,), str(path), 4, ("one problem",), **more)


def test_the_command_names_what_is_known(tmp_path):
    path = tmp_path / "my run.pt"
    path.touch()
    assert made(path, original="a b.npy").command() == (
        f"driftkit audit 'a b.npy' '{path}::emb' --vocab '{path}'"
    )
    assert made(path, fits=False).command() == f"driftkit audit ORIGINAL '{path}::emb' --vocab FILE"
    assert made(tmp_path).command() == f"driftkit audit ORIGINAL {tmp_path}::emb"
    assert made(None).command() == "driftkit audit ORIGINAL m.pt::emb"


def test_views_and_document():
    found = made(Path("m.pt"), others=7)
    assert "not listed: 7 matrices" in repr(found)
    assert "problem: one problem" in found._repr_html_()
    document = found.to_dict()
    assert document["tables"][0]["equals"] == "head (tied)"
    assert (document["others"], document["original"]) == (7, None)
    assert found.to_frame()["equals"].tolist() == ["head (tied)"]
