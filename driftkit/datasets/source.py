"""Files of benchmarks: where they come from, where they lie here, that they are right."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from driftkit.atomic import replacing
from driftkit.errors import BenchmarkError, OutputError

FOLDER_VARIABLE, OFFLINE_VARIABLE = "DRIFTKIT_DATA_DIR", "DRIFTKIT_OFFLINE"
SECONDS = 30
"""How long a server may keep silent."""

HOST = "https://raw.githubusercontent.com"
"""Where pinned files come from: ``HOST/repository/commit/path``."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A file that an installed package carries.

    Parameters
    ----------
    package, file : str
        The package, and the file inside it.
    """

    package: str
    file: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file of a public repository at one commit.

    Parameters
    ----------
    repository, commit, folder, file : str
        ``owner/name``, 40 hexadecimal digits, the folder in it and the file in that.
    sha256 : str
        Of the file's bytes.
    kept_as : str
        What the file is called here; by default as there.

    Examples
    --------
    >>> Pinned("mfaruqui/eval-word-vectors", "94b3dd9", "data/word-sim", "EN-MC-30.txt", "33ee").url
    'https://raw.githubusercontent.com/mfaruqui/eval-word-vectors/94b3dd9/data/word-sim/EN-MC-30.txt'
    """

    repository: str
    commit: str
    folder: str
    file: str
    sha256: str
    kept_as: str = ""

    @property
    def url(self) -> str:
        """Where the bytes are."""
        return "/".join((HOST, self.repository, self.commit, self.folder, self.file))


@dataclass(frozen=True, slots=True)
class PinnedFolder:
    """Several files of one folder of a public repository, at one commit.

    Parameters
    ----------
    repository, commit, folder : str
        As those of a `Pinned` file.
    files : mapping of str to str
        The SHA-256 of each file.

    Examples
    --------
    >>> (one,) = PinnedFolder("owner/name", "94b3dd9", "data/bats", {"D1.txt": "33ee"})
    >>> one.url
    'https://raw.githubusercontent.com/owner/name/94b3dd9/data/bats/D1.txt'
    """

    repository: str
    commit: str
    folder: str
    files: Mapping[str, str] = field(hash=False)

    @property
    def url(self) -> str:
        """A page that lists the folder."""
        return "/".join(("https://github.com", self.repository, "tree", self.commit, self.folder))

    def __iter__(self) -> Iterator[Pinned]:
        place = (self.repository, self.commit, self.folder)
        return (Pinned(*place, file, sha256) for file, sha256 in self.files.items())


def folder() -> Path:
    """Return the folder of the files: ``DRIFTKIT_DATA_DIR``, else the user's cache folder."""
    import pooch

    return Path(os.environ.get(FOLDER_VARIABLE) or pooch.os_cache("driftkit")).expanduser()


def is_offline() -> bool:
    """Whether ``DRIFTKIT_OFFLINE`` forbids downloads."""
    return os.environ.get(OFFLINE_VARIABLE, "").casefold() not in ("", "0", "false", "no")


def fetch(name: str, path: Path, url: str, sha256: str) -> Path:
    """Return `path` once a file lies there with the right bytes, downloaded if absent.

    `name` is that of the benchmark, for messages.
    """
    import pooch

    if not path.is_file():
        _download(name, path, url, sha256)
        return path
    found = pooch.file_hash(str(path), alg="sha256")
    if found != sha256:
        raise BenchmarkError(
            f"{path} is not the benchmark {name!r}: its sha256 is {found}, but that of {url} is "
            f"{sha256}; delete it and run `driftkit datasets fetch {name}`, or give its path "
            "instead of the name to use it as a file of your own."
        )
    return path


def _download(name: str, path: Path, url: str, sha256: str) -> None:
    """Download to a temporary file beside `path`, renamed only if its bytes are right."""
    import pooch
    from requests import RequestException

    place = f"save {url} as {path} (`driftkit datasets path {name}` prints that path)"
    if is_offline():
        raise BenchmarkError(
            f"benchmark {name!r} is not on this machine and downloads are off (--offline or "
            f"{OFFLINE_VARIABLE}); {place}."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            broke_off = ""
            try:
                pooch.HTTPDownloader(timeout=SECONDS)(url, str(partial), None)
            except RequestException as error:
                if error.response is not None:
                    error.response.close()
                if partial.stat().st_size == 0:
                    raise BenchmarkError(
                        f"benchmark {name!r} is not on this machine and could not be downloaded "
                        f"({_why(error)}); with a network, run `driftkit datasets fetch {name}`; "
                        f"without one, {place}."
                    ) from None
                broke_off = ", since it broke off"
            found = pooch.file_hash(str(partial), alg="sha256")
            if found != sha256:
                raise BenchmarkError(
                    f"the download of {path} is wrong{broke_off}: {url} gave bytes with sha256 "
                    f"{found} instead of {sha256}; nothing was kept. Try again, or {place}."
                )
    except (OSError, OutputError) as error:
        said = error.why.partition(";")[0] if isinstance(error, OutputError) else error.strerror
        raise BenchmarkError(
            f"benchmark {name!r} cannot be stored as {path}: {said}; set {FOLDER_VARIABLE} to a "
            "folder that can be written."
        ) from None


def _why(error: Exception) -> str:
    """Say in a few words why a request failed."""
    from requests import exceptions

    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, exceptions.Timeout):
        return f"the server did not answer in {SECONDS} seconds"
    unreachable = isinstance(error, exceptions.ConnectionError)
    return "no connection" if unreachable else type(error).__name__
