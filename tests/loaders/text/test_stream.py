import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from driftkit.errors import SourceError, UnknownNameError
from driftkit.loaders.request import parse
from driftkit.loaders.text import stream as streams
from driftkit.loaders.text.stream import compression, open_stream

CONTENT = b"".join(b"w%d %d.5 %d\n" % (i, i * 7919 % 1000, i) for i in range(5000))


def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def opened(path, key=None):
    return open_stream(parse(path, key=key))


@pytest.mark.parametrize(
    ("kind", "pack"),
    [
        (None, bytes), ("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress),
        ("zip", lambda data: zipped(a=data)),
    ],
)  # fmt: skip
def test_lines_are_whole_and_nothing_is_lost(tmp_path, kind, pack):
    path = tmp_path / "t"
    path.write_bytes(pack(CONTENT))
    assert compression(path.read_bytes()) == kind
    with opened(path) as stream:
        head = stream.read_lines(100, 1 << 20)
        stream.push_back(head[7:])
        blocks = [head[:7]]
        while block := stream.read_lines(1000, 1 << 20):
            assert block.endswith(b"\n")
            blocks.append(block)
        assert stream.done == stream.size
    assert b"".join(blocks) == CONTENT


def test_a_line_longer_than_allowed_is_cut(tmp_path):
    for pack in (bytes, gzip.compress):
        path = tmp_path / "t"
        path.write_bytes(pack(b"x" * 500_000))
        with opened(path) as stream:
            assert 100 < len(stream.read_lines(100, 1000)) < 400_000


def test_bombs_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "FREE_BYTES", 1 << 20)
    for kind, pack in (("gz", gzip.compress), ("zip", lambda data: zipped(a=data))):
        path = tmp_path / kind
        path.write_bytes(pack(bytes(20_000_000)))
        with opened(path) as stream, pytest.raises(SourceError, match="unpacks to more than 100"):
            stream.read(30_000_000)


def test_damage_is_one_sentence(tmp_path):
    for kind, data in (
        ("gz", gzip.compress(CONTENT)[:-9]), ("xz", lzma.compress(CONTENT)[:-40]),
        ("bz2", bz2.compress(CONTENT)[:-9]), ("gz", b"\x1f\x8b\x08\x00rubbish"),
    ):  # fmt: skip
        path = tmp_path / "t"
        path.write_bytes(data)
        pattern = rf"is a damaged or truncated \.{kind} file \(.*\); copy or download it again\."
        with opened(path) as stream, pytest.raises(SourceError, match=pattern):
            stream.read(1 << 30)
    path.write_bytes(zipped(a=CONTENT)[:-30])
    with pytest.raises(SourceError, match="damaged or truncated .zip"), opened(path):
        pass
    flipped = bytearray(zipped(a=CONTENT))
    flipped[200:300] = bytes(100)
    path.write_bytes(flipped)
    with opened(path) as stream, pytest.raises(SourceError, match="damaged or truncated .zip"):
        stream.read(1 << 30)


def test_archives_of_none_or_several_files(tmp_path):
    path = tmp_path / "glove.zip"
    path.write_bytes(zipped())
    with pytest.raises(SourceError, match="an archive without any file"), opened(path):
        pass
    path.write_bytes(zipped(**{"a.txt": b"1", "b.txt": b"2", "__MACOSX/a.txt": b"3"}))
    with pytest.raises(SourceError) as caught, opened(path):
        pass
    assert str(caught.value) == (
        f"{path}: is an archive of 2 files ('a.txt', 'b.txt'); name the table in it as "
        f"{path}::NAME."
    )
    with opened(path, "b.txt") as stream:
        assert stream.read(10) == b"2"
    with pytest.raises(UnknownNameError, match="did you mean 'a.txt'"), opened(path, "a.tx"):
        pass


def test_a_password_is_told(tmp_path):
    data = bytearray(zipped(a=b"x 1 2\n"))
    data[6] |= 1  # the local header's flag of encryption
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "t.zip"
    path.write_bytes(data)
    with pytest.raises(SourceError, match="is encrypted; unpack it and give the file inside"):  # noqa: SIM117
        with opened(path) as stream:
            stream.read(10)


HALVES = CONTENT[:30_000], CONTENT[30_000:]


@pytest.mark.parametrize(
    ("kind", "between", "end"),
    [
        ("gz", b"", b""), ("gz", b"", bytes(512)),
        ("xz", b"", b""), ("xz", bytes(4), b""), ("xz", bytes(65_536 + 8), bytes(4)),
        ("bz2", b"", b""),
    ],
)  # fmt: skip
def test_several_streams_and_the_padding_that_is_legal(tmp_path, kind, between, end):
    first, second = map(PACK[kind], HALVES)
    path = tmp_path / "t"
    path.write_bytes(first + between + second + end)
    with opened(path) as stream:
        parts = iter(lambda: stream.read(7_001), b"")
        assert b"".join(parts) == CONTENT
        assert stream.done == stream.size


PACK = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}


@pytest.mark.parametrize("kind", PACK)
@pytest.mark.parametrize(
    "damage",
    [
        lambda first, second: first + b"rubbish",
        lambda first, second: first + second[:-9],
        lambda first, second: first + second[:6],
        lambda first, second: first + b"\xff" + second[1:],
        lambda first, second: first + second[:9] + b"\xff" * 9 + second[18:],
        lambda first, second: first + second + b"rubbish",
        lambda first, second: first + bytes(3) + second[:-1],
    ],
)
def test_damage_in_a_later_stream_is_an_error(tmp_path, kind, damage):
    path = tmp_path / "t"
    path.write_bytes(damage(*map(PACK[kind], HALVES)))
    with opened(path) as stream, pytest.raises(SourceError, match="damaged or truncated"):
        while stream.read(1 << 20):
            pass


def test_padding_of_xz_is_a_multiple_of_four(tmp_path):
    (path := tmp_path / "t").write_bytes(lzma.compress(b"a") + bytes(3))
    with opened(path) as stream, pytest.raises(SourceError, match="3 bytes of padding"):
        while stream.read(10):
            pass


def test_a_wrong_checksum_in_a_zip_is_an_error(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # stored, so that a changed byte unpacks all right
        archive.writestr("a.txt", CONTENT)
    data = bytearray(out.getvalue())
    data[5_000] ^= 1
    (path := tmp_path / "t.zip").write_bytes(data)
    with opened(path) as stream, pytest.raises(SourceError, match="damaged or truncated .zip"):
        while stream.read(1 << 20):
            pass
