// The words and the map of the page. All else stands in the page already.
// Names come from strangers: they enter the page as text nodes only, never as markup.
"use strict";
{
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const { strings, listed, k, noun, place, causes, checkpoints } = data; // `causes` are sentences
const narrow = matchMedia("(max-width: 62rem)");

// --- data ---------------------------------------------------------------------------------------

const KINDS = {
  int8: Int8Array, int16: Int16Array, int32: Int32Array, uint16: Uint16Array, uint32: Uint32Array,
};
const UNKNOWN = { int8: -(2 ** 7), int16: -(2 ** 15), int32: -(2 ** 31) };

function unpacked({ type, data: text }) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const numbers = new KINDS[type](bytes.buffer);
  if (!(type in UNKNOWN)) return numbers; // places in the table of strings
  return Array.from(numbers, (number) => (number === UNKNOWN[type] ? null : number));
}

for (const each of checkpoints) {
  for (const part of ["words", "map"]) {
    const first = checkpoints[0][part]; // what equals the first is not written again
    for (const [name, given] of Object.entries(each[part])) {
      if (given === null) each[part][name] = first[name];
      else if (given.data !== undefined) each[part][name] = unpacked(given);
    }
  }
}

function neighbors(checkpoint, word, side) {
  const { words } = checkpoint;
  const found = [];
  for (let at = word * k; at < (word + 1) * k; at++) {
    const place = words[side][at];
    if (place < strings.length) found.push({ place, cosine: words[`${side}_cosine`][at] / 100 });
  }
  return found;
}

function shift(checkpoint, word) {
  const before = neighbors(checkpoint, word, "before");
  const after = neighbors(checkpoint, word, "after");
  const had = new Set(before.map((each) => each.place));
  const has = new Set(after.map((each) => each.place));
  return {
    before, after, had, has,
    lost: before.filter((each) => !has.has(each.place)),
    gained: after.filter((each) => !had.has(each.place)),
  };
}

const decimal = (thousandths) =>
  thousandths === null ? "-" : (thousandths / 1000).toFixed(3).replace(/^-(0\.0+)$/, "$1");
const LARGEST = 2 ** 31 - 1; // what was larger is stored as this
const times = (thousandths) =>
  thousandths === LARGEST ? `over ${counted(Math.floor(LARGEST / 1000))}` : decimal(thousandths);
const counted = (n) => n.toLocaleString("en-US");

// --- elements -----------------------------------------------------------------------------------

function make(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...inside.filter((each) => each !== null));
  return made;
}

function named(word) {
  return make("bdi", {}, strings[word]);
}

function linked(word) {
  if (word >= listed) return make("span", { title: `not listed on this page` }, named(word));
  return make("a", { class: "word", href: address(word) }, named(word));
}

// --- state --------------------------------------------------------------------------------------

const PAGE = 50; // rows shown at first, and more of at a time
const state = { at: 0, word: null, sort: "overlap", down: false, rows: PAGE, area: null, found: [] };
const now = () => checkpoints[state.at];

function address(word, at = state.at) {
  const which = checkpoints.length > 1 ? `&checkpoint=${at + 1}` : "";
  return `#word=${encodeURIComponent(strings[word])}${which}`;
}

const byName = new Map(strings.slice(0, listed).map((name, word) => [name, word]));

function asked() {
  const parts = {};
  for (const part of location.hash.slice(1).split("&")) {
    const [key, ...value] = part.split("=");
    try {
      parts[key] = decodeURIComponent(value.join("="));
    } catch {
      parts[key] = value.join("=");
    }
  }
  return parts;
}

function follow(isFirst) {
  const { word, checkpoint } = asked();
  const at = Number(checkpoint) - 1;
  if (checkpoints[at] && at !== state.at) choose(at);
  if (word === undefined) return;
  if (byName.has(word)) open(byName.get(word), true);
  else showMissing(word);
  if (isFirst || narrow.matches) $("word").scrollIntoView({ block: "nearest" });
}

// --- which checkpoint ---------------------------------------------------------------------------

