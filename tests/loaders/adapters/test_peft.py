"""What peft saves is read as the model that peft merges, for each kind of adapter."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, TrainableTokensConfig, get_peft_model
from peft_models import WORDS, merged_table, shaken, tiny_model, write_words
from safetensors.torch import load_file, save_file

import driftkit as dk
from driftkit.errors import SourceError
from driftkit.loaders import inspect, load

EMBED = ["embed_tokens"]
QUERY = ["q_proj"]

KINDS = {
    "LoRA": LoraConfig(r=3, lora_alpha=5, target_modules=EMBED),
    "rank-stabilized": LoraConfig(r=3, lora_alpha=5, target_modules=EMBED, use_rslora=True),
    "DoRA": LoraConfig(r=3, target_modules=EMBED, use_dora=True),
    "patterns of rank and alpha": LoraConfig(
        r=2, target_modules=EMBED, rank_pattern={"embed_tokens": 4},
        alpha_pattern={"model.embed_tokens": 3},
    ),
    "another layer besides": LoraConfig(r=2, target_modules=[*EMBED, *QUERY]),
    "tokens": LoraConfig(r=2, target_modules=QUERY, trainable_token_indices=[5, 1]),
    "tokens of a named layer": LoraConfig(
        r=2, target_modules=QUERY, trainable_token_indices={"embed_tokens": [1, 5]}
    ),
    "tokens alone": TrainableTokensConfig(token_indices=[1, 5]),
    "the whole table": LoraConfig(r=2, target_modules=QUERY, modules_to_save=EMBED),
}  # fmt: skip


def same(table, expected):
    assert table.matrix.shape == expected.shape
    assert np.allclose(table.matrix, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_read_as_peft_merges_it(adapted, kind):
    made = adapted(KINDS[kind])
    table = load(made.folder)
    same(table, made.table)
    assert (table.words, table.problems) == (tuple(WORDS), ())
    moved = dk.align(load(made.base), table).moved
    assert moved.sum() == (2 if kind.startswith("tokens") else len(WORDS))
    rows = load(made.folder, words=["w5", "w20"])
    assert np.array_equal(rows.matrix, table.matrix[[5, 20]])


@pytest.mark.parametrize("kind", ["LoRA", "DoRA", "tokens"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_as_peft_rounds(adapted, kind, dtype):
    made = adapted(KINDS[kind], dtype=dtype)
    table = load(made.folder)
    bound = table.source.rounding
    assert not bound.is_exact
    assert (np.abs(table.matrix - made.table) <= 2 * bound.relative * np.abs(made.table)).all()
    assert np.array_equal(torch.from_numpy(table.matrix.copy()).to(dtype).float(), table.matrix)


@pytest.mark.parametrize("kind", ["LoRA", "DoRA", "tokens"])
def test_without_the_base_layer_inside_the_base_is_found_or_given(adapted, kind, monkeypatch):
    made = adapted(KINDS[kind], save_embedding_layers=False)
    same(load(made.folder), made.table)
    away = made.base.rename(made.base.with_name("moved"))
    for call in (load, inspect):
        with pytest.raises(SourceError, match="is neither a folder here.*--base"):
            call(made.folder)
    same(load(made.folder, base=away), made.table)
    weights = made.folder / "adapter_model.safetensors"
    same(load(weights, base=away / "model.safetensors"), made.table)
    assert inspect(made.folder, base=away).tables[0].key == "model.embed_tokens.weight"
    command = inspect(made.folder, base=away).command()
    assert command.endswith(f"--base {away}")


def test_the_base_is_looked_for_beside_the_adapter_and_here(adapted, monkeypatch, tmp_path):
    made = adapted(KINDS["LoRA"], save_embedding_layers=False)
    settings = made.folder / "adapter_config.json"
    names = json.loads(settings.read_text())
    (elsewhere := tmp_path / "some" / "where").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    settings.write_text(json.dumps(names | {"base_model_name_or_path": "../base"}))
    same(load(made.folder), made.table)
    settings.write_text(json.dumps(names | {"base_model_name_or_path": "base"}))
    monkeypatch.chdir(tmp_path)
    same(load(made.folder), made.table)
    shutil.copytree(made.base, made.folder / "base")
    with pytest.raises(SourceError, match="'base' may be .* or base; give the base with --base"):
        load(made.folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_model_name_or_path": None}, "names no base"),
        ({"base_model_name_or_path": "a\0b"}, "is neither a folder here"),
        ({"base_model_name_or_path": "x" * 5000}, "is neither a folder here"),
        ({"base_model_name_or_path": "owner/name"}, "nor a model in the cache.*hf:OWNER/NAME"),
        ({"lora_alpha": None}, "has r = 3 and lora_alpha = None for model.embed_tokens"),
        ({"lora_alpha": True}, "lora_alpha = True"),
        ({"r": 8}, "has r = 8 .* whose LoRA has rank 3"),
        ({"use_dora": True}, "says use_dora = True, and its tensors say otherwise"),
        ({"use_qalora": True}, "is a LoRA with use_qalora, which cannot be merged"),
        ({"peft_type": "HIRA"}, "is an adapter of the kind HIRA, which is not merged"),
        ({"init_lora_weights": "loftq"}, "was begun with LoftQ, which changes the base"),
        ({"peft_type": None}, "names no peft_type"),
    ],
)
def test_settings_that_do_not_fit_are_told(adapted, change, sentence):
    made = adapted(KINDS["LoRA"], save_embedding_layers=False)
    settings = made.folder / "adapter_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | change))
    with pytest.raises(SourceError, match=sentence):
        load(made.folder)


def test_an_adapter_of_another_base_is_refused(adapted, tmp_path):
    made = adapted(KINDS["LoRA"], save_embedding_layers=False)
    other = tmp_path / "other"
    tiny_model(rows=20).save_pretrained(other)
    with pytest.raises(SourceError, match="is not for a table of 20 x 8"):
        load(made.folder, base=other)
    with pytest.raises(SourceError, match="is an adapter itself"):
        load(made.folder, base=made.folder)
    (tmp_path / "words.txt").write_text("a 1 2\nb 1 2\n")
    with pytest.raises(SourceError, match="no model; the base of an adapter is a model's"):
        load(made.folder, base=tmp_path / "words.txt")


def test_an_adapter_of_no_embedding_leaves_the_table_as_it_was(adapted):
    made = adapted(LoraConfig(r=2, target_modules=QUERY))
    table = load(made.folder)
    same(table, made.table)
    assert not dk.align(load(made.base), table).changed.any()
    (problem,) = table.problems
    assert re.fullmatch(
        "it changes no input embedding; the table is that of its base .*base", problem.detail
    )
    assert any("changes no input embedding" in each for each in inspect(made.folder).problems)


def test_a_lora_of_a_tied_output_layer_could_be_read_in_two_ways(adapted):
    made = adapted(LoraConfig(r=2, target_modules=["lm_head"]), tied=True)
    with pytest.raises(SourceError, match="a LoRA of lm_head, which is tied to the input embedd"):
        load(made.folder)
    untied = adapted(LoraConfig(r=2, target_modules=["lm_head"]))
    same(load(untied.folder), untied.table)


def test_a_tied_model_is_read_as_well(adapted):
    made = adapted(KINDS["LoRA"], tied=True)
    same(load(made.folder), made.table)


def test_rows_added_before_training(adapted):
    made = adapted(LoraConfig(r=2, target_modules=QUERY), rows=26)  # peft saves the whole table
    same(load(made.folder), made.table)
    tokens = TrainableTokensConfig(token_indices=[3, 24, 25])
    made = adapted(tokens, rows=26, save_embedding_layers=False)
    table = load(made.folder)
    same(table, made.table)
    pair = dk.align(load(made.base), table)
    assert (pair.added, [pair.words[row] for row in np.flatnonzero(pair.moved)]) == (
        ("w24", "w25"), ["w3"],
    )  # fmt: skip


@pytest.mark.parametrize("saved", [EMBED, [*EMBED, "lm_head"], ["lm_head"]])
@pytest.mark.parametrize("tied", [False, True])
def test_new_tokens_with_the_whole_table_saved(adapted, saved, tied):
    config = LoraConfig(r=2, target_modules=QUERY, modules_to_save=saved)
    made = adapted(config, rows=26, tied=tied)  # peft saves the table twice, and once as it was
    table = load(made.folder)
    same(table, made.table)
    assert dk.align(load(made.base), table).added == ("w24", "w25")
    assert {info.shape for info in inspect(made.folder).tables} == {(26, 8)}


def test_a_table_saved_twice_with_other_numbers_is_refused(adapted):
    made = adapted(LoraConfig(r=2, target_modules=QUERY, modules_to_save=EMBED), rows=26)
    weights = made.folder / "adapter_model.safetensors"
    held = load_file(weights)
    held["base_model.model.model.embed_tokens.weight"] += 1
    save_file(held, weights)
    with pytest.raises(SourceError, match=r"holds .*embed_tokens\.weight and .*modules_to_save"):
        load(made.folder)


def test_a_lora_that_was_merged_before_it_was_saved_is_told(adapted):
    made = adapted(KINDS["LoRA"])
    made.model.merge_adapter()
    made.model.save_pretrained(made.folder)  # the LoRA is in its base layer, and beside it
    (problem,) = load(made.folder).problems
    assert "if merge_adapter() had been called" in problem.detail
    assert problem.detail in " ".join(inspect(made.folder).problems)
    again = adapted(KINDS["LoRA"])
    assert load(again.folder).problems == ()  # the base is here, and its table is inside
    again.base.rename(again.base.with_name("away"))
    assert load(again.folder).problems == (problem,)


def test_an_added_row_that_nobody_holds_is_refused(adapted):
    made = adapted(TrainableTokensConfig(token_indices=[25]), rows=26, save_embedding_layers=False)
    with pytest.raises(SourceError, match="has row 25, .* has 24 rows, and row 24 is in neither"):
        load(made.folder)


def test_the_words_are_the_bases_where_the_adapter_brings_none(adapted):
    made = adapted(KINDS["LoRA"])
    (made.folder / "vocab.txt").unlink()
    for base in (None, made.base):  # it has its base layer inside, so only words are asked for
        assert load(made.folder, base=base).words == tuple(WORDS)
    assert inspect(made.folder).words == len(WORDS)
    made.base.rename(made.base.with_name("away"))
    with pytest.raises(SourceError, match="no words were found"):
        load(made.folder)
    made.base.with_name("away").rename(made.base)
    bare = adapted(KINDS["LoRA"], save_embedding_layers=False)
    (bare.folder / "vocab.txt").unlink()
    assert load(bare.folder).words == tuple(WORDS)


def test_added_rows_never_take_the_bases_words(adapted):
    made = adapted(LoraConfig(r=2, target_modules=QUERY, modules_to_save=EMBED), rows=26)
    (made.folder / "vocab.txt").unlink()
    with pytest.raises(SourceError, match="no words were found"):
        load(made.folder, base=made.base)


@pytest.fixture
def unmerged(custom, tmp_path):
    """The state of a module with two adapters, saved whole, and peft's merge of each."""
    model = get_peft_model(custom(), LoraConfig(r=2, lora_alpha=6, target_modules=["emb"]), "one")
    model.add_adapter("two", LoraConfig(r=3, target_modules=["emb"]))
    shaken(model)
    model.save_pretrained(tmp_path)  # the settings of each, in folders of their own
    torch.save(model.state_dict(), tmp_path / "run.pt")
    save_file(model.state_dict(), tmp_path / "run.safetensors")
    tables = {}
    for adapter in ("one", "two"):
        model.set_adapter(adapter)
        tables[adapter] = merged_table(model)
    return tmp_path, tables


