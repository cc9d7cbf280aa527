"""Any function of a list of texts, such as a call to a server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftkit.encoders.encoder import Encoder, Options
from driftkit.errors import OptionError


class FunctionEncoder(Encoder):
    """A function that takes a list of str and returns a row for each; its outputs are not kept."""

    kind = "function"

    def __init__(self, name: str, options: Options, model: Callable[[list[str]], Any]) -> None:
        for option in ("pooling", "max_length"):
            if (value := getattr(options, option)) is not None:
                raise OptionError(
                    f"{option}={value!r} was given for {name}, a function, which decides that "
                    "itself; leave it out."
                )
        super().__init__(name, options)
        self._function = model

    def _batch(self, texts: list[str]) -> Any:
        prompt = self.options.prompt or ""
        return self._function([prompt + text for text in texts])
