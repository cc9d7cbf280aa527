"""The statuses of `verify`, each by a planted change, and nothing else taken for it."""

import json

import numpy as np
import pytest

import driftkit as dk
from driftkit.errors import OptionError, RuleError
from driftkit.provenance import Source

N, D = 60, 24
NAMES = [f"item {i}" for i in range(N)]
TEXTS = {name: f"{'Text' if i % 3 else 'text'} {'x' * i}" for i, name in enumerate(NAMES)}
RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(N, D))
ROTATION, _ = np.linalg.qr(RNG.normal(size=(D, D)))
WIDE = RNG.normal(size=(N, 4 * D))  # more numbers than items
WIDE_ROTATION, _ = np.linalg.qr(RNG.normal(size=(4 * D, 4 * D)))
NOISE = RNG.normal(size=(N, D))


def table(matrix, names=NAMES):
    return dk.Embeddings(names, matrix)


@pytest.fixture
def locked(tmp_path):
    return dk.lock(table(VECTORS), tmp_path / "embed.lock", texts=TEXTS)


@pytest.fixture
def wide(tmp_path):
    return dk.lock(table(WIDE), tmp_path / "wide.lock")


def test_the_same_vectors_are_the_same_model(locked):
    found = dk.verify(table(VECTORS), locked.path, texts=TEXTS)
    assert isinstance(found, dk.Verification)
    assert (found.status, found.within, found.exit_code) == ("same", "float32", 0)
    assert found.beyond == 0
    assert found.notes == ()
    assert "Same model within rounding: of 60 items the farthest, item " in repr(found)
    itself = dk.verify(locked.table, locked)
    assert itself.sentence == "Same model: 60 items are as they were locked, in every number."


@pytest.mark.parametrize(
    ("units", "within"), [(0, "float32"), (2.0**-10, "float16"), (2.0**-7, "bfloat16")]
)
def test_rounding_is_named_by_the_type_that_explains_it(units, within, locked):
    lengths = np.linalg.norm(VECTORS, axis=1, keepdims=True)
    off = NOISE / np.linalg.norm(NOISE, axis=1, keepdims=True) * lengths * units
    found = dk.verify(table(VECTORS + off), locked)
    assert (found.status, found.within) == ("same", within)


@pytest.mark.parametrize("scale", [1e-43, 1e-37, 1e-20, 1e-7, 1e-3, 1e5, 1e30])
def test_a_model_is_itself_and_no_other_at_any_scale(scale, tmp_path):
    locked = dk.lock(table(scale * VECTORS), tmp_path / "embed.lock")
    assert dk.verify(table(scale * VECTORS), locked).status == "same"
    if scale > 1e-40:  # below, float32 itself has few digits
        assert dk.verify(table(scale * NOISE), locked).status == "changed"
        assert dk.verify(table(1.01 * scale * VECTORS), locked).status == "scaled"


@pytest.mark.parametrize("longer", [1e-15, 1e6, 1e9, 1e20])
def test_one_item_of_another_length_hides_no_other(longer, tmp_path):
    before = VECTORS.copy()
    before[3] *= longer
    locked = dk.lock(table(before), tmp_path / "embed.lock")
    assert dk.verify(table(before), locked).status == "same"
    zeroed = 0 * before
    zeroed[3] = before[3]
    found = dk.verify(table(zeroed), locked)
    assert (found.status, found.beyond) == ("changed", N - 1)


def test_a_lock_of_coarse_numbers_allows_for_both_roundings(tmp_path):

    coarse = dk.Embeddings(NAMES, VECTORS, source=Source("model", dtype="bfloat16"))
    fine, both = (dk.lock(each, tmp_path / "embed.lock") for each in (table(VECTORS), coarse))
    lengths = np.linalg.norm(VECTORS, axis=1, keepdims=True)
    off = NOISE / np.linalg.norm(NOISE, axis=1, keepdims=True) * lengths * 0.02
    assert dk.verify(table(VECTORS + off), fine).status == "changed"
    assert dk.verify(table(VECTORS + off), both).status == "same"


