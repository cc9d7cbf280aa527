import inspect

import pytest

from driftkit import errors


def test_every_error_is_in_the_tree_at_the_top():
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, Exception):
            assert issubclass(error, errors.DriftkitError)
            assert name in (errors.__doc__ or "")


def test_parts_are_attributes():
    error = errors.UnknownNameError("measure", "overlp", ["overlap"])
    assert (error.kind, error.name, error.nearest) == ("measure", "overlp", "overlap")
    assert errors.UnknownNameError("word", "xyz", ["good"]).nearest is None
    missing = errors.MissingExtraError("this", "pyarrow", "demo")
    assert (missing.package, missing.extra) == ("pyarrow", "demo")
    assert str(missing).endswith("pip install 'driftkit[demo]'")
    with pytest.raises(errors.InputError):
        raise errors.UnsafePickleError("x.kv", "is a pickle.")


def test_an_unknown_name_ends_in_a_full_stop():
    known = [f"key{i:03}" for i in range(50)]
    assert str(errors.UnknownNameError("key", "zzz", known)) == "unknown key 'zzz'."
    assert str(errors.UnknownNameError("word", 3, known)) == "unknown word 3."


def test_names_that_are_whole_texts_are_cut():
    known = [f"{number} {'words ' * 100}" for number in range(30)]
    message = str(errors.UnknownNameError("word", "text " * 100, known))
    assert "29 words words" in message
    assert max(map(len, message.split(", "))) < 150
