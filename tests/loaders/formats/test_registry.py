"""How a format is told, and a format that a stranger adds."""

import json
import pickle

import numpy as np
import pytest
from click.testing import CliRunner

import driftkit as dk
from driftkit.cli import main
from driftkit.errors import OptionError, SourceError
from driftkit.loaders import Tensor, TensorFile, inspect, load, register_format
from driftkit.loaders.formats.registry import find_format, formats
from driftkit.loaders.request import parse
from driftkit.provenance import Rounding, Source


def read(request):
    vectors = json.loads(request.path.read_bytes())["jvec"]
    return dk.Embeddings(list(vectors), list(vectors.values()))


def register(**changes):
    register_format(
        **{
            "name": "jvec",
            "title": "JSON of vectors (.jvec)",
            "tells": lambda head: head.startswith(b'{"jvec"'),
            "read": read,
            "endings": ".jvec",
        }
        | changes
    )


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tiny.jvec"
    path.write_text('{"jvec": {"good": [1, 0.5], "bad": [-1, 0.5], "odd": [0, 0]}}')
    return path


def test_content_speaks_before_the_name(tmp_path):
    path = tmp_path / "vectors.txt"
    with path.open("wb") as held:
        np.save(held, np.ones((2, 3), np.float32))
    assert find_format(parse(path)).name == "npy"


def test_what_is_none_of_the_formats_is_told_where_they_are_listed(tmp_path):
    register()
    path = tmp_path / "noise.xyz"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SourceError) as caught:
        find_format(parse(path))
    assert str(caught.value) == (
        f"{path}: its content is of no format that is read; give a table of vectors in a format "
        "that `driftkit inspect --help` lists, or JSON of vectors (.jvec)."
    )
    shown = "".join(CliRunner().invoke(main, ["inspect", "--help"]).output.split())
    for title in (*(known.title for known in formats()), "JSON of vectors (.jvec)"):
        assert title.replace(" ", "") in shown  # a line may end anywhere, at a hyphen too


@pytest.mark.parametrize(("ending", "title"), [(".safetensors", ".safetensors"), (".jvec", "JSON")])
def test_a_name_that_promises_what_the_content_is_not_is_told(tmp_path, ending, title):
    register()
    path = tmp_path / f"model{ending}"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SourceError, match=rf"is named like {title}.* but does not hold it"):
        find_format(parse(path))


def test_a_registered_format_is_loaded_and_inspected(file):
    with pytest.raises(SourceError):
        load(file)
    register()
    table = load(file)
    assert table.words == ("good", "bad", "odd")
    assert table.source == Source(str(file), file, "jvec")
    found = inspect(file)
    assert (found.format, found.words, found.tables[0].shape) == ("jvec", 3, (3, 2))
    assert found.command() == f"driftkit audit ORIGINAL {file}"


def test_limit_and_words_are_applied_to_what_the_reader_returns(file):
    register()
    assert load(file, limit=1).words == ("good",)
    table = load(file, words=["odd", "zoo"])
    assert (table.words, table.matrix.tolist()) == (("odd",), [[0, 0]])
    assert [problem.kind for problem in table.problems] == ["word not found"]
    with pytest.raises(SourceError, match="does not hold the word asked for"):
        load(file, words=["zoo"])


def test_a_reader_may_say_how_finely_numbers_were_rounded(file):
    source = Source("mine", format="jvec", rounding=Rounding.of_decimals(1))
    register(read=lambda request: dk.Embeddings(["a"], [[1.0]], source=source))
    assert load(file).source == source


def test_a_format_of_tensors_gets_its_words_as_a_checkpoint_does(file):
    rows = np.eye(3, dtype=np.float32)

    def tensors(request):
        return TensorFile((Tensor("emb", (3, 3), "float32", lambda some: rows[some]),))

    register(read=None, tensors=tensors)
    file.with_name("vocab.txt").write_text("a\nb\nc")
    table = load(f"{file}::emb", limit=2)
    assert (table.words, table.source.format, table.source.key) == (("a", "b"), "jvec", "emb")
    assert inspect(file).tables[0].key == "emb"


def test_a_format_of_folders(tmp_path):
    (tmp_path / "rows.json").write_text('{"jvec": {"good": [1, 0.5]}}')
    register(
        tells=lambda folder: (folder / "rows.json").is_file(),
        read=lambda request: read(parse(request.path / "rows.json")),
        is_folder=True,
    )
    assert load(tmp_path).words == ("good",)
    (tmp_path / "rows.json").unlink()
    with pytest.raises(SourceError, match=r"of no kind that is read .* JSON of vectors \(.jvec\)"):
        load(tmp_path)


def test_a_mark_wins_over_a_registered_format_and_that_over_pickles_archives_and_text(tmp_path):
    register(tells=lambda head: True, read=lambda request: dk.Embeddings(["mine"], [[1.0]]))
    np.save(tmp_path / "m.npy", np.eye(2))
    assert load(tmp_path / "m.npy", vocab=["a", "b"]).source.format == "npy"
    for content in (pickle.dumps({}), b"PK\x03\x04", b"\x1f\x8b", b"good 1 2\n", b"1\t2\n"):
        (tmp_path / "other").write_bytes(content)
        assert load(tmp_path / "other").words == ("mine",)


def test_a_name_is_registered_once():
    register()
    for name in ("jvec", "npy"):
        with pytest.raises(OptionError) as caught:
            register(name=name)
        assert str(caught.value) == (
            f"a format named {name!r} is registered already; give yours another name."
        )


@pytest.mark.parametrize(
    "changes", [{"read": None}, {"tensors": read}, {"tells": b"jvec"}, {"read": "read"}]
)
def test_what_cannot_be_registered(changes, registered):
    with pytest.raises(OptionError, match="format 'jvec': give a callable `tells`, and either"):
        register(**changes)
    with pytest.raises(OptionError, match="both must be text"):
        register(name=3)
    assert registered == []


def test_what_goes_wrong_in_a_strangers_code_is_one_sentence_that_names_it(file):
    file.write_text('{"jvec": 1}')
    register()
    with pytest.raises(SourceError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: could not be read as jvec (TypeError: ")
    assert isinstance(caught.value.__cause__, TypeError)  # for who writes the reader
    register(name="other", tells=lambda head: head.decode("ascii"), read=lambda request: {})
    with pytest.raises(SourceError, match="could not be read as jvec"):
        load(file)
    file.write_bytes(b"\xff")
    with pytest.raises(SourceError, match="the format other could not tell whether this is one"):
        load(file)
    file.write_bytes(b"plain")
    with pytest.raises(SourceError, match="the reader of other returned an object of type dict"):
        load(file)


def test_a_sentence_of_the_readers_own_is_kept(file):
    def refuse(request):
        raise SourceError(request.name, "is empty inside.")

    register(read=refuse)
    with pytest.raises(SourceError, match=r"tiny\.jvec: is empty inside\."):
        load(file)


@pytest.mark.parametrize(
    ("number", "said"), [("NaN", "1 of 1 rows hold NaN"), ("1e300", "too large for float32")]
)
def test_what_embeddings_refuse_is_said_of_the_file(file, number, said):
    register()
    file.write_text(f'{{"jvec": {{"good": [1, {number}]}}}}')
    with pytest.raises(SourceError, match=said) as caught:
        load(file)
    assert caught.value.source == str(file)
