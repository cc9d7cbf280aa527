"""Models of model2vec: a text is the mean of the vectors of its tokens."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from driftkit.encoders.encoder import Encoder, Options
from driftkit.encoders.quiet import quiet
from driftkit.errors import MissingExtraError, OptionError, SourceError
from driftkit.plugins import guarded


class StaticEncoder(Encoder):
    """A folder of model2vec, or a ``StaticModel`` in memory."""

    kind = "model2vec"

    def __init__(
        self, name: str, options: Options, folder: Path | None = None, model: Any = None
    ) -> None:
        if options.pooling not in (None, "mean"):
            raise OptionError(
                f"pooling={options.pooling!r} was given for {name}, a model of model2vec, which "
                "takes the mean; leave it out."
            )
        super().__init__(name, options, folder)
        self._given = model

    @cached_property
    def _model(self) -> Any:
        if self._given is not None:
            return self._given
        try:
            from model2vec import StaticModel
        except ModuleNotFoundError:
            raise MissingExtraError(f"encoding with {self.name}", "model2vec", "encoders") from None
        wrong = "cannot be opened as a model of model2vec"
        with quiet(), guarded(lambda why: SourceError(self.name, f"{wrong} ({why}).")):
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
