"""What encoders that a library runs share: a model in memory, or a folder opened at first use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driftkit.encoders.encoder import Encoder, Options
from driftkit.encoders.quiet import quiet
from driftkit.errors import MissingExtraError, SourceError
from driftkit.plugins import guarded


class LibraryEncoder(Encoder):
    """A folder of a library, or a model of it in memory; the library is imported when it is used.

    Parameters
    ----------
    name, options, folder
        As of `Encoder`.
    model : object, optional
        The model in memory.
    """

    def __init__(
        self, name: str, options: Options, folder: Path | None = None, model: Any = None
    ) -> None:
        self._check_pooling(name, options.pooling)
        super().__init__(name, options, folder)
        self._given = model

    @abstractmethod
    def _check_pooling(self, name: str, pooling: str | None) -> None:
        """Refuse a pooling that does not fit such models."""

    @abstractmethod
    def _opened(self) -> Any:
        """Return the model of the folder."""

    def _loaded(self) -> Any:
        """Return the model in memory, or else that of the folder."""
        return self._opened() if self._given is None else self._given

    @contextmanager
    def _importing(self) -> Iterator[None]:
        """Let a library that is not installed be told with the extra that brings it."""
        try:
            yield
        except ModuleNotFoundError:
            what = f"encoding with {self.name}"
            raise MissingExtraError(what, self.kind, "encoders") from None

    @contextmanager
    def _opening(self, what: str) -> Iterator[None]:
        """Open a folder in silence; whatever fails becomes one sentence about it."""
        wrong = f"cannot be opened as a model of {what}"
        with quiet(), guarded(lambda why: SourceError(self.name, f"{wrong} ({why}).")):
            yield
