"""Models of model2vec: a text is the mean of the vectors of its tokens."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from driftkit.encoders.library import LibraryEncoder
from driftkit.encoders.quiet import quiet
from driftkit.errors import OptionError


class StaticEncoder(LibraryEncoder):
    """A folder of model2vec, or a ``StaticModel`` in memory."""

    kind = "model2vec"

    def _check_pooling(self, name: str, pooling: str | None) -> None:
        if pooling not in (None, "mean"):
            raise OptionError(
                f"pooling={pooling!r} was given for {name}, a model of model2vec, which "
                "takes the mean; leave it out."
            )

    @cached_property
    def _model(self) -> Any:
        return self._loaded()

    def _opened(self) -> Any:
        with self._importing():
            from model2vec import StaticModel
        with self._opening(self.kind):
            return StaticModel.from_pretrained(str(self.folder))

    def _batch(self, texts: list[str]) -> np.ndarray:
        prompt = self.options.prompt or ""
        how: dict[str, Any] = {}
        if self.options.max_length is not None:
            how["max_length"] = self.options.max_length
        with quiet():
            made: np.ndarray = self._model.encode(
                [prompt + text for text in texts], use_multiprocessing=False, **how
            )
        return made

    def _dtype(self, given: Any) -> str:
        """Return the type of the table, which may be coarser than the means taken of it."""
        stored = self._model.embedding.dtype
        return str(stored) if stored == np.int8 else super()._dtype(given)
