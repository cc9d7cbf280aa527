"""The report as a file: what it holds, what it does not, and what it refuses."""

import json
import re
import shlex
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from strangers import SEEN_BY_NOBODY

import driftkit as dk
from driftkit.errors import MissingExtraError, OptionError, OutputError
from driftkit.escaping import printable
from driftkit.report.page.build import page_of, write_page
from driftkit.report.page.figures import inline_svg, narrowed
from driftkit.report.page.listed import listed_words, which
from driftkit.report.page.sections import next_steps


class Read(HTMLParser):
    """The elements of a page, its text, and the text of its scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.raw, self._inside = [], "", {}, None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self._inside = (tag, dict(attributes).get("id"))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data):
        if self._inside is None:
            self.text += data
        else:
            self.raw.setdefault(self._inside, []).append(data)

    @property
    def data(self):
        return json.loads("".join(self.raw["script", "data"]))


@pytest.fixture(scope="module")
def page(late):
    return page_of([late])


def test_the_page_says_what_the_audit_says(page, late):
    text = " ".join(Read(page).text.split())
    decided = late.headline.partition(": ")[2]
    assert f"{decided[:1].upper()}{decided[1:]}" in text
    for finding in late.findings:
        assert finding.sentence[1:] in text
    for change in late.scores:
        assert f"{change.name} {change.measure}" in text
        assert (
            f"{len(change.items.broken(change.n_used)):,} of {change.n_used:,} items fell" in text
        )


def test_nothing_comes_from_elsewhere_and_no_other_script_may_run(page):
    read = Read(page)
    policy = next(
        values["content"]
        for tag, values in read.elements
        if values.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    for tag, values in read.elements:
        assert not [name for name in values if name.startswith("on") or name == "style"], tag
        for name in ("href", "src", "action", "xlink:href"):
            assert values.get(name, "#").startswith(("#", "data:,")), (tag, values)
    code = page.replace(json.dumps("http://www.w3.org/2000/svg"), "")
    assert not re.findall(r"@import|url\((?!#)|https?://(?!www\.w3\.org)", code)


def test_each_word_has_its_neighbors_and_numbers(page, late):
    data = Read(page).data
    (checkpoint,) = data["checkpoints"]
    kinds = {"int8": np.int8, "int16": np.int16, "uint16": np.uint16}

    def column(name):
        import base64

        packed = checkpoint["words"][name]
        return np.frombuffer(base64.b64decode(packed["data"]), kinds[packed["type"]])

    assert data["listed"] == len(late.pair)  # 3,000 words, which a page holds
    names, k = data["strings"], data["k"]
    after = column("after").reshape(-1, k)
    cosines = column("after_cosine").reshape(-1, k)
    for word in ("good", "bad", "war"):
        at = names.index(word)
        shift = late.shifts[word]
        assert [names[place] for place in after[at]] == [name for name, _ in shift.after]
        assert cosines[at] / 100 == pytest.approx([cosine for _, cosine in shift.after], abs=0.005)
        assert column("overlap")[at] == round(1000 * shift.overlap)
        assert column("moved")[at] == late.pair.moved[late.pair.index[word]]


def test_what_is_not_listed_is_told(audits, late):
    few = listed_words([late], [()], 100)
    assert len(few) == 100
    broken = {
        word for change in late.scores for item in change.items.broken(20) for word in item["words"]
    }
    assert broken & set(late.shifts.words) <= set(few)
    said = which([late], few)
    assert said.startswith("100 of 3,000 shared words are listed: ")
    assert said.endswith("Of the others this page holds no neighbors.")
    assert "100 of 3,000 shared words are listed: " in page_of([late], words=100)
    assert which([late], late.pair.words) == "Every row is listed: 3,000 shared words."
    assert which([late], []) == "None of 3,000 shared words is listed, as none was asked for."
    of_three = listed_words(audits, [(), (), ()], 300)
    assert len(set(of_three)) == len(of_three) == 300


def test_a_page_without_words_still_says_the_rest(late):
    page = page_of([late], words=0)
    assert Read(page).data["listed"] == 0
    assert late.headline.partition(": ")[2][1:] in Read(page).text


@pytest.mark.slow
def test_ten_thousand_words_take_less_than_three_megabytes(glove, tmp_path):
    words, before = glove.words[:12_000], glove.matrix[:12_000]
    after = before.copy()
    after[::2] += np.random.default_rng(0).normal(0, 0.5, after[::2].shape).astype(np.float32)
    pair = dk.align(dk.Embeddings(words, before), dk.Embeddings(words, after))
    dk.audit(pair, ["ws353"], resamples=100).to_html(tmp_path / "audit.html")
    assert Read((tmp_path / "audit.html").read_text("utf-8")).data["listed"] == 10_000
    assert (tmp_path / "audit.html").stat().st_size < 3_000_000


def test_what_strangers_wrote_is_text(strange, strange_names):
    page = page_of([strange])
    assert not SEEN_BY_NOBODY.search(page)
    read = Read(page)
    assert [tag for tag, _ in read.elements].count("script") == 3
    assert not {"img", "i"} & {tag for tag, _ in read.elements}
    shown = read.data["strings"][: read.data["listed"]]
    assert len(set(shown)) == len(shown)
    assert {printable(name) for name in strange_names} <= set(shown)
    assert read.data["texts"][str(shown.index(strange_names[0]))] == "<i>a text</i> behind the id"
    assert "<b>before</b>" in read.text


def test_a_text_stands_beside_an_id_that_the_page_names(strange):
    first = strange.most_shifted(1, moved=True)[0].word
    page = page_of(
        [replace(strange, texts={first: "green <b>tea</b>, the very best " * 9})], words=9
    )
    assert "green &lt;b&gt;tea&lt;/b&gt;, the very best green &lt;b…</bdi></a>" in page


def test_several_checkpoints_share_what_they_have_in_common(audits):
    read = Read(page_of(audits))
    first, *others = read.data["checkpoints"]
    assert [each["name"] for each in (first, *others)] == ["early.pt", "middle.pt", "late.pt"]
    assert all(each["words"]["before"] is None for each in others)
    assert all(each["map"]["before"] is None for each in others)
    assert first["words"]["before"] is not None
    text = " ".join(read.text.split())
    for found in audits:
        assert found.headline.partition(": ")[2][1:] in text


def test_the_link_stands_in_the_page_if_it_is_given(late):
    link = dk.link(late.pair)
    cut = dk.translate_threshold(late.pair, 0.6, candidates=500)
    page = page_of([late], links=[link], thresholds=[[cut]], words=10)
    assert link.headline in Read(page).text
    ends = f"<td>{cut.low:.3f} to {cut.high:.3f}</td>"
    assert f'<th scope="row">0.6</th><td>{cut.tuned:.3f}</td>{ends}' in page
    assert "What a map restores" in page
    assert "What a map restores" not in page_of([late], words=0)


def test_a_link_of_another_pair_is_refused(audits, tmp_path):
    early, _, late = audits
    link = dk.link(early.pair)
    with pytest.raises(OptionError, match="link was given of another pair"):
        late.to_html(tmp_path / "audit.html", link=link)
    cut = dk.translate_threshold(late.pair, 0.6, candidates=500)
    with pytest.raises(OptionError, match="thresholds were given without a link"):
        late.to_html(tmp_path / "audit.html", thresholds=[cut])
    with pytest.raises(OptionError, match="words=-1"):
        late.to_html(tmp_path / "audit.html", words=-1)
    assert not list(tmp_path.iterdir())


def test_audits_of_several_depths_are_no_page(late):
    shallow = dk.audit(late.pair, ["ws353"], resamples=100, k=5)
    with pytest.raises(OptionError, match="audits of several depths"):
        page_of([late, shallow])


def test_a_page_is_written_whole_or_not_at_all(late, tmp_path, monkeypatch):
    path = tmp_path / "audit.html"
    path.write_text("what was there")
    with pytest.raises(OutputError, match="does not exist"):
        late.to_html(tmp_path / "none" / "audit.html")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"a report needs jinja2.*'driftkit\[report\]'"):
        late.to_html(path)
    assert path.read_text() == "what was there"
    assert [each.name for each in tmp_path.iterdir()] == ["audit.html"]


@pytest.mark.parametrize(
    ("module", "package"), [("altair", "altair"), ("vl_convert", "vl-convert")]
)
def test_an_absent_library_is_named(late, tmp_path, monkeypatch, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=package):
        write_page(tmp_path / "audit.html", [late], words=10)
    assert not list(tmp_path.iterdir())


def test_tables_of_two_widths_have_a_page_without_a_map(late):
    narrow = dk.Embeddings(late.pair.words, np.array(late.pair.after[:, :30]))
    found = dk.audit(dk.align(late.pair.original, narrow), ["ws353"], resamples=100)
    read = Read(page_of([found], words=50))
    assert "have no axis in common" in read.data["checkpoints"][0]["map"]["reason"]
    assert "Not measured: 50 against 30 dimensions" in read.text


def test_rows_that_were_all_zero_have_a_page(late):
    zero = dk.Embeddings(late.pair.words, np.zeros_like(late.pair.before))
    found = dk.audit(dk.align(zero, late.pair.tuned), [], resamples=100)
    assert "No original item has a direction" in Read(page_of([found], words=50)).text


def test_a_table_of_which_nothing_moved_has_a_page(late):
    found = dk.audit(dk.align(late.pair.original, late.pair.original), ["ws353"], resamples=100)
    text = " ".join(Read(page_of([found], words=50)).text.split())
    assert "Find out whether the right file was exported" in text
    assert "Nothing moved" in text


def test_a_drawing_keeps_only_what_draws():
    drawn = inline_svg(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" onload="x()" style="color:red">'
        '<script>x()</script><a href="http://x.example"><rect/></a><g><text fill="#1f2328" '
        'aria-label="&lt;b&gt;">a &lt;b&gt;</text></g>'
        '<path d="M0.123456,1" stroke="#D97706"/></svg>',
        'a "chart" of <b>',
    )
    assert drawn == (
        '<svg width="9" role="img" aria-label="a &quot;chart&quot; of &lt;b&gt;">'
        '<text fill="var(--text)">a &lt;b&gt;</text>'
        '<path d="M0.1,1" stroke="var(--tuned)"></path></svg>'
    )


def test_a_narrow_chart_has_its_parts_below_each_other():
    spec = {"hconcat": [{"width": 600, "data": {"values": [{"width": 600}]}}, {"width": 100}]}
    assert narrowed(spec) == {
        "vconcat": [{"width": 250, "data": {"values": [{"width": 600}]}}, {"width": 100}]
    }


def test_commands_name_the_tables_as_they_were_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("before.npy", "my 'tuned' table.npy"):
        np.save(name, rng.normal(size=(40, 4)))
    words = [f"w{row}" for row in range(40)]
    tables = [dk.load(each, vocab=words) for each in ("before.npy", "my 'tuned' table.npy")]
    in_memory = [dk.Embeddings(words, table.matrix) for table in tables]

    def commands(pair):
        steps = next_steps(dk.audit(dk.align(*pair), [], k=3))
        return [shlex.split(command) for _, command in steps if command]

    typed = commands(tables)
    assert ["driftkit", "link", "before.npy", "my 'tuned' table.npy"] in typed
    assert all(command[2:4] == ["before.npy", "my 'tuned' table.npy"] for command in typed)
    assert all(command[2:4] == ["ORIGINAL", "TUNED"] for command in commands(in_memory))
