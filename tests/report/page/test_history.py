"""The page of a history: what it says, and in a real browser, opened from disk."""

import re

import pytest
from small_weeks import RULES, SIZES, audit_of

import driftkit as dk
from driftkit.errors import OutputError
from driftkit.report.page.history import history_page

WIDE, NARROW = {"width": 1300, "height": 900}, {"width": 360, "height": 740}

pytest.importorskip("altair", reason="altair is not installed")


@pytest.fixture(scope="module")
def history():
    """Ten weeks; the seventh is damaged, and the last one lacks a measure."""
    weeks = [
        audit_of(at, size, measures=["jaccard"] if at < len(SIZES) else [])
        for at, size in enumerate(SIZES, 1)
    ]
    return dk.history(weeks, [*RULES[:1], "link != broken", "jaccard mean >= 0.1"])


@pytest.fixture(scope="module")
def page(history):
    return history_page(history.to_dict(), history.explained)


@pytest.fixture(scope="module")
def report(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "history.html"
    path.write_text(page, encoding="utf-8")
    return path


def test_the_page_runs_no_script_and_loads_nothing(page):
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)


def test_a_gap_has_its_reason_and_is_not_called_passed(report, visit):
    opened = visit(report)
    section = opened.locator("details").filter(has_text="jaccard")
    assert section.get_attribute("open") is not None
    assert "not decided" in section.locator("summary").inner_text()
    assert "its audit does not have it" in section.locator("tbody").inner_text()
    assert section.locator("svg:visible text", has_text="?").count() == 1


def test_what_does_not_hold_comes_first_and_links_to_its_chart(report, visit, history):
    opened = visit(report)
    assert history.headline in " ".join(opened.locator(".lead").inner_text().split())
    first = opened.locator("#verdict tbody tr").first
    assert "jaccard" in first.inner_text()
    opened.locator("#verdict tbody a").last.click()
    chart = opened.locator("details:has(:target)")
    assert chart.get_attribute("open") is not None  # a link opens what it leads to
    damaged = opened.locator("#runs tbody tr").nth(3)
    assert "week-7.pt" in damaged.inner_text()
    assert "failed" in damaged.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_to_object_to(report, visit, scheme, viewport):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    opened = visit(report, color_scheme=scheme, viewport=viewport)
    opened.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert opened.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    found = axe.Axe().run(opened)
    assert found.violations_count == 0, found.generate_report()


def test_a_place_that_cannot_be_written_to_is_refused(history, tmp_path):
    with pytest.raises(OutputError):
        history.to_html(tmp_path / "nowhere" / "history.html")