@pytest.mark.parametrize("file", ["run.pt", "run.safetensors"])
def test_several_adapters_in_one_state_are_named(unmerged, file):
    folder, tables = unmerged
    path = folder / file
    with pytest.raises(SourceError, match=r"2 tables fit the 24 words .*run.*::one::emb.weight"):
        load(path, vocab=WORDS)
    for adapter, table in tables.items():
        found = load(f"{path}::{adapter}", vocab=WORDS)
        same(found, table)
        same(load(f"{path}::{found.source.key}", vocab=WORDS), table)
        assert inspect(f"{path}::{adapter}", vocab=WORDS).tables[0].key == f"{adapter}::emb.weight"
    shutil.rmtree(folder / "two")
    same(load(f"{path}::one", vocab=WORDS), tables["one"])
    with pytest.raises(SourceError, match="lora_alpha, which its tensors do not tell"):
        load(f"{path}::two", vocab=WORDS)


def test_several_adapters_in_one_folder_are_named(unmerged, custom):
    folder, tables = unmerged
    for name in ("run.pt", "run.safetensors"):
        (folder / name).unlink()
    torch.save(custom().state_dict(), folder.parent / "base.pt")
    with pytest.raises(SourceError, match=r"several adapters \(one, two\); name one as .*::one"):
        load(folder, vocab=WORDS)
    for adapter, table in tables.items():
        source = f"{folder}::{adapter}"
        same(load(source, vocab=WORDS, base=folder.parent / "base.pt"), table)
        with pytest.raises(SourceError, match="names no base"):
            load(source, vocab=WORDS)