function choose(at) {
  state.at = at;
  for (const part of document.querySelectorAll("[data-checkpoint]")) {
    part.classList.toggle("other", Number(part.dataset.checkpoint) !== at);
  }
  for (const input of document.querySelectorAll("input[name=checkpoint]")) {
    input.checked = Number(input.value) === at;
  }
  const way = $("way");
  const chosen = way.value;
  way.replaceChildren(make("option", { value: "" }, "any way"));
  now().ways.forEach(([away, toward], index) => {
    for (const [sign, ends] of [[1, toward], [-1, away]]) {
      const value = String(sign * (index + 1));
      way.append(make("option", { value }, `to ${ends.slice(0, 2).join(", ")}`));
    }
  });
  way.value = chosen;
  if (way.selectedIndex < 0) way.value = "";
  refresh();
  if (state.word !== null) open(state.word);
}

// --- the list -----------------------------------------------------------------------------------

function wanted() {
  const { words } = now();
  const query = $("query").value.trim().toLowerCase();
  const which = $("which").value;
  const kept = $("kept").value === "" ? null : Number($("kept").value);
  const first = $("first").value === "" ? null : Number($("first").value);
  const way = $("way").value === "" ? null : Number($("way").value);
  const found = [];
  for (let word = 0; word < listed; word++) {
    if (words.moved[word] === null) continue;
    if (which !== "all" && words.moved[word] !== (which === "moved" ? 1 : 0)) continue;
    if (kept !== null && (words.overlap[word] === null || words.overlap[word] > kept)) continue;
    if (first !== null && words.place[word] > first) continue;
    if (way !== null && words.direction[word] !== way) continue;
    if (state.area && !state.area.has(word)) continue;
    if (query && match(word, query) === 0) continue;
    found.push(word);
  }
  const order = sorted(words);
  // What is asked for by its whole name, or by its beginning, comes first.
  found.sort((a, b) => (query ? match(b, query) - match(a, query) : 0) || order(a, b));
  return found;
}

function match(word, query) {
  const name = strings[word].toLowerCase();
  if (name === query) return 3;
  if (name.startsWith(query)) return 2;
  return name.includes(query) || (data.texts[word] || "").toLowerCase().includes(query) ? 1 : 0;
}

function sorted(words) {
  const sign = state.down ? -1 : 1;
  if (state.sort === "word") return (a, b) => sign * strings[a].localeCompare(strings[b], "en");
  const values = words[state.sort];
  const ties = state.sort === "overlap" ? words.moved : null; // moved ones first among equals
  return (a, b) =>
    (values[a] === null) - (values[b] === null) ||
    sign * (values[a] - values[b]) ||
    (ties ? ties[b] - ties[a] : 0) ||
    words.place[a] - words.place[b];
}

function refresh() {
  state.found = wanted();
  $("count").value =
    `${counted(state.found.length)} of ${counted(listed)} ${noun}${listed === 1 ? "" : "s"}` +
    (state.area ? " are in the area of the map" : "");
  $("unbrush").hidden = state.area === null;
  for (const head of document.querySelectorAll("#list th[data-sort]")) {
    if (head.dataset.sort === state.sort) {
      head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    } else head.removeAttribute("aria-sort");
  }
  list();
  draw();
}

function list() {
  const shown = state.found.slice(0, state.rows);
  document.querySelector("#list tbody").replaceChildren(...shown.map(row));
  $("more").hidden = state.found.length <= state.rows;
}

function row(word) {
  const { words } = now();
  const { lost, gained } = shift(now(), word);
  const overlap = words.overlap[word];
  const classes = [words.moved[word] ? "moved" : "unmoved", word === state.word ? "open" : ""];
  const text = data.texts[word];
  return make("tr", { class: classes.join(" ").trim(), "data-word": String(word) },
    make("th", { scope: "row", title: text ? `${strings[word]} ${text}` : strings[word] },
      linked(word), text ? make("span", { class: "note" }, ` ${text}`) : null),
    make("td", {}, counted(words.place[word])),
    make("td", {}, overlap === null ? "-" : meter(overlap), decimal(overlap)),
    make("td", {}, words.moved[word] ? decimal(words.self_cosine[word]) : "not moved"),
    make("td", { class: "changes" }, ...few(lost, "minus", "−"), ...few(gained, "plus", "+")));
}

