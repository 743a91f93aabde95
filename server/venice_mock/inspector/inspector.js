// The inspector: brings the parts of the page together.

import * as accounts from "./accounts.js";
import * as detail from "./detail.js";
import { $, badge, button, callerName, copyButton, el, fill, short, toast } from "./page.js";
import * as requests from "./requests.js";
import * as rules from "./rules.js";
import * as session from "./session.js";
import { follow, get, onTokenWanted } from "./talk.js";
import * as trying from "./trying.js";

const TABS = ["requests", "rules", "accounts", "advice"];
const THEMES = { auto: ["◐", "as the system"], light: ["☀", "light"], dark: ["☾", "dark"] };
const STATES = { live: "live", waiting: "connecting", asking: "asking", ended: "session ended" };
const LATER_MS = 300;
const names = new Map(); // account -> how its holder is called
let tab = "requests";
let later = null;
let lastTook = 0; // ms
let isStale = false; // something came since what stands around the list was asked for
let advised = null; // what was told when the advice was drawn

const isPhone = () => document.documentElement.clientWidth <= 860;

function showTab(name, { focus = false } = {}) {
  tab = name;
  for (const each of TABS) {
    const chosen = each === name;
    $(each).hidden = !chosen;
    const button = $(`tab-${each}`);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) button.focus();
  }
  refresh();
}

async function refresh() {
  try {
    await Promise.all([tab === "accounts" ? accounts.draw() : accounts.count(), drawAdvice(), rules.draw()]);
  } catch (error) {
    toast(error.message, "bad");
  }
}

/** Soon, once for all that come until then, and the later the longer it takes: a long journal is not asked all the time. */
function refreshLater() {
  isStale = true;
  later ??= setTimeout(async () => {
    isStale = false;
    const began = performance.now();
    await refresh();
    lastTook = performance.now() - began;
    later = null;
    if (isStale) refreshLater();
  }, Math.max(LATER_MS, 5 * lastTook));
}

/** The address says what is looked at, so that the browser's own way back works. */
function route() {
  const name = location.hash.slice(1);
  document.body.classList.toggle("in-detail", name.startsWith("req-"));
  if (TABS.includes(name)) showTab(name);
  else {
    if (tab !== "requests") showTab("requests");
    if (name.startsWith("req-")) requests.pick(name, false);
  }
}

function goTo(id) {
  showTab("requests");
  requests.pick(id, true);
}

function chosen(entry, byUser) {
  detail.draw(entry, emptyWords());
  if (entry && byUser) {
    if (isPhone()) location.hash = entry.id;
    else history.replaceState(null, "", `#${entry.id}`);
    if (isPhone()) $("detail").focus();
  }
}

function learn(entry) {
  if (entry.caller.account) names.set(entry.caller.account, callerName(entry.caller));
}

let curl = "";
function emptyWords() {
  const line = el("code", {}, curl);
  return el("div", { class: "welcome" },
    el("img", { src: new URL("icon.svg", import.meta.url).href, alt: "", width: 72, height: 72 }),
    el("h2", {}, "Nothing has come yet"),
    el("p", { class: "soft" }, "Point your client here, and its requests appear as they come: both pictures, what was understood, what it cost, and why not."),
    el("p", {}, button("Make a first edit", trying.open, { class: "button primary" })),
    el("div", { class: "head" }, el("span", { class: "soft" }, "or from a shell"), copyButton(line)),
    el("pre", { class: "curl", tabindex: 0 }, line));
}

async function drawAdvice() {
  const { advice, requests: seen } = await get("lint");
  badge("advice-count", advice.length, `${advice.length} kinds of advice`);
  const now = JSON.stringify([advice, seen > 0]);
  if (now === advised) return; // what is under the mouse stays there
  advised = now;
  if (!advice.length) {
    fill($("advice-list"), el("p", { class: "soft" }, seen ? "None: these requests are as they should be." : "No request was seen yet."));
    return;
  }
  fill($("advice-list"), el("ul", { class: "rules" }, advice.map((each) => el("li", { class: "card" },
    el("div", {}, el("p", {}, el("code", { class: "field" }, each.field), " ", short(each.text, 500)),
      el("p", { class: "soft number" }, each.count === 1 ? "once, in " : `${each.count} times, last in `, each.requests.slice(0, 5).map((id) => button(id, () => goTo(id), { class: "link" }))))))));
}