def test_the_default_adapter_beside_others_is_named_too(adapted):
    made = adapted(KINDS["LoRA"])
    shutil.copytree(made.folder, made.folder / "checkpoint-500")  # of the same training
    for source in (made.folder, f"{made.folder}::default", f"{made.folder}::checkpoint-500"):
        same(load(source), made.table)
    made.model.add_adapter("other", LoraConfig(r=3, target_modules=EMBED))
    shaken(made.model).set_adapter("other")
    made.model.save_pretrained(made.folder)
    write_words(made.folder / "other", WORDS)
    for source in (made.folder, f"{made.folder}::model.embed_tokens.weight"):
        for call in (load, inspect):
            with pytest.raises(SourceError, match=r"\(default, other\); name one as .*::default"):
                call(source)
    other = merged_table(made.model)
    made.model.set_adapter("default")
    tables = {"default": merged_table(made.model), "other": other}
    for adapter, table in tables.items():
        same(load(f"{made.folder}::{adapter}"), table)
        same(load(f"{made.folder}::{adapter}::model.embed_tokens.weight"), table)


@pytest.mark.parametrize("kind", ["LoRA", "DoRA", "tokens alone", "the whole table"])
def test_an_unmerged_checkpoint_with_the_settings_beside_it(adapted, kind):
    made = adapted(KINDS[kind])
    path = made.folder / "last.ckpt"
    torch.save({"state_dict": made.model.state_dict(), "epoch": 3}, path)
    same(load(path), made.table)
    (made.folder / "adapter_config.json").unlink()
    if kind == "the whole table":  # nothing else must be known
        same(load(path), made.table)
        return
    what = "its token rows" if kind == "tokens alone" else "lora_alpha"
    with pytest.raises(SourceError, match=f"{what}, which its tensors do not tell, is in its adap"):
        load(path)


