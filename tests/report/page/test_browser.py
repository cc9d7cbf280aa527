"""The report in a real browser, opened from disk, without a network."""

import re
from urllib.parse import quote

import pytest

import driftkit as dk
from driftkit.escaping import printable
from driftkit.report.page.build import write_page

WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def report(audits, tmp_path_factory):
    """The report of three checkpoints, with the link of the last."""
    path = tmp_path_factory.mktemp("report") / "audit.html"
    link = dk.link(audits[-1].pair)
    cut = dk.translate_threshold(audits[-1].pair, 0.6, candidates=500)
    write_page(path, audits, links=[None, None, link], thresholds=[[], [], [cut]])
    return path


@pytest.fixture(scope="module")
def strange_report(strange, tmp_path_factory):
    path = tmp_path_factory.mktemp("strange") / "audit.html"
    strange.to_html(path)
    return path


def require_open(page, name):
    """Wait until a word is opened."""
    page.wait_for_function(
        "(name) => document.querySelector('#word h3').textContent === name", arg=name
    )


def opened(page):
    return page.locator("#word h3").text_content()


def listed(page):
    return page.locator("#list tbody th").all_inner_texts()


# --- words ----------------------------------------------------------------------------------------


def test_a_word_is_searched_opened_and_its_neighbors_followed(report, visit, late):
    page = visit(report, "#checkpoint=3")
    page.get_by_role("searchbox").fill("goo")
    page.locator("#list").get_by_role("link", name="good", exact=True).click()
    require_open(page, "good")
    shift = late.shifts["good"]
    sides = page.locator("#word ol")
    for side, neighbors in zip(sides.all(), (shift.before, shift.after), strict=True):
        assert side.locator("a").all_inner_texts() == [name for name, _ in neighbors]
    for sign, names in (("lost", shift.lost), ("gained", shift.gained)):
        told = page.locator("#word li").filter(has_text=sign)
        assert told.locator("a").all_inner_texts() == list(names)
    first = shift.after[0][0]
    sides.nth(1).get_by_role("link", name=first, exact=True).click()
    require_open(page, first)
    page.go_back()
    require_open(page, "good")


def test_an_address_opens_its_word_and_checkpoint(report, visit):
    page = visit(report, "#word=war&checkpoint=2")
    require_open(page, "war")
    assert page.get_by_role("radio", name="middle.pt").is_checked()
    page.reload()
    require_open(page, "war")
    page.evaluate("location.hash = '#word=notthere'")
    assert "This page does not list it" in page.locator("#word").inner_text()


def test_the_list_is_sorted_and_filtered(report, visit, late):
    page = visit(report, "#checkpoint=3")
    expected = [shift.word for shift in late.most_shifted(3_000, moved=True)]
    page.get_by_label("Moved", exact=True).select_option("moved")
    page.get_by_label("overlap@10", exact=True).select_option("999")
    assert page.locator("#count").inner_text() == f"{len(expected)} of 3,000 words"
    assert listed(page) == expected[:50]
    page.get_by_role("button", name="Show more").click()
    assert listed(page) == expected[:150]
    page.get_by_role("button", name="row", exact=True).click()
    place = late.pair.index
    assert listed(page) == sorted(expected, key=place.__getitem__)[:50]
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("row")
    page.get_by_role("button", name="row", exact=True).click()
    assert listed(page) == sorted(expected, key=place.__getitem__, reverse=True)[:50]
    page.get_by_label("Row up to").fill("500")
    page.get_by_role("button", name="row", exact=True).click()
    assert listed(page) == [
        word for word in sorted(expected, key=place.__getitem__) if place[word] < 500
    ]
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#count").inner_text() == "3,000 of 3,000 words"


def test_a_direction_of_the_drift_shows_the_words_that_went_there(report, visit):
    page = visit(report, "#checkpoint=3")
    page.locator("[data-way]:visible").first.click()
    found = int(page.locator("#count").inner_text().split()[0])
    assert page.get_by_label("Went", exact=True).input_value() == "1"
    assert 0 < found < 150


def test_a_checkpoint_is_switched_for_the_whole_page(report, visit, audits):
    page = visit(report, "#word=war")
    for found in audits:
        name = found.pair.tuned.source.name
        page.get_by_role("radio", name=name).check()
        shown = page.locator(".verdict:visible")
        assert shown.count() == 1
        assert found.headline.partition(": ")[2][1:] in shown.inner_text()
        assert f"overlap@10 {found.shifts['war'].overlap:.2f}" in page.locator("#word").inner_text()
    page.locator("#word table").get_by_role("link", name="early.pt").click()
    assert page.get_by_role("radio", name="early.pt").is_checked()


# --- the map --------------------------------------------------------------------------------------


def test_an_area_of_the_map_selects_its_words(report, visit):
    page = visit(report, "#checkpoint=3")
    plane = page.locator("#plane")
    plane.scroll_into_view_if_needed()
    box = plane.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 60, steps=3)
    page.mouse.up()
    found = int(page.locator("#count").inner_text().split()[0].replace(",", ""))
    assert 0 < found < 3_000
    assert f"{found} words in the area" in page.locator("#chosen").inner_text()
    page.get_by_role("button", name="Leave the area").click()
    assert page.locator("#count").inner_text() == "3,000 of 3,000 words"
    page.mouse.click(*middle)
    assert "#word=" not in page.url or opened(page)


def test_the_map_is_drawn_with_what_is_before_and_after(report, visit):
    page = visit(report, "#word=good&checkpoint=3")
    seen = page.evaluate(
        """() => {
            const {width, height} = plane;
            const dots = plane.getContext("2d").getImageData(0, 0, width, height).data;
            let found = 0;
            for (let at = 3; at < dots.length; at += 4) found += dots[at] > 0;
            return found;
        }"""
    )
    assert seen > 2_000


