"""JSON and TOML that others wrote: what is not meant, or could be read in two ways, is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftkit.documents import parse_json, parse_toml, read_json
from driftkit.errors import OptionError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text()
    | st.floats(-1e300, 1e300),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
def test_plain_json_is_read_as_python_reads_it(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NaN", "NaN is no number"),
        ("[-Infinity]", "-Infinity is no number"),
        ("[1e400]", "the number 1e400 is too large"),
        ("9" * 6000, "a whole number of 6,000 digits is too large"),
        ('{"a": 0, "b": 0, "a": 0}', "the key 'a' is there twice"),
        ("[" * 101 + "]" * 101, "it is nested more than 100 levels deep"),
        ("[" * 100_000, "it is nested more than 100 levels deep"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "it is nested more than 100 levels deep"),
        (b"\xff", "can't decode"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_what_is_refused(text, why):
    with pytest.raises(ValueError, match=".") as caught:
        parse_json(text)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 200


def test_depth_and_length_that_are_allowed():
    assert parse_json("[" * 100 + "]" * 100)
    assert parse_json("9" * 300) == 10**300 - 1


def test_half_of_a_surrogate_pair_stays_what_it_is():
    assert parse_json(r'"\ud800"') == "\ud800"


def test_a_file_is_refused_in_the_words_of_the_caller(tmp_path):
    def wrong(why):
        return OptionError(f"the manifest {why}")

    path = tmp_path / "m.json"
    for content, said in (
        (b"\xef\xbb\xbf{}", None),
        (b'{"a": 1,\n}', "the manifest is not JSON from line 2, column 1 on."),
        (b"[NaN]", "the manifest is not JSON that can be read: NaN is no number."),
        (b"\xff", "the manifest is not UTF-8 text (byte 0)."),
    ):
        path.write_bytes(content)
        if said is None:
            assert read_json(path, wrong) == {}
            continue
        with pytest.raises(OptionError) as caught:
            read_json(path, wrong)
        assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a." * 50_000 + "a = 1", "line 1 has a key of more than 200 parts"),
        ("\n[" + '"a".' * 500 + "a]", "line 2 has a key of more than 200 parts"),
        ("a = " + "[" * 50_000, "nested more than 100 levels deep"),
        ("a = " + "[" * 150 + "]" * 150, "nested more than 100 levels deep"),
        ("a = " + "9" * 6000, "a whole number of thousands of digits is too large"),
        ("a = 1\na = 2", "overwrite"),
    ],
)
def test_toml_that_is_refused(text, why):
    with pytest.raises(ValueError, match=why):
        parse_toml(text)


def test_points_in_strings_are_no_parts_of_keys():
    assert parse_toml("a = '" + "." * 1000 + "'\n" + 'b = "1.2"') == {"a": "." * 1000, "b": "1.2"}
