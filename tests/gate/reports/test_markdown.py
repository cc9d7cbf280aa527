import pytest

from driftkit.gate.reports.markdown import markdown


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
            assert line.replace("\\|", "").count("|") == 7
    assert "\\*x\\*" in text
    assert "&lt;!--" in text


def test_a_code_span_cannot_be_left(hostile):
    from driftkit.gate.reports.markdown import _code

    for text in ("a`b", "`", "``x`", "a``b`", "a|b"):
        span = _code(text)
        fence = span[: len(span) - len(span.lstrip("`"))]
        inside = span[len(fence) : -len(fence)]
        assert fence not in inside
        assert span.endswith(fence)


def test_golden(worked, golden):
    golden(markdown([worked]), "verdict.md")