@pytest.mark.parametrize("factor", [1e-3, 0.9, 0.999, 1.001, 1.01, 12.0])
def test_one_factor_is_scaled(factor, locked):
    found = dk.verify(table(factor * VECTORS), locked)
    assert (found.status, found.exit_code) == ("scaled", 1)
    assert found.factor == pytest.approx((factor, factor), rel=1e-3)
    assert "dot products, distances and what was trained on the lengths are not" in found.sentence


def test_a_factor_for_each_item_is_told_from_one(locked):
    lengths = np.linalg.norm(VECTORS, axis=1)
    found = dk.verify(table(VECTORS / lengths[:, None]), locked)
    assert found.status == "scaled"
    assert found.factor == pytest.approx((1 / lengths.max(), 1 / lengths.min()), rel=1e-3)
    assert "Was a normalization switched on or off?" in found.sentence


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_one_orthogonal_map_is_rotated(factor, locked, wide):
    for lock, matrix in ((locked, VECTORS @ ROTATION), (wide, WIDE @ WIDE_ROTATION)):
        found = dk.verify(table(factor * matrix), lock)
        assert (found.status, found.exit_code) == ("rotated", 1)
        assert found.factor == pytest.approx((factor, factor), rel=1e-3)
        assert "an index built before is useless" in found.sentence
    assert dk.verify(table(-VECTORS), locked).status == "rotated"
    assert dk.verify(table(VECTORS[:, ::-1]), locked).status == "rotated"


def test_a_rotation_and_a_little_more_is_changed(locked, wide):
    assert dk.verify(table(VECTORS @ ROTATION + 0.1 * NOISE), locked).status == "changed"
    assert dk.verify(table(RNG.normal(size=WIDE.shape)), wide).status == "changed"
    shear = np.eye(D)
    shear[0, 1] = 0.2
    assert dk.verify(table(VECTORS @ shear), locked).status == "changed"


@pytest.mark.parametrize("size", [0.02, 0.05, 0.2])
def test_noise_that_a_rotation_has_room_for_is_changed(size, tmp_path):
    """Twenty rows of 600 numbers can be turned to nearly any others that are near."""
    rows, noise = np.random.default_rng(1).normal(size=(2, 20, 600))
    locked = dk.lock(table(rows, NAMES[:20]), tmp_path / "embed.lock")
    assert dk.verify(table(rows + size * noise, NAMES[:20]), locked).status == "changed"
    turned, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(600, 600)))
    assert dk.verify(table(rows @ turned, NAMES[:20]), locked).status == "rotated"


def test_few_items_are_never_called_rotated(tmp_path):
    """Any one vector is another of its length, rotated."""
    one = dk.lock(table(VECTORS[:1], NAMES[:1]), tmp_path / "embed.lock")
    assert dk.verify(table(VECTORS[:1, ::-1], NAMES[:1]), one).status == "changed"


def test_what_changed_is_named_worst_first(locked):
    after = VECTORS.copy()
    after[7] += 0.5 * NOISE[7]
    after[11] = -after[11]
    found = dk.verify(table(after), locked)
    assert (found.status, found.beyond, found.exit_code) == ("changed", 2, 1)
    assert [off.id for off in found.worst] == ["item 11", "item 7"]
    assert "Changed: 2 of 60 items are farther off" in found.sentence
    after[11] = VECTORS[11]
    one = dk.verify(table(after), locked)
    assert "Changed: 1 of 60 items is farther off" in one.sentence
    assert "worst item item 7; median cosine 1.0000." in one.sentence
    assert found.worst[0].cosine == pytest.approx(-1, abs=1e-5)
    assert "item 11: cosine -1.0000" in repr(found)
    assert found.looks_like == ()


