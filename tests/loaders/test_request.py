import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftkit.errors import OptionError, SourceError
from driftkit.loaders.request import parse


def test_a_path_that_exists_wins_over_every_other_reading(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a::b.pt", "package:mine", "model.pt"):
        (tmp_path / name).touch()
    assert parse("a::b.pt").key is None
    assert parse("a::b.pt::emb").key == "emb"
    assert parse("package:mine").scheme is None
    assert (parse("model.pt::x::y").target, parse("model.pt::x::y").key) == ("model.pt", "x::y")


def test_a_windows_drive_is_no_scheme():
    request = parse(r"C:\models\best.pt::emb")
    assert (request.scheme, request.target, request.key) == (None, r"C:\models\best.pt", "emb")


def test_two_keys_must_agree():
    assert parse("m.pt::emb", key="emb").key == "emb"
    with pytest.raises(OptionError, match="names the tensor 'emb' while key='out' names another"):
        parse("m.pt::emb", key="out")


def test_progress_goes_to_whoever_listens():
    calls = []
    parse("x", progress=lambda *call: calls.append(call)).report(1, 2)
    parse("x").report(1, 2)
    assert calls == [(1, 2)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_taken_apart(name):
    if not name.partition("::")[0]:
        with pytest.raises(SourceError, match="load: takes a path"):
            parse(name)
        return
    request = parse(name)
    assert request.name == name
    assert request.scheme in (None, "package")


@pytest.mark.parametrize(
    "advice",
    [
        "Re-running `torch.load` with `weights_only` set to `False` will likely succeed.",
        "Cannot load file containing pickled data when allow_pickle=False",
        "This file can still be loaded; do so only if you trust its source.",
    ],
)
def test_a_librarys_advice_to_open_without_its_guard_is_not_passed_on(advice):
    said = str(parse("m.pt").damaged("checkpoint", RuntimeError(advice)))
    assert (
        said == "m.pt: is a damaged or truncated checkpoint (RuntimeError); save or copy it again."
    )
