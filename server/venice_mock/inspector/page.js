// Making elements. Whatever comes from a request gets into the page here, and only as text.

export const $ = (id) => document.getElementById(id);

/** An element: el("p", {class: "soft", onclick: f, "aria-label": "x"}, "text", child). Null children are left out. */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const button = (text, onclick, more = {}) => el("button", { type: "button", class: "button", onclick, ...more }, text);

export function fill(place, ...children) {
  place.replaceChildren(...children.flat().filter(Boolean));
}

export function toast(text, kind = "good") {
  const made = el("p", { class: `toast ${kind}` }, short(text, 300));
  $("toasts").append(made);
  setTimeout(() => made.remove(), kind === "bad" ? 9000 : 3500);
}

/** A button that copies an element's text; where the browser forbids that, it is selected for the user to copy. */
export function copyButton(place, words = "Copy") {
  const made = button(words, async () => {
    try {
      await navigator.clipboard.writeText(place.textContent);
      made.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(place);
      made.textContent = "Selected: copy it";
    }
    setTimeout(() => (made.textContent = words), 1600);
  });
  return made;
}

export const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export function bytes(size) {
  if (size < 1000) return `${size} B`;
  return size < 1e6 ? `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

export function milliseconds(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Dollars without the noughts that say nothing: at least two decimals. */
export function usd(text) {
  const sign = text.startsWith("-") ? "−" : "";
  const [whole, decimals = ""] = text.replace(/^[-+]/, "").split(".");
  return `${sign}$${whole}.${decimals.replace(/0+$/, "").padEnd(2, "0")}`;
}

export const clockTime = (iso) => new Date(iso).toLocaleTimeString([], { hour12: false });

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** How a caller is called: a magic key by name, others by what may be shown of them. */
export function callerName(caller) {
  if (caller.kind === "nobody") return "nobody";
  if (caller.kind === "wallet") return caller.address ? shortAddress(caller.address) : "a wallet";
  if (caller.magic_key) return caller.magic_key;
  return caller.last4 ? `key …${caller.last4}` : `key ${caller.account.slice(4, 10)}`;
}

export const shortAddress = (address) => (address.length > 16 ? `${address.slice(0, 8)}…${address.slice(-4)}` : address);

/** Prose with `names` in backticks: those become code. */
export const prose = (text) => text.split("`").map((piece, at) => (at % 2 ? el("code", {}, piece) : piece));

/** The number at a tab; nothing where there is none. `words`: what it counts, for those who hover or hear. */
export function badge(id, count, words) {
  $(id).hidden = !count;
  $(id).textContent = count > 99 ? "99+" : String(count);
  $(id).title = words;
  $(id).setAttribute("aria-label", words);
}
