"""Pages of the built documentation in a browser: nothing is cut off, on a desk or in a hand."""

from pathlib import Path

import pytest

HTML = Path(__file__).parent.parent / "docs" / "_build" / "html"
INDEXES = ("genindex", "py-modindex", "search", "sample-report")
"""Pages that Sphinx makes by itself, and the report, which has tests of its own."""

CUT = """() => {
  const width = document.documentElement.clientWidth;
  const found = document.documentElement.scrollWidth > width ? ["the page is too wide"] : [];
  const scrolls = (node) => node && node !== document.body
    && (/auto|scroll/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  const begins = (node) => node.textContent.trim().slice(0, 40);
  for (const node of document.querySelectorAll(".bd-article *")) {
    const {width: own, right} = node.getBoundingClientRect();
    if (own && right > width + 1 && !scrolls(node.parentElement))
      found.push(`${node.tagName} ends at ${Math.round(right)}: ${begins(node)}`);
  }
  for (const table of document.querySelectorAll(".bd-article table")) {
    const columns = table.tHead?.rows[0]?.cells.length ?? 0;
    if (table.scrollWidth > table.parentElement.clientWidth + 1 && (width > 1000 || columns <= 6))
      found.push(`a table is cut: ${begins(table)}`);
  }
  for (const side of document.querySelectorAll(".bd-sidebar-primary, .bd-sidebar-secondary"))
    if (side.checkVisibility({visibilityProperty: true}) && side.getBoundingClientRect().width
        && !side.innerText.trim()) found.push("a sidebar is empty");
  return found;
}"""
"""What a reader cannot see at the width of the window. In a hand, grids of numbers may scroll."""


@pytest.fixture(scope="module")
def built():
    """The folder of the pages, which `make docs` makes."""
    if not (HTML / "index.html").exists():
        pytest.skip("the documentation is not built: make docs")
    return HTML


@pytest.mark.slow
@pytest.mark.parametrize("width", [1300, 360])
def test_nothing_is_cut_off(built, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    files = [file for room in (".", "*") for file in built.glob(f"{room}/*.html")]
    files = [file for file in files if file.stem not in INDEXES]
    found = {}
    for file in files:
        page.goto(file.as_uri())
        if cut := page.evaluate(CUT):
            found[file.relative_to(built).as_posix()] = cut
    assert not found
    assert len(files) > 50


@pytest.mark.slow
def test_the_front_page_is_one_screen(built, browser):
    """What it is, how it is installed, a verdict, the map, and where to go, without scrolling."""
    page = browser.new_page(viewport={"width": 1300, "height": 900}, color_scheme="light")
    page.goto((built / "index.html").as_uri())
    seen = [page.get_by_text(text).first for text in ("pip install", "Do not ship", "In CI")]
    for each in (*seen, page.locator("img.only-light")):
        box = each.bounding_box()
        assert box["y"] + box["height"] <= 900, each
    assert page.locator("img.only-light").evaluate("(image) => image.naturalWidth") > 0