def test_a_folder_of_an_unmerged_model(adapted):
    made = adapted(KINDS["LoRA"])
    (made.folder / "adapter_model.safetensors").unlink()
    save_file(made.model.state_dict(), made.folder / "model.safetensors")
    same(load(made.folder), made.table)


def test_a_folder_with_a_model_and_an_adapter_is_not_guessed_at(adapted):
    made = adapted(KINDS["LoRA"], save_embedding_layers=False)
    shutil.copy(made.base / "model.safetensors", made.folder)
    with pytest.raises(SourceError, match="holds a model .* and an adapter .*name the file"):
        load(made.folder)
    weights = made.folder / "model.safetensors"
    same(load(weights), load(made.base).matrix)
    same(load(made.folder / "adapter_model.safetensors", base=weights), made.table)


def test_the_older_file_of_peft(adapted):
    made = adapted(KINDS["LoRA"])
    weights = made.folder / "adapter_model.safetensors"
    torch.save(load_file(weights), made.folder / "adapter_model.bin")
    weights.unlink()
    same(load(made.folder), made.table)


def test_the_base_layer_alone_is_never_the_table(adapted):
    made = adapted(KINDS["LoRA"])
    weights = made.folder / "adapter_model.safetensors"
    kept = {key: value for key, value in load_file(weights).items() if "lora" not in key}
    save_file(kept, weights)
    with pytest.raises(SourceError, match="has an adapter of a kind that is not merged here"):
        load(made.folder)
    assert inspect(made.folder).tables == ()