def test_a_zero_vector_is_compared(tmp_path):
    before, after = VECTORS.copy(), VECTORS.copy()
    before[0] = 0
    locked = dk.lock(table(before), tmp_path / "embed.lock")
    assert dk.verify(table(before), locked).status == "same"
    found = dk.verify(table(after), locked)
    assert (found.status, found.worst[0].id) == ("changed", "item 0")
    assert found.to_dict()["worst"][0] == {"id": "item 0", "distance": None, "cosine": None}
    json.dumps(found.to_dict(), allow_nan=False)
    none = dk.verify(table(0 * VECTORS), locked)
    assert (none.status, none.sentence.endswith("; no cosine is known.")) == ("changed", True)
    mostly = dk.verify(table(np.vstack([VECTORS[:9], 0 * VECTORS[9:]])), locked)
    assert mostly.sentence.endswith("median cosine 1.0000 of the 8 that have one.")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v[RNG.permutation(N)], "Looks like a lost order: "),
        (lambda v: RNG.normal(size=v.shape), "Looks like another model: half of the items have a"),
        (
            lambda v: v + np.array([[i % 3 > 0] for i in range(N)]) * NOISE,
            "Looks like lower-casing: the 40 items with capital letters changed, and no other",
        ),
        (
            lambda v: v + np.array([[i >= 45] for i in range(N)]) * NOISE,
            "Looks like texts cut at another length: the 15 longest changed, from 50 characters",
        ),
        (
            lambda v: v + 0.1 * NOISE * np.linalg.norm(v, axis=1, keepdims=True)
            / np.linalg.norm(NOISE, axis=1, keepdims=True),
            "Looks like small changes everywhere, such as coarser numbers (int8): every item is",
        ),
        (
            lambda v: v - 0.3 * np.ones(D) * np.linalg.norm(v, axis=1).mean() / D**0.5,
            "Looks like one vector that was added to all, as where they are centered: it explains",
        ),
    ],
)  # fmt: skip
def test_what_may_have_caused_it_is_told_with_the_evidence(change, said, locked):
    found = dk.verify(table(change(VECTORS)), locked, texts=TEXTS)
    assert found.status == "changed"
    (line,) = found.looks_like
    assert line.startswith(said)
    assert " ".join(line.split()) in " ".join(repr(found).split())


def test_what_cannot_be_compared_is_named(locked):
    found = dk.verify(table(VECTORS[2:], NAMES[2:]), locked)
    assert (found.status, found.named, found.exit_code) == (
        "items missing", ("item 0", "item 1"), 1)  # fmt: skip
    texts = TEXTS | {"item 3": "an edited text"}
    found = dk.verify(table(VECTORS), locked, texts=texts)
    assert (found.status, found.named, found.exit_code) == ("texts differ", ("item 3",), 1)
    found = dk.verify(table(WIDE), locked)
    assert (found.status, found.exit_code) == ("another width", 1)
    assert found.sentence == "Another width: 24 numbers in a vector then, 96 now."


def test_order_and_further_items_do_not_matter(locked):
    order = RNG.permutation(N)
    names = [*(NAMES[row] for row in order), "another"]
    found = dk.verify(table(np.vstack([VECTORS[order], NOISE[:1]]), names), locked)
    assert found.status == "same"


def test_texts_without_ids_are_found_by_their_hash(tmp_path):
    texts = list(TEXTS.values())
    dk.lock(table(VECTORS, texts), tmp_path / "embed.lock", texts=texts)
    found = dk.verify(table(VECTORS, texts), tmp_path / "embed.lock", texts=texts)
    assert found.status == "same"
    edited = ["an edited text", *texts[1:]]
    found = dk.verify(table(VECTORS, edited), tmp_path / "embed.lock", texts=edited)
    assert (found.status, len(found.named)) == ("items missing", 1)


