"""Pages of the built documentation in a browser: nothing is cut off, on a desk or in a hand."""

import shutil
from pathlib import Path

import pytest

HTML = Path(__file__).parent.parent / "docs" / "_build" / "html"

CUT = """() => {
  const width = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
  const scrolls = (node) => node && node !== document.body
    && (["auto", "scroll"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  for (const node of document.querySelectorAll(".bd-article *")) {
    const box = node.getBoundingClientRect();
    if (box.width && box.right > width + 1 && !scrolls(node.parentElement))
      found.push(`${node.tagName} ends at ${Math.round(box.right)}: ${node.textContent.slice(0, 40)}`);
  }
  for (const table of document.querySelectorAll(".bd-article table")) {
    const room = table.parentElement;
    const few = table.tHead?.rows[0]?.cells.length <= 6;
    if (table.scrollWidth > room.clientWidth + 1 && (width > 1000 || few))
      found.push(`a table is cut: ${table.textContent.trim().slice(0, 40)}`);
  }
  for (const side of document.querySelectorAll(".bd-sidebar-primary, .bd-sidebar-secondary"))
    if (side.getBoundingClientRect().width && side.checkVisibility({visibilityProperty: true})
        && !side.innerText.trim()) found.push("a sidebar is empty");
  return found;
}"""
"""What a reader cannot see at the width of the window."""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    if not (HTML / "index.html").exists():
        pytest.skip("the documentation is not built: make docs")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1300, 360])
def test_nothing_is_cut_off(browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    pages = [file for room in (".", "*") for file in HTML.glob(f"{room}/*.html")]
    read = [file for file in pages if not file.name.startswith(("search", "genindex", "py-", "sample"))]
    found = {}
    for file in read:
        page.goto(file.as_uri())
        if cut := page.evaluate(CUT):
            found[file.relative_to(HTML).as_posix()] = cut
    assert not found
    assert len(read) > 50


@pytest.mark.slow
def test_the_front_page_is_one_screen(browser):
    """What it is, how it is installed, a verdict, the map, and where to go, without scrolling."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.goto((HTML / "index.html").as_uri())
    for shown in ("pip install", "Do not ship", "Audit a checkpoint", "In CI"):
        box = page.get_by_text(shown).first.bounding_box()
        assert box["y"] + box["height"] <= 900, shown
    image = page.locator("img.only-light")
    assert image.evaluate("(image) => image.naturalWidth") > 0
    assert image.bounding_box()["y"] + image.bounding_box()["height"] <= 900
