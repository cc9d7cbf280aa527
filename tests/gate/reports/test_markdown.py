import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from strangers import HONEST, SEEN_BY_NOBODY, WORDS

from driftkit.escaping import harmless, printable
from driftkit.gate.reports.markdown import markdown
from driftkit.markdown import code


def test_one_table(verdicts):
    lines = markdown(verdicts[:1]).splitlines()
    assert lines[0] == "### ❌ `harmed.pt` failed, against `original.npy`"
    assert lines[2].startswith("Failed: 2 of 6 checks: ")
    assert "| ❌ | `moved` | 150 | &lt;= 120 | -30 | fail |" in lines
    assert "| ✅ | `added` | 2 | &lt;= 5 | +3 | pass |" in lines
    assert "Moved words that kept the fewest neighbors:" in lines


def test_several_tables_begin_with_a_matrix(verdicts):
    text = markdown(verdicts)
    assert text.startswith("### driftkit check\n\n| | table | fail | warn | pass |\n")
    assert "| ❌ | `harmed.pt` | 2 | 2 | 2 |" in text


@pytest.mark.parametrize("limit", [400, 900, 2_000])
def test_it_is_cut_to_size_and_says_what_was_cut(verdicts, limit):
    whole = markdown(verdicts)
    cut = markdown(verdicts, limit=limit)
    assert len(cut.encode()) <= limit < len(whole.encode())
    *kept, empty, last = cut.splitlines()
    missing = len(whole.splitlines()) - len(kept)
    assert (empty, last) == (
        "", f"{missing} lines were left out to keep the size allowed; `--json` has everything.",
    )  # fmt: skip
    assert whole.splitlines()[: len(kept)] == kept
    assert markdown(verdicts, limit=10**6) == whole


def test_hostile_text_stays_text(hostile):
    text = markdown([hostile])
    for line in text.splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") in (4, 7)  # of questions, of rules
    assert "`*x*`" in text


FORGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {
    "heading",
    "paragraph",
    "bullet_list",
    "list_item",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
HTML = {"<details><summary>5 kept</summary>\n", "</details>\n"}


@pytest.mark.parametrize("word", [*WORDS, *HONEST])
def test_no_word_becomes_an_element(word, hostile):
    """Of a renderer: neither Markdown nor HTML comes from a word, nor what a forge would link."""
    results = [
        replace(each, rule=word, subject=word, detail=word, reason=word, action=action)
        for each, action in zip(hostile.results, ["fail", *["pass"] * 5], strict=True)
    ]
    told = replace(
        hostile, tuned=word, original=word, baseline=word, audit=f"Lost {word}.", notes=(word,),
        words=((word, (word, word)),), results=tuple(results),
    )  # fmt: skip
    text = markdown([told, told])
    assert not SEEN_BY_NOBODY.search(text.replace("\ufe0f", ""))  # of our own warning sign
    cells = []
    for token in FORGE.parse(text):
        assert token.type.removesuffix("_open").removesuffix("_close") in {
            *OURS,
            "inline",
            "html_block",
        }
        assert token.type != "html_block" or token.content in HTML
        for inner in token.children or ():
            assert inner.type in ("text", "code_inline", "softbreak"), inner
            if inner.type == "text":
                assert not re.search(r"[@#`$~*_\\]|://|www\.|:\w+:", inner.content), inner
            if inner.type == "code_inline":
                cells.append(inner.content)
    shown = harmless(printable(word)).strip()
    assert cells.count(shown) >= 20 or shown in ("", "\\|", "\\|<b>x</b>")


def test_a_code_span_cannot_be_left(hostile):
    for text in ("a`b", "`", "``x`", "a``b`", "a|b"):
        span = code(text)
        fence = span[: len(span) - len(span.lstrip("`"))]
        inside = span[len(fence) : -len(fence)]
        assert fence not in inside
        assert span.endswith(fence)


def test_golden(worked, golden):
    golden(markdown([worked]), "verdict.md")