def test_texts_that_were_not_given_are_not_called_the_same(locked):
    assert dk.verify(table(VECTORS), locked).notes == (
        "texts were not compared, since none were given",
    )


def test_rules_decide_what_a_change_leads_to(locked):
    slight = table(VECTORS + 0.05 * NOISE)
    assert dk.verify(slight, locked).exit_code == 1
    rules = ["cka >= 0.9", "self_cosine p05 >= 0.99"]
    found = dk.verify(slight, locked, rules=rules)
    assert (found.status, found.verdict.state, found.exit_code) == ("changed", "pass", 0)
    found = dk.verify(slight, locked, rules=["self_cosine min >= 0.9999"])
    assert (found.verdict.state, found.exit_code) == ("fail", 1)
    assert "self_cosine" in repr(found)
    # What cannot be compared keeps no rule.
    assert dk.verify(table(WIDE), locked, rules=rules).exit_code == 1
    with pytest.raises(RuleError, match="did you mean"):
        dk.verify(slight, locked, rules=["self_cosin min >= 0.9"])


@pytest.mark.parametrize("n", [11, 60, 99])
@pytest.mark.parametrize("subject", ["overlap mean", "rbo p05[moved]", 'word["item 3"] overlap'])
def test_neighbors_that_agree_by_chance_excuse_no_change(n, subject, tmp_path):
    """Of 11 random vectors, each has the other ten for neighbors, then and now."""
    before, after = RNG.normal(size=(2, n, D))
    names = [f"item {i}" for i in range(n)]
    locked = dk.lock(table(before, names), tmp_path / "embed.lock")
    found = dk.verify(table(after, names), locked, rules=[f"{subject} >= 0"])
    assert (found.verdict.results[0].outcome, found.exit_code) == ("not measured", 1)
    assert f"{n} candidates for 10 neighbors agree by chance" in " ".join(repr(found).split())


def test_enough_items_have_neighbors_to_lose(tmp_path):
    before, after = RNG.normal(size=(2, 200, D))
    names = [f"item {i}" for i in range(200)]
    locked = dk.lock(table(before, names), tmp_path / "embed.lock")
    for rows, outcome in ((after, "fail"), (before + 0.001 * after, "pass")):
        found = dk.verify(table(rows, names), locked, rules=["overlap@10 mean >= 0.95"])
        assert found.verdict.results[0].outcome == outcome


@pytest.mark.parametrize(
    "rule",
    ["lost == 0", "vocabulary != broken", "input != broken", "numbers != broken", "shared >= 1",
     "knowledge != broken", "coverage[*] >= 0", "change[*] >= -margin", "moved >= 1",
     "norm_ratio mean >= 0.5", "effective_rank tuned >= 2", "added == 0", "zero == 0"],
)  # fmt: skip
def test_a_rule_that_a_changed_model_keeps_is_refused(rule, locked):
    with pytest.raises(RuleError, match="says nothing of how far the vectors lie from the locked"):
        dk.verify(table(VECTORS), locked, rules=["self_cosine min >= 0.9", rule])


def test_the_tolerance_can_be_set(locked):
    slight = table(VECTORS + 0.05 * NOISE)
    assert dk.verify(slight, locked, tolerance=0.2).status == "same"
    assert dk.verify(table(VECTORS + 0.005 * NOISE), locked, tolerance=0.001).status == "changed"
    for tolerance in (0, 1.5, "0.1", float("nan")):
        with pytest.raises(OptionError, match="it is between 0 and 1"):
            dk.verify(slight, locked, tolerance=tolerance)


def test_the_document_holds_what_is_shown(locked):
    document = dk.verify(table(VECTORS + NOISE), locked, rules=["moved <= 10%"]).to_dict()
    assert document["schema"] == "driftkit.verify/1"
    assert (document["status"], document["exit_code"]) == ("changed", 1)
    assert document["check"]["state"] == "fail"
    assert len(document["worst"]) == 5
    json.dumps(document, allow_nan=False)