function theme() {
  let now = "auto";
  try {
    now = localStorage.getItem("venice-mock-theme") ?? "auto";
  } catch {
    // then it lasts as long as the page
  }
  const set = (name) => {
    now = name in THEMES ? name : "auto";
    document.documentElement.dataset.theme = now;
    $("theme").textContent = THEMES[now][0];
    $("theme").title = `Colours: ${THEMES[now][1]}`;
    $("theme").setAttribute("aria-label", `Colours: ${THEMES[now][1]}`);
  };
  set(now);
  $("theme").addEventListener("click", () => {
    set({ auto: "light", light: "dark", dark: "auto" }[now]);
    try {
      localStorage.setItem("venice-mock-theme", now);
    } catch {
      // see above
    }
  });
}

function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (document.body.classList.contains("in-detail")) location.hash = "requests";
      else if (tab === "requests") $("list").focus();
      return;
    }
    if (event.target.closest("input, textarea, select")) return;
    if (event.key === "/") {
      event.preventDefault();
      showTab("requests");
      $("search").focus();
    } else if (event.key === "t") {
      event.preventDefault();
      trying.open();
    } else if (event.key === "?") $("help-dialog").showModal();
    else if (TABS[Number(event.key) - 1]) location.hash = TABS[Number(event.key) - 1];
  });
  for (const [at, name] of TABS.entries()) {
    $(`tab-${name}`).addEventListener("click", () => (location.hash = name));
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at + TABS.length - 1 }[event.key];
      if (to === undefined) return;
      location.hash = TABS[to % TABS.length];
      $(`tab-${TABS[to % TABS.length]}`).focus();
    });
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.id !== "token-dialog" && dialog.close());
    dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  }
  $("token-dialog").addEventListener("cancel", (event) => event.preventDefault());
  $("help").addEventListener("click", () => $("help-dialog").showModal());
}

let asked = null; // one question for all that wait
function askForToken() {
  asked ??= new Promise((answered) => {
    $("token-dialog").showModal();
    $("token-form").addEventListener("submit", (event) => {
      event.preventDefault();
      $("token-dialog").close();
      asked = null;
      answered(event.target.token.value);
      event.target.reset();
    }, { once: true });
  });
  return asked;
}

async function begin() {
  theme();
  keys();
  onTokenWanted(askForToken);
  const [about, choices] = [await get("../__mock"), await get("choices")];
  const api = location.origin + about.links.api;
  curl = `curl -sS ${api}/image/edit -H 'Authorization: Bearer mock_ok' -F prompt='make it a sunset' -F image=${location.origin}${about.links["sample.png"]} -o edited.png`;
  $("about").textContent = `${about.edition}, ${about.behavior}`;
  $("about").title = `version ${about.version}`;
  $("session-name").textContent = about.session;
  document.title = about.session === "default" ? "venice-mock" : `${about.session} · venice-mock`;
  requests.start(chosen);
  rules.start(choices, () => names);
  accounts.start(() => names, goTo);
  trying.start(choices, api, requests.followNewest);
  addEventListener("hashchange", route);
  await session.start({ changed: async (only) => {
    if (only.includes("journal")) requests.replace({ requests: [], dropped: 0 });
    await refresh();
  } });
  await rules.draw();
  let first = true;
  await follow({
    begin(list) {
      list.requests.forEach(learn);
      requests.replace(list);
      if (first) route();
      first = false;
      refreshLater();
    },
    request(entry) {
      learn(entry);
      requests.add(entry);
      refreshLater();
    },
    state(word) {
      $("live").dataset.state = word;
      $("live").textContent = STATES[word];
    },
  });
}

begin().catch((error) => {
  $("live").dataset.state = "ended";
  $("live").textContent = "not connected";
  toast(error.message, "bad");
});
