// The list of requests: the newest first, filtered, one of them chosen.

import { fieldsAtFault, faultsOf, isChargedInVain, isInjected, isPicture, isSpoilt, statusClass } from "./outcome.js";
import { $, callerName, clockTime, el, fill, milliseconds, plural, short, usd } from "./page.js";
import { show } from "./talk.js";

const MOST = 500; // on the page; the journal may hold more
const MOMENT_MS = 40;
let entries = []; // the newest first
let coming = []; // that are not drawn yet, the oldest first
let rows = new Map(); // id -> element, of those that are shown
let chosen = null;
let following = true; // the newest is chosen as it comes, until the user chooses another
let kind = "";
let words = "";
let choose = () => {};
let dropped = 0;

/** Begin. `onChoose(entry or null, byUser)` is told what to show. */
export function start(onChoose) {
  choose = onChoose;
  const list = $("list");
  list.addEventListener("click", (event) => {
    const row = event.target.closest("li");
    if (row) pick(row.dataset.id, true);
  });
  list.addEventListener("keydown", onKey);
  $("search").addEventListener("input", () => {
    words = $("search").value.trim().toLowerCase();
    draw();
  });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      list.focus();
    }
  });
  for (const chip of $("kinds").querySelectorAll("button")) {
    chip.addEventListener("click", () => {
      kind = chip.dataset.kind;
      for (const other of $("kinds").querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === chip));
      draw();
    });
  }
}

export function replace(list) {
  coming = [];
  entries = list.requests.slice(0, MOST);
  dropped = list.dropped;
  if (chosen && !entries.some((entry) => entry.id === chosen)) {
    chosen = null;
    following = true;
  }
  draw();
  if (list.limit_bytes === 0) $("list-note").textContent = "The journal is off (--journal-bytes 0): nothing is written down.";
  if (following || !entries.length) pick(entries[0]?.id ?? null, false);
}

/** One more, or many at once: the page is drawn once for all that come within a moment. */
export function add(entry) {
  coming.push(entry);
  if (coming.length === 1) setTimeout(arrive, MOMENT_MS);
}

function arrive() {
  const come = coming.splice(0).slice(-MOST);
  entries.unshift(...come.toReversed());
  for (const old of entries.splice(MOST)) {
    rows.get(old.id)?.remove();
    rows.delete(old.id);
  }
  const fresh = come.filter(fits).toReversed();
  for (const entry of fresh) {
    rows.set(entry.id, rowOf(entry));
    rows.get(entry.id).classList.add("new");
  }
  $("list").prepend(...fresh.map((entry) => rows.get(entry.id)));
  if (following && fresh.length) pick(fresh[0].id, false);
  sum();
}

export function followNewest() {
  following = true;
}

export function pick(id, byUser) {
  const entry = entries.find((each) => each.id === id) ?? null;
  if (byUser) following = Boolean(entry) && entry === entries[0];
  rows.get(chosen)?.setAttribute("aria-selected", "false");
  chosen = entry?.id ?? null;
  mark();
  choose(entry, byUser);
}

function mark() {
  const row = rows.get(chosen);
  row?.setAttribute("aria-selected", "true");
  if (row) {
    $("list").setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  } else $("list").removeAttribute("aria-activedescendant");
}

function onKey(event) {
  const shown = entries.filter((entry) => rows.has(entry.id));
  const at = shown.findIndex((entry) => entry.id === chosen);
  const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: shown.length - 1 };
  if (event.key === "Enter" && chosen) {
    pick(chosen, true);
    $("detail").focus();
  } else if (event.key in to && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    const next = shown[Math.min(Math.max(to[event.key], 0), shown.length - 1)];
    if (next) pick(next.id, document.documentElement.clientWidth > 860);
  }
}

function fits(entry) {
  if (kind === "2xx" && statusClass(entry) !== "ok") return false;
  if (kind === "refused" && statusClass(entry) === "ok") return false;
  if (kind === "injected" && !isInjected(entry)) return false;
  if (!words) return true;
  const said = [entry.prompt, entry.model, entry.rule, entry.error?.name, entry.id, entry.path, entry.status, entry.fault, callerName(entry.caller)];
  return said.some((text) => text !== null && text !== undefined && String(text).toLowerCase().includes(words));
}

function draw() {
  rows = new Map(entries.filter(fits).map((entry) => [entry.id, rowOf(entry)]));
  fill($("list"), ...rows.values());
  mark();
  sum();
}

function sum() {
  const spent = entries.reduce((total, entry) => total + Number(entry.cost_usd ?? 0), 0);
  const some = rows.size === entries.length ? "" : `${rows.size} of `;
  $("sum").textContent = entries.length ? `${some}${plural(entries.length, "request")} · ${usd(spent.toFixed(3))}` : "";
  $("list-note").textContent = dropped ? `${plural(dropped, "older request")} gave way to newer ones.` : "";
}

function rowOf(entry) {
  const title = entry.prompt ?? `${entry.method} ${entry.path.replace("/api/v1", "")}`;
  const inVain = isChargedInVain(entry);
  const what = whatHappened(entry);
  const facts = [
    entry.model,
    entry.timings_ms.total === undefined ? null : milliseconds(entry.timings_ms.total),
    callerName(entry.caller),
  ];
  return el("li", { role: "option", id: `row-${entry.id}`, "data-id": entry.id, "aria-selected": String(entry.id === chosen), class: `${statusClass(entry)}${isSpoilt(entry) ? " spoilt" : ""}` },
    el("span", { class: "status number" }, entry.status === null ? "lost" : String(entry.status)),
    el("span", { class: "row-text" },
      el("span", { class: "title" }, short(title, 200)),
      el("span", { class: "facts soft" },
        what ? el("b", { class: "error-name" }, what) : null,
        el("span", {}, facts.filter(Boolean).join(" · ")))),
    el("span", { class: "money-column" },
      entry.charged ? el("span", { class: "price number" }, usd(entry.cost_usd)) : null,
      inVain ? el("span", { class: "tag charged", title: "Charged, but the client has no good picture" }, "charged") : null),
    thumbnail(entry),
    el("time", { class: "soft number", datetime: entry.at, title: entry.at }, clockTime(entry.at)));
}

/** A word or two on what went wrong, if anything did. */
function whatHappened(entry) {
  if (entry.fault) return entry.fault;
  if (!entry.error) return null;
  const fields = fieldsAtFault(faultsOf(entry));
  return fields.length ? `${fields.length === 1 ? "bad" : `${fields.length} faults:`} ${short(fields.join(", "), 80)}` : entry.error.name;
}

function thumbnail(entry) {
  const of = entry.links.output_thumbnail ? "output" : entry.links.input_thumbnail && isPicture(entry) ? "input" : null;
  if (!of) return el("span", { class: "thumb none", "aria-hidden": "true" });
  const img = el("img", { class: `thumb ${of}`, alt: "", loading: "lazy", decoding: "async", width: 48, height: 36 });
  img.addEventListener("error", () => img.classList.add("none"), { once: true });
  show(img, `requests/${entry.id}/thumbnail?of=${of}`);
  return img;
}
