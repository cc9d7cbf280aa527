// Names each cell after its column, so that a narrow screen can show a row as a card (driftkit.css).
// Grids of many numbers stay grids.
const MOST_COLUMNS = 6;
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table")) {
    const heads = [...(table.tHead?.rows ?? [])].at(-1)?.cells ?? [];
    const names = [...heads].map((head) => head.innerText.trim());
    table.classList.toggle("wide", names.length > 10);
    if (names.length < 2 || names.length > MOST_COLUMNS) continue;
    table.classList.add("cards");
    for (const row of table.tBodies[0]?.rows ?? [])
      for (const [column, cell] of [...row.cells].entries())
        if (names[column] && names.length > 2) cell.dataset.column = names[column];
  }
});
