"""Models of transformers, which give a vector for each token: how these become one must be said."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from driftkit.encoders.library import LibraryEncoder
from driftkit.encoders.quiet import device_named, evaluating, quiet
from driftkit.errors import OptionError, SourceError, UnknownNameError


def _mean(tokens: Any, mask: Any) -> Any:
    weights = mask.unsqueeze(-1).to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1)


def _first(tokens: Any, mask: Any) -> Any:
    return tokens[range(len(tokens)), mask.argmax(1)]


def _last(tokens: Any, mask: Any) -> Any:
    return tokens[range(len(tokens)), mask.shape[1] - 1 - mask.flip(1).argmax(1)]


POOLINGS: dict[str, Callable[[Any, Any], Any]] = {"mean": _mean, "cls": _first, "last": _last}
"""From the vectors of tokens (b, t, d) and the mask of those that are no padding (b, t) to (b, d).

``mean`` is that of all tokens, ``cls`` the first one, ``last`` the last one, as decoders use.
"""

LONGEST = 100_000
"""Tokens; a tokenizer that names more has no limit."""


class HuggingFaceEncoder(LibraryEncoder):
    """A folder of transformers, or a model in memory with its tokenizer."""

    kind = "transformers"

    def _check_pooling(self, name: str, pooling: str | None) -> None:
        if pooling is None:
            raise OptionError(
                f"{name} gives a vector for each token and does not say how they become one; "
                "choose a pooling: mean, cls (the first token) or last (the last one)."
            )
        if pooling not in POOLINGS:
            raise UnknownNameError("pooling", pooling, POOLINGS)

    @cached_property
    def _model(self) -> tuple[Any, Any]:
        """The model and its tokenizer."""
        model, tokenizer = self._loaded()
        if tokenizer.pad_token is None:
            if self._given is not None:
                raise SourceError(
                    self.name,
                    "its tokenizer has no token for padding; set tokenizer.pad_token, for example "
                    "to tokenizer.eos_token.",
                )
            tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token  # masked out below
        return model, tokenizer

    def _opened(self) -> tuple[Any, Any]:
        with self._importing():
            from transformers import AutoModel, AutoTokenizer
        device = device_named(self.options.device)
        how: Any = {"local_files_only": True, "trust_remote_code": False}
        with self._opening(f"{self.kind} with its tokenizer"):
            tokenizer = AutoTokenizer.from_pretrained(self.folder, **how)
            model, loaded = AutoModel.from_pretrained(
                self.folder, dtype="auto", output_loading_info=True, **how
            )
        if missing := [key for key in loaded["missing_keys"] if "pooler" not in key]:
            raise SourceError(
                self.name,
                f"lacks {len(missing):,} of the weights that its config names, such as "
                f"{min(missing)}; those would be random.",
            )
        return model.to(device), tokenizer

    def _batch(self, texts: list[str]) -> Any:
        model, tokenizer = self._model
        if model.config.is_encoder_decoder:
            model = model.get_encoder()
        prompt, pooling = self.options.prompt or "", self.options.pooling
        with quiet(), evaluating(model):
            inputs = tokenizer(
                [prompt + text for text in texts],
                padding=True,
                truncation=True,
                max_length=self._max_length(model, tokenizer),
                return_tensors="pt",
            ).to(model.device)
            tokens = model(**inputs).last_hidden_state
            assert pooling is not None
            return POOLINGS[pooling](tokens, inputs["attention_mask"])

    def _max_length(self, model: Any, tokenizer: Any) -> int:
        if self.options.max_length is not None:
            return self.options.max_length
        if tokenizer.model_max_length < LONGEST:
            return int(tokenizer.model_max_length)
        return int(getattr(model.config, "max_position_embeddings", 0) or LONGEST)
