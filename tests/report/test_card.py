"""The section of a model card, read by a Markdown parser and by the Hub's own library."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
import yaml
from huggingface_hub import ModelCard, eval_result_entries_to_yaml, parse_eval_result_entries
from huggingface_hub.repocard_data import eval_results_to_model_index
from markdown_it import MarkdownIt
from strangers import HONEST, WORDS, require_harmless

import driftkit as dk
from driftkit.errors import OptionError, UnknownNameError
from driftkit.escaping import printable
from driftkit.provenance import Source
from driftkit.report.card import to_yaml
from driftkit.report.not_looked_at import not_looked_at

PARSER = MarkdownIt("commonmark").enable("table")
ON_THE_HUB = {"simlex999": "owner/similarity:simlex", "ws353": "owner/similarity:ws"}


@pytest.fixture(scope="module")
def audited(pair):
    return dk.audit(pair, ["ws353", "simlex999"], resamples=200, candidates=500)


def _headings(text):
    tokens = PARSER.parse(text)
    return [after.content for at, after in pairwise(tokens) if at.type == "heading_open"]


def _rows(text):
    """Return the cells of every row of every table."""
    rows = []
    for token in PARSER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and rows and token.level > 3:
            rows[-1].append("".join(inner.content for inner in token.children))
    return rows


def test_a_section_says_what_was_compared_what_was_found_and_what_was_not_looked_at(audited):
    text = audited.to_card()
    first = text.splitlines()[2]
    assert first.startswith("`after` was compared with `before`, which it was tuned from: 3,000 ")
    assert _headings(text) == [
        "What fine-tuning changed", "Benchmarks", "What was not looked at",
    ]  # fmt: skip
    assert f"**{audited.verdict.capitalize()}:** " in text
    questions, rows = {row[0]: row for row in _rows(text)}, _rows(text)
    for finding in audited.findings:
        assert questions[finding.question] == [finding.question, finding.status, finding.sentence]
    for change in audited.scores:
        (row,) = (row for row in rows if row[0] == change.name)
        assert row[3:5] == [f"{change.original:.3f}", f"{change.tuned:.3f}"]
        assert row[5] == f"{change.delta:+.3f}"
        assert row[6] == f"{change.ci_low:+.3f} to {change.ci_high:+.3f}"
        assert row[7] == change.status
    below = text.partition("### What was not looked at")[2]
    assert len(re.findall(r"^- .*\.$", below, re.MULTILINE)) == len(not_looked_at(audited))


def test_what_was_not_looked_at_is_told(audited, pair):
    found = not_looked_at(audited)
    ws353 = audited.scores["ws353"]
    sought = len(audited.shifts)
    assert (
        f"The neighbors of {3_000 - sought:,} of 3,000 words were not sought, and those of the "
        f"others only among {audited.shifts.among}." in found
    )
    assert any(
        each.startswith(f"ws353: {ws353.n_total - ws353.n_used:,} of 353 ") for each in found
    )
    assert found[-1].startswith("The benchmarks (ws353 and simlex999) say nothing about the task")
    nothing = not_looked_at(dk.audit(pair, benchmarks=[], candidates=5_000))
    knowledge, added = nothing
    assert added == "2 added items had nothing to be compared with."
    assert knowledge.startswith("Knowledge was not tested: no benchmark of knowledge was asked for")


def test_the_hubs_library_reads_the_scores_from_a_whole_card(audited):
    card = ModelCard(audited.to_card("My vectors: hot"))
    assert _headings(card.text)[0] == "What fine-tuning changed"
    read = [
        (each.dataset_name, each.metric_type, each.metric_value) for each in card.data.eval_results
    ]
    assert read == [(each.name, each.measure, round(each.tuned, 4)) for each in audited.scores]
    written = yaml.safe_load(audited.to_card("My vectors: hot").split("---")[1])
    assert written["model-index"] == eval_results_to_model_index(
        "My vectors: hot", card.data.eval_results
    )


def test_a_card_without_benchmarks_has_no_scores(pair):
    text = dk.audit(pair, benchmarks=[], candidates=500).to_card("name")
    assert ModelCard(text).data.eval_results == []
    assert _headings(text)[-2:] == ["What fine-tuning changed", "What was not looked at"]


def test_the_hubs_library_reads_the_entries_of_eval_results(audited):
    entries = audited.to_eval_results(ON_THE_HUB)
    written = yaml.safe_load(to_yaml(entries))
    assert written == entries
    parsed = parse_eval_result_entries(written)
    assert eval_result_entries_to_yaml(parsed) == entries
    assert [each.dataset_id for each in parsed] == ["owner/similarity"] * 2
    assert [each.task_id for each in parsed] == ["simlex", "ws"]
    change = audited.scores["simlex999"]
    assert parsed[0].value == round(change.tuned, 4)
    assert parsed[0].notes.startswith(
        f"spearman on {change.n_used} of 999 items; {change.original:.3f} before fine-tuning, "
    )


@pytest.mark.parametrize("name", ["", " ", "a\x1b[2Jb", "two\nlines", "a\u200bb", "x" * 201])
def test_a_name_that_would_not_be_shown_as_it_is_is_refused(name, audited):
    with pytest.raises(OptionError, match="give one that can be read"):
        audited.to_card(name)


@pytest.mark.parametrize("place", ["owner/name", "name:task", "owner/name:a b", "", "a/b/c:d"])
def test_what_is_no_task_of_a_data_set_is_refused(place, audited):
    with pytest.raises(OptionError, match="write the data set and its task as OWNER/NAME:TASK"):
        audited.to_eval_results({"ws353": place})


def test_what_has_no_one_score_is_refused(audited, pair):
    with pytest.raises(UnknownNameError, match="did you mean 'ws353'"):
        audited.to_eval_results({"ws35": "owner/name:task"})
    asked = [
        dk.evaluators.Similarity("ws353"),
        dk.evaluators.Similarity("ws353", measure="pearson"),
    ]
    twice = dk.audit(pair, asked, resamples=100, candidates=300)
    with pytest.raises(
        OptionError, match="ws353 was scored by spearman and pearson; audit the one"
    ):
        twice.to_eval_results({"ws353": "owner/name:task"})
    unheard = dk.Embeddings(["aq", "bq", "cq"], [[1, 0], [0, 1], [1, 1]])
    unmeasured = dk.audit(dk.align(unheard, unheard), ["ws353"], resamples=100)
    with pytest.raises(OptionError, match="ws353 has no score for owner/name:task: "):
        unmeasured.to_eval_results({"ws353": "owner/name:task"})
    assert "\n| `ws353` | `spearman` | 0 of 353 | - | - | - | - | not measured |\n" in (
        unmeasured.to_card()
    )


def test_folders_of_the_machine_are_not_published(audited, tmp_path):
    files = {name: tmp_path / f"{name}.npy" for name in ("secret-before", "secret-after")}
    for path in files.values():
        path.write_bytes(b"x")
    sides = [
        dk.Embeddings(table.words, table.matrix, source=Source(f"{path}::key", path))
        for table, path in zip(
            (audited.pair.original, audited.pair.tuned), files.values(), strict=True
        )
    ]
    pair = replace(audited.pair, original=sides[0], tuned=sides[1])
    text = replace(audited, pair=pair).to_card()
    assert "`secret-after.npy::key` was compared with `secret-before.npy::key`" in text
    assert str(tmp_path) not in text
    assert (
        text.count(", sha256 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881") == 2
    )


@pytest.mark.parametrize("word", [*WORDS, *HONEST])
def test_yaml_holds_every_word_as_a_text(word):
    text = to_yaml([{"notes": word, "dataset": {"id": word}}])
    require_harmless(text)
    seen = printable(word)
    assert yaml.safe_load(text) == [{"notes": seen, "dataset": {"id": seen}}]
