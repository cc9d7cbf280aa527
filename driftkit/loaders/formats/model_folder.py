"""Folders of models: Hugging Face (sharded or not), sentence-transformers, model2vec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from driftkit.documents import read_json
from driftkit.errors import SourceError
from driftkit.loaders.choose_tensor import Tensor, TensorFile
from driftkit.loaders.formats import safetensors_file, torch_checkpoint
from driftkit.loaders.formats.format import Format
from driftkit.loaders.preconditions import require_file
from driftkit.loaders.request import Request
from driftkit.loaders.vocabulary.find import find_vocabulary, read_vocabulary
from driftkit.loaders.vocabulary.tokenizer import fill
from driftkit.loaders.vocabulary.words import Vocabulary, words_of_json

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json")
_MODULES = "modules.json"


def looks_like_model(folder: Path) -> bool:
    """Whether a folder, or a module of sentence-transformers in it, holds weights."""
    return any(_weights(part) for part in _parts(folder, str(folder)))


def tensors(request: Request) -> TensorFile:
    """List the tensors of the folder's weights, and read its tokenizer's vocabulary."""
    for folder in _parts(request.path, request.name):
        files = _weights(folder)
        if files:
            _require_one_model(request, folder, files[0])
            return TensorFile(tuple(_list(request, folder, files)), _vocabulary(request, folder))
    raise request.error(f"is a folder without weights; one holds {' or '.join(WEIGHTS)}.")


def _require_one_model(request: Request, folder: Path, file: str) -> None:
    """Refuse a folder that holds a model and an adapter, of that model or of another."""
    adapter = next((name for name in ADAPTERS if (folder / name).is_file()), file)
    if adapter != file and file not in ADAPTERS:
        raise request.error(
            f"holds a model ({file}) and an adapter ({adapter}); name the file that is meant: "
            f"{folder / adapter}, whose base can be given as --base {folder / file}, or "
            f"{folder / file}."
        )


def _parts(folder: Path, name: str) -> Iterator[Path]:
    """The folder, and the modules that sentence-transformers lists."""
    yield folder
    if not (folder / _MODULES).is_file():
        return
    modules = _json(folder / _MODULES, name)
    for module in modules if isinstance(modules, list) else ():
        path = module.get("path") if isinstance(module, dict) else None
        if isinstance(path, str) and path:
            yield _inside(folder, path, name)


def _weights(folder: Path) -> list[str]:
    """The file of weights, or the index of several; of more than one, that of transformers."""
    in_order = (name for pair in zip(WEIGHTS, INDEXES, strict=True) for name in pair)
    for name in (*in_order, *ADAPTERS):
        if (folder / name).is_file():
            return [name]
    found = sorted(path.name for path in folder.glob("*.safetensors"))
    return found if len(found) == 1 else []


def _list(request: Request, folder: Path, files: list[str]) -> Iterator[Tensor]:
    if files[0] not in INDEXES:
        yield from _list_file(request, folder / files[0])
        return
    index = _json(folder / files[0], request.name)
    where = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(where, dict) or not all(isinstance(name, str) for name in where.values()):
        raise request.error(f"its {files[0]} has no weight_map from tensor to file.")
    for name in sorted(set(where.values())):
        shard = _inside(folder, name, request.name)
        require_file(
            shard, f"{request.name}/{name}", SourceError, f"the shard that {files[0]} names"
        )
        for tensor in _list_file(request, shard):
            if where.get(str(tensor.key)) == name:
                yield tensor


def _list_file(request: Request, path: Path) -> tuple[Tensor, ...]:
    part = replace(request, name=f"{request.name}/{path.name}", target=str(path))
    if path.suffix == ".safetensors":
        return safetensors_file.tensors(part).tensors
    return torch_checkpoint.tensors(part).tensors


def _vocabulary(request: Request, folder: Path) -> Vocabulary | None:
    """The tokenizer's words; those of ``vocab.json`` with ``added_tokens.json`` beside it."""
    if request.vocab is not None:
        return None  # the caller's own goes first
    words = folder / "whitespacetokenizer_config.json"
    if words.is_file():
        held = _json(words, request.name)
        listed = words_of_json(held.get("vocab") if isinstance(held, dict) else None, words.name)
        return Vocabulary(listed, words.name, words, is_tokenizer=True)
    for name in _TOKENIZERS:
        path = folder / name
        if not path.is_file():
            continue
        vocabulary = read_vocabulary(path)
        added = folder / "added_tokens.json"
        if name != "tokenizer.json" and added.is_file():
            rows = {word: row for row, word in enumerate(vocabulary.words)}
            more = _json(added, request.name)
            held, problems = fill(rows | (more if isinstance(more, dict) else {}), added)
            return Vocabulary(held, name, path, True, problems)
        return Vocabulary(vocabulary.words, name, path, True, vocabulary.problems)
    return find_vocabulary(folder)


def _json(path: Path, name: str) -> Any:
    return read_json(path, lambda why: SourceError(name, f"its {path.name} {why}"))


def _inside(folder: Path, name: str, source: str) -> Path:
    """A path inside a folder, refused if it leads out of it."""
    path = folder / name
    parts = Path(name).parts
    if "\0" in name or "\\" in name or Path(name).is_absolute() or ".." in parts:
        raise SourceError(
            source, f"names the file {name!r}, which leads out of its folder; it was not opened."
        )
    return path


FORMAT = Format(
    "model-folder",
    "a Hugging Face, sentence-transformers or model2vec folder",
    looks_like_model,
    tensors=tensors,
    is_folder=True,
)
