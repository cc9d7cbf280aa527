"""Models of sentence-transformers, which say themselves how the vectors of tokens become one."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from driftkit.encoders.library import LibraryEncoder
from driftkit.encoders.quiet import device_named, evaluating, quiet
from driftkit.errors import OptionError, SourceError


class SentenceTransformerEncoder(LibraryEncoder):
    """A folder with ``modules.json``, or a ``SentenceTransformer`` in memory.

    Without a prompt the model's own default is used, if it has one. A prompt may be the name of one
    that the model brings, such as ``query``.
    """

    kind = "sentence-transformers"

    def _check_pooling(self, name: str, pooling: str | None) -> None:
        if pooling is not None:
            raise OptionError(
                f"pooling={pooling!r} was given for {name}, which has a pooling of its "
                "own; leave it out, or give a transformers model and its tokenizer."
            )

    @cached_property
    def _model(self) -> Any:
        return self._loaded()

    def _opened(self) -> Any:
        with self._importing():
            import transformers  # noqa: F401 - first, so that its bars can be turned off
            from sentence_transformers import SentenceTransformer
        device = device_named(self.options.device)
        with self._opening(self.kind):
            model = SentenceTransformer(
                str(self.folder), device=device, local_files_only=True, trust_remote_code=False
            )
            if self.options.max_length is not None:
                model.max_seq_length = self.options.max_length
        return model

    def _batch(self, texts: list[str]) -> Any:
        prompt = self.options.prompt
        if prompt in self._model.prompts:
            prompt = self._model.prompts[prompt]
            if not prompt:
                raise SourceError(
                    self.name,
                    f"has a prompt called {self.options.prompt!r}, which is empty; leave it out, "
                    "or write what is to stand before every text.",
                )
        with quiet(), evaluating(self._model):
            return self._model.encode(
                texts,
                batch_size=len(texts),
                show_progress_bar=False,
                convert_to_tensor=True,
                prompt=prompt,
            )