function meter(thousandths) {
  const inner = make("i");
  inner.style.width = `${thousandths / 10}%`;
  return make("span", { class: "bar-of", "aria-hidden": "true" }, inner);
}

function few(neighbors, kind, sign) {
  return neighbors.slice(0, 2).flatMap((each) => [
    make("span", { class: kind }, sign), named(each.place), " ",
  ]);
}

// --- one word -----------------------------------------------------------------------------------

function open(word, isAsked = false) {
  const { words } = now();
  state.word = word;
  const facts = [
    `${place} ${words.place[word] === null ? "-" : counted(words.place[word])}`,
    words.moved[word] ? "moved" : "not moved",
    ...data.measures.map((name, at) => `${name} ${decimal(words[at ? "rbo" : "overlap"][word])}`),
    ...(words.moved[word] ? [`self_cosine ${decimal(words.self_cosine[word])}`] : []),
    ...(words.moved[word] && words.norm_ratio[word] !== null
      ? [`${times(words.norm_ratio[word])} times as long`] : []),
    ...(words.null && words.null[word] !== null
      ? [`if moved at random ${data.measures[0]} ${decimal(words.null[word])}`] : []),
  ];
  const title = make("h3", { tabindex: "-1" }, named(word));
  const parts = [title];
  if (data.texts[word]) parts.push(make("p", { class: "text" }, data.texts[word]));
  if (words.moved[word] === null) {
    parts.push(make("p", {}, `This table does not have the ${noun}.`));
  } else {
    parts.push(make("p", { class: "facts" }, facts.join(" · ")), why(word), lists(word));
  }
  if (checkpoints.length > 1) parts.push(beside(word));
  $("word").replaceChildren(...parts);
  for (const each of document.querySelectorAll("#list tbody tr")) {
    each.classList.toggle("open", Number(each.dataset.word) === word);
  }
  draw();
  if (isAsked) title.focus({ preventScroll: !narrow.matches });
}

function why(word) {
  const { words } = now();
  const cause = words.cause[word];
  if (cause === null) return make("p", {}, `Its neighbors were not sought.`);
  const theirs = words.neighbors_moved[word];
  const moved = words.self_cosine[word];
  const far = moved === null || theirs === null
    ? "" : ` It turned by ${decimal(1000 - moved)}, its old neighbors by ${decimal(theirs)} on average.`;
  return make("p", {}, make("b", {}, causes[cause]), far);
}

function lists(word) {
  const found = shift(now(), word);
  const sides = [
    ["before", found.before, found.has, "minus", "−", "lost"],
    ["after", found.after, found.had, "plus", "+", "gained"],
  ];
  return make("div", { class: "lists" }, ...sides.map(([side, neighbors, others, kind, sign, said]) =>
    make("div", {},
      make("h4", {}, side),
      make("ol", {}, ...neighbors.map(({ place, cosine }) => {
        const isKept = others.has(place);
        const text = data.texts[place];
        return make("li", {},
          make("span", { class: isKept ? "same" : kind },
            make("span", { "aria-hidden": "true" }, isKept ? "=" : sign),
            make("span", { class: "unseen" }, isKept ? "kept" : said)),
          make("span", { class: "what" }, linked(place),
            text ? make("span", { class: "aside" }, text) : null),
          make("span", { class: "cos" }, cosine.toFixed(2)));
      })))));
}

