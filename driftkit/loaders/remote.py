"""Files in object storage, or wherever else fsspec reaches: copied here once, then read as files.

A copy lies beside the downloaded benchmarks, in ``remote``, under a hash of its URL and of what the
storage says of the file, so a file that was replaced there is copied anew. Only single files are
read: words that lie beside a file there are named by a URL of their own.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from driftkit.atomic import replacing
from driftkit.datasets.source import OFFLINE_VARIABLE, folder, is_offline
from driftkit.errors import DriftkitError, MissingExtraError
from driftkit.loaders.request import Request

_URL = re.compile(r"(?:^|::)[A-Za-z][A-Za-z0-9+.-]*://.")


def is_remote(source: object) -> bool:
    """Whether a source is a URL, and no file of that name is here.

    Examples
    --------
    >>> is_remote("s3://models/tuned.safetensors"), is_remote("tuned.safetensors")
    (True, False)
    >>> is_remote("simplecache::s3://models/tuned.safetensors")
    True
    """
    return isinstance(source, str) and bool(_URL.search(source)) and not os.path.exists(source)  # noqa: PTH110


def here(request: Request) -> Request:
    """Return the request with copies here in the place of URLs."""
    if request.scheme is not None:
        return request
    if is_remote(request.vocab):
        request = replace(request, vocab=_copy(str(request.vocab), request))
    if is_remote(request.target):
        request = replace(request, target=str(_copy(request.target, request)))
    return request


def _copy(url: str, request: Request) -> Path:
    fsspec = _fsspec(url)
    named = "" if url == request.target else f"{url} "  # the table itself is named anyway
    if is_offline():
        raise request.error(f"{named}is elsewhere, and {OFFLINE_VARIABLE} is set; unset it.")
    try:
        system, path = fsspec.core.url_to_fs(url)
        about = system.info(path)
        if about["type"] == "directory":
            raise request.error(f"{named}is a folder; only single files are read from there.")
        mark = sha256(repr((url, system.ukey(path), about)).encode()).hexdigest()[:32]
        kept = folder() / "remote" / mark / (PurePosixPath(path).name or "table")
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with replacing(kept) as partial:
                system.get_file(path, os.fspath(partial))
    except DriftkitError:
        raise
    except Exception as error:  # each storage has errors of its own
        if isinstance(error, FileNotFoundError):
            raise request.error(f"{named}is not there, or cannot be reached.") from None
        said = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        raise request.error(f"{named}cannot be read ({said or type(error).__name__}).") from None
    return kept


def _fsspec(url: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(f"reading {url}", "fsspec", "dask") from None
    return fsspec
