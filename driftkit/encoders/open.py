"""Which kind of encoder something is: a folder, ``hf:REPO``, a model in memory, a function."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from driftkit.documents import read_json
from driftkit.encoders.encoder import Encoder, Options
from driftkit.encoders.function import FunctionEncoder
from driftkit.encoders.hub import hub_folder
from driftkit.encoders.hugging_face import HuggingFaceEncoder
from driftkit.encoders.sentence_transformer import SentenceTransformerEncoder
from driftkit.encoders.static import StaticEncoder
from driftkit.errors import OptionError, SourceError

ACCEPTED = (
    "a folder of sentence-transformers, transformers or model2vec, hf:REPO, such a model in memory "
    "(one of transformers as (model, tokenizer)), or a function from a list of texts to an array"
)

_IN_MEMORY: dict[str, Any] = {
    "sentence_transformers.SentenceTransformer": SentenceTransformerEncoder,
    "model2vec.StaticModel": StaticEncoder,
}


def open_encoder(
    model: Any,
    *,
    pooling: str | None = None,
    prompt: str | None = None,
    batch_size: int = 64,
    device: str = "auto",
    max_length: int | None = None,
    dimensions: int | None = None,
    cache: bool = True,
) -> Encoder:
    """Return the encoder that a model is; nothing is loaded before the first text is encoded.

    Parameters
    ----------
    model : str, path, model or callable
        A folder of sentence-transformers (with ``modules.json``), of transformers or of model2vec;
        ``hf:REPO``, with ``@REVISION`` if need be; a ``SentenceTransformer``, a ``StaticModel`` or
        (model, tokenizer) of transformers in memory; or a function that takes a list of str and
        returns an array or tensor, (n, d). An encoder is returned as it is.
    pooling : {"mean", "cls", "last"}, optional
        How the vectors of tokens become one, for a model of transformers, which does not say it.
    prompt : str, optional
        What stands before every text, or the name of a prompt that the model brings.
    batch_size : int
        Texts that go through the model at once.
    device : str
        Where torch computes; ``"auto"`` is the GPU where there is one. A model in memory stays
        where it is.
    max_length : int, optional
        Tokens of a text that are read; by default as many as the model says.
    dimensions : int, optional
        How many of the first numbers of a vector are kept, for models trained so that these serve
        alone (Matryoshka); all by default. They are not made of unit length again.
    cache : bool
        Whether rows are kept on disk, and taken from there, by the content of model and texts.

    Returns
    -------
    Encoder

    Raises
    ------
    SourceError
        If a folder holds no encoder, or cannot be found.
    OptionError
        If `model` is nothing of these, or an option does not fit it.

    Examples
    --------
    >>> lengths = open_encoder(lambda texts: [[len(text), 1.0] for text in texts])
    >>> lengths.encode(["tea", "coffee"]).tolist()
    [[3.0, 1.0], [6.0, 1.0]]
    """
    options = Options(
        pooling=pooling,
        prompt=prompt,
        batch_size=batch_size,
        device=device,
        max_length=max_length,
        dimensions=dimensions,
        cache=cache,
    )
    if isinstance(model, Encoder):
        if options != Options():
            raise OptionError("an encoder that is open has its options; leave them out.")
        return model
    if isinstance(model, str | os.PathLike):
        return _of_source(os.fspath(model), options)
    return _of_object(model, options)


def is_model(source: str) -> bool:
    """Whether a `source` is a model that could encode: ``hf:REPO``, or the folder of one.

    Files, tensors of them and folders of tables are no such thing.

    Examples
    --------
    >>> is_model("hf:sentence-transformers/all-MiniLM-L6-v2"), is_model("vectors.npy")
    (True, False)
    """
    if source.startswith("hf:") and not Path(source).exists():
        return source.count("/") < 2 and "::" not in source
    folder = Path(source)
    return any((folder / name).is_file() for name in ("modules.json", "adapter_config.json")) or (
        _model_type(folder) is not None
    )


def _of_source(source: str, options: Options) -> Encoder:
    folder = Path(source)
    if source.startswith("hf:") and not folder.exists():
        folder = hub_folder(source)
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "does not exist"
        raise SourceError(source, f"{what}; an encoder is {ACCEPTED}.")
    kind: type[SentenceTransformerEncoder | HuggingFaceEncoder | StaticEncoder]
    model_type = _model_type(folder)
    if model_type == "model2vec":
        kind = StaticEncoder
    elif (folder / "modules.json").is_file():
        kind = SentenceTransformerEncoder
    elif (folder / "adapter_config.json").is_file():
        raise SourceError(
            source,
            "is an adapter; merge it into its base (model.merge_and_unload()), save that with its "
            "tokenizer, and give that folder.",
        )
    elif model_type is not None:
        kind = HuggingFaceEncoder
    else:
        raise SourceError(source, f"holds no encoder; give {ACCEPTED}.")
    return kind(source, options, folder)


def _model_type(folder: Path) -> str | None:
    """Return what ``config.json`` calls a model, if it is one."""
    path = folder / "config.json"
    if not path.is_file():
        return None
    config = read_json(path, lambda why: SourceError(folder, f"its config.json {why}"))
    named = config.get("model_type") if isinstance(config, dict) else None
    return named if isinstance(named, str) else None


def _of_object(model: Any, options: Options) -> Encoder:
    given = model[0] if isinstance(model, tuple) and len(model) == 2 else model
    kinds = [f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(given).__mro__]
    is_torch = "torch.Module" in kinds
    kind = next((_IN_MEMORY[each] for each in kinds if each in _IN_MEMORY), None)
    if "transformers.PreTrainedModel" in kinds:
        if given is model:
            raise OptionError(
                "a model of transformers needs its tokenizer: give (model, tokenizer)."
            )
        kind = HuggingFaceEncoder
    if kind is not None:
        if options.device != "auto":
            raise OptionError(
                f"device={options.device!r} was given, but a model in memory stays where it is; "
                "move it there first."
            )
        if options.max_length is not None and kind is SentenceTransformerEncoder:
            raise OptionError("set max_seq_length of a model in memory, and leave max_length out.")
        encoder: Encoder = kind(type(given).__name__, options, model=model)
        return encoder
    if callable(model) and not is_torch:
        return FunctionEncoder(getattr(model, "__name__", type(model).__name__), options, model)
    raise OptionError(f"an object of type {type(given).__name__} is no encoder; give {ACCEPTED}.")