def test_the_lora_of_another_library_on_the_table_is_refused(tmp_path):
    state = {"emb.weight": torch.ones(24, 4), "emb.lora_A": torch.ones(2, 24)}
    torch.save(state | {"emb.lora_B": torch.ones(4, 2)}, tmp_path / "m.pt")
    with pytest.raises(SourceError, match=r"has parts of an adapter \(lora_A, lora_B\)"):
        load(tmp_path / "m.pt", vocab=WORDS)


def test_prompts_are_no_table(adapted):
    from peft import PromptTuningConfig

    made = adapted(PromptTuningConfig(num_virtual_tokens=2, task_type="CAUSAL_LM"))
    with pytest.raises(SourceError, match="an adapter of the kind PROMPT_TUNING"):
        load(made.folder)


def test_the_audit_of_an_adapter_is_that_of_the_merged_model(adapted, tmp_path):
    made = adapted(KINDS["LoRA"])
    PeftModel.from_pretrained(tiny_model(), made.folder)  # what is saved is an adapter indeed
    made.model.merge_and_unload().save_pretrained(tmp_path / "merged")
    write_words(tmp_path / "merged", WORDS)
    ask = {"benchmarks": [], "k": 5, "measures": ["displacement(center=1)"]}
    one, other = (
        dk.audit(dk.align(load(made.base), load(tuned)), **ask).to_dict() | {"time": ""}
        for tuned in (made.folder, tmp_path / "merged")
    )
    assert one["moved_words"] == other["moved_words"] == WORDS
    one["sources"] = other["sources"] = None
    compare(one, other)


def compare(one, other, place=""):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), place
        for key in one:
            compare(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), place
        for number, pair in enumerate(zip(one, other, strict=True)):
            compare(*pair, f"{place}[{number}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-6), place
    else:
        assert one == other, place


@pytest.mark.parametrize(
    "other",
    [
        {"net.base_layer.weight": torch.ones(3, 3), "net.original_module.weight": torch.ones(3)},
        {"q.lora_A.weight": torch.ones(2, 4), "q.lora_B.weight": torch.ones(4, 2)},
    ],
    ids=["layers of these names", "a LoRA of another layer"],
)
@pytest.mark.parametrize("key", ["table.weight", "emb.weight"])
def test_whole_models_with_layers_like_an_adapters_are_read(tmp_path, other, key):
    table = torch.arange(96.0).reshape(24, 4)
    torch.save({key: table, **other}, tmp_path / "m.pt")
    assert load(tmp_path / "m.pt", vocab=WORDS).matrix.tolist() == table.tolist()