# --- people and their machines --------------------------------------------------------------------


def test_all_of_it_can_be_done_by_keys(report, visit):
    page = visit(report)

    def tab_to(selector):
        for _ in range(120):
            page.keyboard.press("Tab")
            if page.evaluate("(it) => document.activeElement.matches(it)", selector):
                return
        raise AssertionError(f"no Tab leads to {selector}")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the verdict"
    tab_to("input[name=checkpoint]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("radio", name="late.pt").is_checked()
    tab_to(".strip button")
    page.keyboard.press("Enter")
    assert page.locator(".evidence:visible h3").inner_text().startswith("Are these the two tables")
    tab_to("summary")
    page.keyboard.press("Enter")
    assert page.locator("details[open]:visible").count() == 1
    tab_to("#query")
    page.keyboard.type("war")
    page.keyboard.press("Enter")
    require_open(page, "war")
    assert page.evaluate("document.activeElement.textContent") == "war"
    tab_to("#word a")
    followed = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    require_open(page, followed)
    tab_to("#plane")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("-")
    assert "words in the area" in page.locator("#chosen").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(name) => document.querySelector('#word h3').textContent !== name", arg=followed
    )
    page.locator("#plane").focus()
    page.keyboard.press("Escape")
    assert page.locator("#chosen").inner_text() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_to_object_to(report, visit, scheme, viewport):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    page = visit(report, "#word=war&checkpoint=3", color_scheme=scheme, viewport=viewport)
    page.locator(".strip button:visible").nth(2).click()
    page.locator("summary:visible").first.click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_phone_needs_no_scrolling_sideways(report, strange_report, visit):
    for path in (report, strange_report):
        page = visit(path, viewport=NARROW, has_touch=True)
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
        page.locator("#list tbody a").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
        page.locator("#plane").tap()


def test_paper_shows_the_evidence_that_a_screen_opens(report, visit):
    page = visit(report)
    assert page.locator(".evidence:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".evidence:visible").count() == 6
    assert page.locator("header").is_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:visible").count() == page.locator("details[open]:visible").count()


def test_without_javascript_all_but_the_words_and_the_map_is_there(report, visit, audits):
    page = visit(report, java_script_enabled=False)
    text = page.locator("main").inner_text()
    for found in audits:
        assert found.headline.partition(": ")[2][1:] in text
    assert page.locator(".evidence:visible").count() == 18
    assert "need JavaScript" in text


# --- strangers ------------------------------------------------------------------------------------


def test_every_name_opens_as_text(strange_report, visit, strange_names):
    page = visit(strange_report)
    for name in strange_names:
        shown = printable(name)
        page.evaluate("(to) => { location.hash = to }", f"#word={quote(shown, safe='')}")
        require_open(page, shown)
        page.get_by_role("searchbox").fill(shown)
        assert shown in page.locator("#list tbody th bdi").all_text_contents()
    assert page.title() != "taken"
    assert page.locator("script").count() == 3
    assert page.locator("img, main svg[onload], #words svg").count() == 0


def test_a_text_stands_beside_its_id(strange_report, visit):
    page = visit(strange_report)
    page.get_by_role("searchbox").fill("behind the id")
    page.locator("#list tbody a").first.click()
    assert page.locator("#word .text").inner_text() == "<i>a text</i> behind the id"
    page.get_by_role("searchbox").fill("item 3")
    page.locator("#list tbody a").first.click()
    assert re.fullmatch(r"(a kettle ){20,}.*…", page.locator("#word .text").inner_text())


# --- what a reader asks ---------------------------------------------------------------------------


def under(title):
    """What stands under one of the titles of the verdict."""
    return f"#verdict div:visible > h3:has-text('{title}') ~ *"


def answers(late):
    """Each question of a first reader, where the page answers it, and what it must say there."""
    words = [shift.word for shift in late.most_shifted(8, moved=True)]
    google = late.scores["google"]
    worst = google.items.broken(1)[0]
    of_google = "details:visible:has(.name:has-text('google'))"
    return {
        "may this ship?": (".verdict:visible h2", "Do not ship"),
        "why not?": (".verdict:visible .lead", "ost google (0."),
        "what do I do now?": (under("What to do"), "driftkit restore ORIGINAL TUNED"),
        "which tables were these?": (under("What was compared"), "late.pt"),
        "what was not looked at?": (under("What was not looked at"), "the task it was tuned for"),
        "which words changed most?": (".shifted:visible >> nth=0", ", ".join(words)),
        "which did so though they did not move?": (".shifted:visible >> nth=1", "did not move"),
        "what was lost?": (f"{of_google} .status", "lost"),
        "by how much?": (f"{of_google} .delta", f"{google.delta:+.3f}"),
        "what broke?": (f"{of_google} .broke", worst["words"][0]),
        "is it chance?": ("#chance li:visible >> nth=2", "google changed by"),
        "what would two random lists share?": ("#chance li:visible >> nth=0", "0.0033 of them"),
        "where did words go?": (".ways:visible", "to words like"),
        "would the old index do?": ("#link [data-checkpoint]:visible .lead", "The link is broken"),
        "would a map help?": ("#link [data-checkpoint]:visible", "What a map restores"),
        "which cut-off now?": ("#link [data-checkpoint]:visible", "use now"),
        "was it better earlier?": ("#verdict .halves table", "google, 3cosadd@1"),
    }


def test_a_first_reader_finds_the_answers(report, visit, late):
    page = visit(report, "#checkpoint=3")
    for summary in page.locator("summary:visible").all():
        summary.click()
    for question, (place, answer) in answers(late).items():
        found = page.locator(place)
        assert answer in " ".join(found.all_inner_texts()), question