function beside(word) {
  const rows = checkpoints.map((checkpoint, at) => {
    const { words } = checkpoint;
    const here = at === state.at;
    return make("tr", here ? { class: "open" } : {},
      make("th", { scope: "row" },
        here ? make("b", {}, checkpoint.name) : make("a", { href: address(word, at) }, checkpoint.name)),
      make("td", {}, decimal(words.overlap[word])),
      make("td", {}, decimal(words.self_cosine[word])));
  });
  return make("table", {},
    make("caption", {}, "In each checkpoint"),
    make("thead", {}, make("tr", {}, ...["checkpoint", data.measures[0], "self_cosine"].map((name) =>
      make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows));
}

function showMissing(word) {
  state.word = null;
  $("word").replaceChildren(make("h3", { tabindex: "-1" }, make("bdi", {}, word)),
    make("p", {}, `This page does not list it. ${document.querySelector("#words .note").textContent}`));
}

// --- the map ------------------------------------------------------------------------------------

const ARROWS = 40; // of the words that turned most
const plane = $("plane");
const pen = plane.getContext("2d");
let lens = null; // the chosen area, in shares of the plane: {x0, y0, x1, y1}
let view = null; // what of the map is shown, the same for every checkpoint

function extent() {
  const known = checkpoints.find((each) => !each.map.reason);
  if (!known) return null;
  const ends = [[], []];
  for (const { map } of checkpoints) {
    if (map.reason) continue;
    for (const side of [map.before, map.after]) {
      side.forEach((value, at) => value !== null && ends[at % 2].push(value));
    }
  }
  return ends.map((values) => {
    values.sort((a, b) => a - b);
    const low = values[Math.floor(0.002 * (values.length - 1))];
    const high = values[Math.ceil(0.998 * (values.length - 1))];
    const room = 0.06 * (high - low) || 1;
    return [low - room, high + room];
  });
}

function spot(word, side) {
  const places = now().map[side];
  const [x, y] = [places[2 * word], places[2 * word + 1]];
  if (x === null || y === null || !view) return null;
  const [[left, right], [low, high]] = view;
  return [(x - left) / (right - left), 1 - (y - low) / (high - low)];
}

function colors() {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${name}`).trim() });
}

function draw() {
  const { map, words } = now();
  $("map-note").textContent = map.reason
    ? `There is no map: ${map.reason}`
    : map.shares.length
      ? `The two directions in which the original ${noun}s differ most, by angle: ` +
        `${map.shares.map((share) => `${(100 * share).toFixed(0)} %`).join(" and ")} of what sets ` +
        `them apart. Both tables are drawn on them: what lies apart here is apart, and what lies ` +
        `together may not be near.`
      : `UMAP, fitted to the original ${noun}s alone: what is near lies together, and distances ` +
        `between groups say little.`;
  document.querySelector(".plane").hidden = Boolean(map.reason);
  if (map.reason) return;
  const scale = devicePixelRatio || 1;
  const { width, height } = plane.getBoundingClientRect();
  if (!width) return;
  if (plane.width !== Math.round(width * scale)) plane.width = Math.round(width * scale);
  if (plane.height !== Math.round(height * scale)) plane.height = Math.round(height * scale);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const color = colors();
  const at = (point) => [point[0] * width, point[1] * height];
  const dot = (point, radius, fill, alpha) => {
    pen.globalAlpha = alpha;
    pen.fillStyle = fill;
    pen.beginPath();
    pen.arc(...at(point), radius, 0, 2 * Math.PI);
    pen.fill();
  };
  const size = listed > 2_000 ? 1 : 1.7; // of a dot
  const isFiltered = state.found.length < listed;
  const shown = isFiltered ? new Set(state.found) : null;
  const moved = [];
  for (let word = 0; word < listed; word++) {
    if (words.moved[word] === 1) moved.push(word);
    else {
      const point = spot(word, "before");
      if (point) dot(point, 1.3 * size, color.unmoved, shown && !shown.has(word) ? 0.12 : 0.35);
    }
  }
  for (const [side, fill] of [["before", color.original], ["after", color.tuned]]) {
    for (const word of moved) {
      const point = spot(word, side);
      if (point) dot(point, 1.6 * size, fill, shown && !shown.has(word) ? 0.06 : 0.42);
    }
  }
  const far = (shown ? moved.filter((word) => shown.has(word)) : moved)
    .filter((word) => words.self_cosine[word] !== null)
    .sort((a, b) => words.self_cosine[a] - words.self_cosine[b]).slice(0, ARROWS);
  for (const word of far) arrow(word, at, color.moved, 0.55);
  pen.globalAlpha = 1;
  const taken = [];
  if (state.word !== null) {
    const { lost, gained } = shift(now(), state.word);
    arrow(state.word, at, color.text, 1);
    for (const side of ["before", "after"]) label(state.word, side, at, color.text, taken, true);
    for (const each of lost.slice(0, 4)) label(each.place, "before", at, color.bad, taken);
    for (const each of gained.slice(0, 4)) label(each.place, "after", at, color.good, taken);
  }
  for (const word of far.slice(0, 12)) label(word, "after", at, color.text, taken);
  if (lens) {
    const [x0, y0] = at([lens.x0, lens.y0]);
    const [x1, y1] = at([lens.x1, lens.y1]);
    pen.strokeStyle = color.link;
    pen.lineWidth = 1.5;
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
    pen.globalAlpha = 0.08;
    pen.fillStyle = color.link;
    pen.fillRect(x0, y0, x1 - x0, y1 - y0);
    pen.globalAlpha = 1;
  }
}

function arrow(word, at, stroke, alpha) {
  const [from, to] = [spot(word, "before"), spot(word, "after")];
  if (!from || !to) return;
  const [[x0, y0], [x1, y1]] = [at(from), at(to)];
  const angle = Math.atan2(y1 - y0, x1 - x0);
  pen.globalAlpha = alpha;
  pen.strokeStyle = stroke;
  pen.lineWidth = 1.1;
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  if (Math.hypot(x1 - x0, y1 - y0) > 6) {
    for (const turn of [2.7, -2.7]) {
      pen.moveTo(x1, y1);
      pen.lineTo(x1 + 6 * Math.cos(angle + turn), y1 + 6 * Math.sin(angle + turn));
    }
  }
  pen.stroke();
}

function label(word, side, at, fill, taken, isOpen = false) {
  if (word >= listed) return;
  const point = spot(word, side);
  if (!point) return;
  const [x, y] = at(point);
  const whole = data.texts[word] ? `${strings[word]} ${data.texts[word]}` : strings[word];
  const text = whole.length > 26 ? `${whole.slice(0, 25)}…` : whole;
  pen.font = `${isOpen ? "600 13px" : "12px"} ${getComputedStyle(document.body).fontFamily}`;
  const width = pen.measureText(text).width;
  const { width: all } = plane.getBoundingClientRect();
  const left = x + 6 + width > all ? x - 6 - width : x + 6;
  const box = [left, y - 8, left + width, y + 8];
  const isFree = taken.every(([x0, y0, x1, y1]) =>
    box[2] < x0 || box[0] > x1 || box[3] < y0 || box[1] > y1);
  if (!isFree && !isOpen) return;
  taken.push(box);
  const color = colors();
  pen.globalAlpha = 1;
  pen.lineWidth = 3;
  pen.strokeStyle = color.page;
  pen.strokeText(text, left, y + 4);
  pen.fillStyle = fill;
  pen.fillText(text, left, y + 4);
  pen.beginPath();
  pen.arc(x, y, isOpen ? 4 : 2.5, 0, 2 * Math.PI);
  pen.fill();
}

function nearest(x, y, within) {
  const { width, height } = plane.getBoundingClientRect();
  let best = null;
  let least = within * within;
  for (let word = 0; word < listed; word++) {
    if (now().words.moved[word] === null) continue;
    for (const side of ["after", "before"]) {
      const point = spot(word, side);
      if (!point) continue;
      const away = ((point[0] - x) * width) ** 2 + ((point[1] - y) * height) ** 2;
      if (away < least) [best, least] = [word, away];
    }
  }
  return best;
}

function brush() {
  const inside = (point) => point && point[0] >= lens.x0 && point[0] <= lens.x1 &&
    point[1] >= lens.y0 && point[1] <= lens.y1;
  state.area = null;
  if (lens) {
    state.area = new Set();
    for (let word = 0; word < listed; word++) {
      if (inside(spot(word, "before")) || inside(spot(word, "after"))) state.area.add(word);
    }
  }
  state.rows = PAGE;
  refresh();
  tell();
}

function tell() {
  const chosen = $("chosen");
  chosen.replaceChildren();
  if (!state.area) return;
  const few = state.found.slice(0, 24);
  const rest = state.found.length - few.length;
  chosen.append(`${counted(state.found.length)} ${noun}s in the area: `,
    ...few.flatMap((word, at) => [at ? ", " : "", linked(word)]),
    rest > 0 ? `, and ${counted(rest)} more in the list.` : "");
}

function leave() {
  lens = null;
  brush();
}

let drag = null;
const where = (event) => {
  const box = plane.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};
plane.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "touch") return;
  drag = where(event);
  plane.setPointerCapture(event.pointerId);
});
plane.addEventListener("pointermove", (event) => {
  const [x, y] = where(event);
  if (drag) {
    lens = {
      x0: Math.min(drag[0], x), y0: Math.min(drag[1], y),
      x1: Math.max(drag[0], x), y1: Math.max(drag[1], y),
    };
    draw();
    return;
  }
  const word = nearest(x, y, 8);
  plane.title = word === null ? "" : strings[word];
});
plane.addEventListener("pointerup", (event) => {
  const { width, height } = plane.getBoundingClientRect();
  const isClick = !drag || !lens || (lens.x1 - lens.x0) * width + (lens.y1 - lens.y0) * height < 6;
  const [x, y] = where(event);
  drag = null;
  if (!isClick) return brush();
  if (lens) leave();
  const word = nearest(x, y, event.pointerType === "touch" ? 20 : 8);
  if (word !== null) location.hash = address(word);
});
plane.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const size = { "+": -0.02, "=": -0.02, "-": 0.02 }[event.key];
  if (event.key === "Escape") leave();
  else if (event.key === "Enter" && lens) {
    const word = nearest((lens.x0 + lens.x1) / 2, (lens.y0 + lens.y1) / 2, Infinity);
    if (word !== null) location.hash = address(word);
  } else if (step || size) {
    const { x0, y0, x1, y1 } = lens || { x0: 0.4, y0: 0.4, x1: 0.6, y1: 0.6 };
    const [dx, dy] = lens && step ? step.map((each) => each * 0.04) : [0, 0];
    const grow = size && x1 - x0 + 2 * size > 0.03 && x1 - x0 + 2 * size < 1 ? size : 0;
    lens = { x0: x0 + dx - grow, y0: y0 + dy - grow, x1: x1 + dx + grow, y1: y1 + dy + grow };
    brush();
  } else return;
  event.preventDefault();
});

// --- events -------------------------------------------------------------------------------------

for (const strip of document.querySelectorAll(".strip")) {
  const buttons = [...strip.querySelectorAll("button")];
  const show = (chosen) => {
    for (const button of buttons) {
      const isOpen = button === chosen;
      button.setAttribute("aria-expanded", String(isOpen));
      $(button.getAttribute("aria-controls")).classList.toggle("open", isOpen);
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () =>
      show(button.getAttribute("aria-expanded") === "true" ? null : button));
  }
}
for (const input of document.querySelectorAll("input[name=checkpoint]")) {
  input.addEventListener("change", () => choose(Number(input.value)));
}
for (const head of document.querySelectorAll("#list th[data-sort] button")) {
  head.addEventListener("click", () => {
    const { sort } = head.parentElement.dataset;
    state.down = state.sort === sort ? !state.down : false;
    state.sort = sort;
    state.rows = PAGE;
    refresh();
  });
}
const filters = $("filters");
const filtered = () => {
  state.rows = PAGE;
  refresh();
};
filters.addEventListener("input", filtered);
filters.addEventListener("submit", (event) => event.preventDefault());
$("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && state.found.length) location.hash = address(state.found[0]);
});
function clear() {
  filters.reset();
  lens = null;
  state.area = null;
  filtered();
  tell();
}
$("clear").addEventListener("click", clear);
$("unbrush").addEventListener("click", leave);
$("more").addEventListener("click", () => {
  const from = state.rows;
  state.rows += 2 * PAGE;
  list();
  document.querySelectorAll("#list tbody tr")[from].querySelector("a").focus();
});
for (const button of document.querySelectorAll("[data-way]")) {
  button.addEventListener("click", () => {
    clear();
    $("way").value = button.dataset.way;
    filtered();
    $("words").scrollIntoView();
    $("way").focus({ preventScroll: true });
  });
}
addEventListener("hashchange", () => follow(false));
new ResizeObserver(() => {
  draw();
  // What scrolls sideways can be reached by keys, and nothing else stops them.
  for (const each of document.querySelectorAll(".scroll")) {
    each.tabIndex = each.scrollWidth > each.clientWidth ? 0 : -1;
  }
}).observe(document.querySelector("main"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
});

view = extent();
choose(0);
if (listed && state.found.length) open(state.found[0]);
follow(true);
}
