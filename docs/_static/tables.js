// On a narrow screen a table of text becomes a card for each row (driftkit.css), where each cell is
// named after its column. A table that fits stays one, and so does a wide grid of numbers.
const MOST_COLUMNS = 6;

function name(table, names) {
  for (const row of table.tBodies[0]?.rows ?? [])
    for (const [column, cell] of [...row.cells].entries())
      if (names[column] && names.length > 2) cell.dataset.column = names[column];
}

function fit() {
  for (const table of document.querySelectorAll(".bd-article table[data-columns]")) {
    table.classList.remove("cards");
    table.style.width = "max-content"; // as wide as it would be if nothing wrapped
    const fits = table.offsetWidth <= table.parentElement.clientWidth;
    table.style.width = "";
    table.classList.toggle("cards", !fits);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table")) {
    const heads = [...(table.tHead?.rows ?? [])].at(-1)?.cells ?? [];
    const names = [...heads].map((head) => head.innerText.trim());
    table.classList.toggle("wide", names.length > 10);
    if (names.length < 2 || names.length > MOST_COLUMNS) continue;
    table.dataset.columns = names.length;
    name(table, names);
  }
  fit();
  addEventListener("resize", fit);
});
