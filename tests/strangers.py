"""Words that a stranger can put into a vocabulary, a file's name or a tensor's, and what obeys."""

import re

WORDS = [
    # What a runner obeys: GitHub, Azure, GitLab, TeamCity.
    "::error file=app.js,line=1::x", "::stop-commands::t", "::add-mask::e",
    "::set-output name=a::b",
    "##[command]rm", "##[group]g", "##vso[task.setvariable variable=a]b", "###[error]x",
    "##teamcity[testFailed name='a']", "section_start:1:a\r\x1b[0K", "\x1b[0Ksection_end:1:a",
    "good\n::error::x", "good\r::error::x", "good\x0b::error::x", "good\u2028::error::x",
    "good\x85::warning::x", "\u00a0::notice::x", " ::notice::y", "a ::error::z ::error::z",
    # What a terminal obeys.
    "\x1b[31mred\x1b]52;c;aGk=\x07", "\x9b2J", "\x1b[2J\x1b[H", "a\bb", "a\x7fb", "nul\x00nul",
    "\x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "tab\tstop", "\x0c",
    # What cannot be seen, or is seen elsewhere.
    "caf\u202eabc", "\u2066caf\u2069", "caf\u200f", "caf\u061cabc", "caf\u200bé", "caf\u2060",
    "caf\ufeff", "ca\u00adfé", "caf\u034f", "caf\u00a0", "caf\u3000", "caf\u3164", "caf\u2800",
    "caf\ufe0f", "caf\U000e0101", "caf\U000e0041", "caf\ue000", "caf\U0010fffd", "caf\u180e",
    "caf\u200d", "a\u200cb", "\ud800", "caf\udcff", "caf\uffff", "\u200b", "z" + "\u0301" * 60,
    # What Markdown, HTML, XML and forges act on.
    "[bold]b[/bold]", ":smile:", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "<!--", "-->", "]]>", "&amp;", "&#x3c;b>", "`", "``", "a`b|c", "|", "\\|", "\\|<b>x</b>",
    "[link](javascript:alert(1))", "![i](http://x.example/i)",
    "https://x.example/a", "www.x.example",
    "<https://x.example>", "a@x.example", "@octocat", "#123", "GH-1", "octocat/repo#1", "**bold**",
    "_em_", "~~gone~~", "$x^2$", "# head", "- item", "1. one", "> quote", "---", "===", "[x]: y",
    "</details>", "</code>", "\\", "\\`", "'\"", "%0A::error::x", "%25",
    # What a spreadsheet acts on, and what only is long.
    "=1+1", "=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "x" * 5_000, "a " * 5_000, "\u6f22" * 999,
]  # fmt: skip

HONEST = [
    "café", "naïve", "Straße", "Größe", "مرحبا", "می‌خواهم", "שלום", "שָׁלוֹם", "क्‍ष", "हिन्दी", "র‍্য",
    "ไทย", "กรุงเทพ", "日本語", "한국어", "Việt", "Tiếng", "👩‍💻", "👨‍👩‍👧",
    "👍🏽", "##ing", "Ġthe", "▁the",
    "PATH::KEY", "c++", "#", "##", "::", "a::b", "1,000", "$5", "don't",
]  # fmt: skip

_COLOR = r"\x1b\[[\d;]*m"
OBEYED = re.compile(rf"^(?:\s|{_COLOR})*::.|##[\w.]*\[", re.MULTILINE)
"""Lines that a runner of builds takes for a command."""

SEEN_BY_NOBODY = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u1160\u180b-\u180e\u200b\u200e\u200f\u2028-\u202f"
    "\u2060-\u206f\u2800\u3000\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffff"
    "\U000e0000-\U000e01ef\U000f0000-\U0010ffff]"
)
"""Characters that must be shown; joiners may be part of how a word is written."""


def require_harmless(text, ours=None):
    """Refuse characters that nobody sees, and lines that a runner obeys but those like `ours`."""
    text.encode("utf-8")
    plain = re.sub(_COLOR, "", text)
    found = SEEN_BY_NOBODY.search(plain)
    assert not found, (found, plain[max(found.start() - 60, 0) : found.end() + 60])
    left = "\n".join(x for x in text.split("\n") if ours is None or not ours.fullmatch(x))
    found = OBEYED.search(left)
    assert not found, found and left[found.start() : found.start() + 100]
