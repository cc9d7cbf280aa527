"""Models of other libraries, run without a word, and left as they were."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from driftkit.forks import one_thread_in_a_child

_TALKERS = ("sentence_transformers", "transformers", "model2vec", "huggingface_hub")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings, logs and progress bars of the libraries while the block runs."""
    loggers = [logging.getLogger(name) for name in _TALKERS]
    levels = [logger.level for logger in loggers]
    talks = sys.modules.get("transformers.utils.logging")
    bars = talks is not None and talks.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        if talks is not None:
            talks.disable_progress_bar()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            if talks is not None and bars:
                talks.enable_progress_bar()


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a torch model in evaluation, without gradients; afterwards it is as it was."""
    import torch

    one_thread_in_a_child()
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module in training:
            module.training = True


def device_named(name: str) -> str:
    """Return the device of that name; ``auto`` is the GPU where torch finds one, else the CPU."""
    import torch

    from driftkit.neighbors.search.space import usable_device

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return str(usable_device(name))
