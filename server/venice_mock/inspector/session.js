// The session's clock, its name among the others, and going back to the beginning.

import { $, el, fill, toast } from "./page.js";
import { get, send } from "./talk.js";

const MOST = 100; // sessions that are listed
let ahead = 0; // ms of the session's clock before this machine's
let frozen = null;

export function start({ changed }) {
  $("clock-menu").addEventListener("toggle", () => $("clock-menu").open && act(readClock));
  for (const each of document.querySelectorAll("[data-advance]")) {
    each.addEventListener("click", () => act(async () => tell(await send("POST", "clock/advance", { seconds: Number(each.dataset.advance) }))));
  }
  $("clock-freeze").addEventListener("click", () => act(async () => {
    const now = (await get("clock")).now;
    tell(await send("PUT", "clock", { frozen_at: frozen ? null : now }));
  }));
  $("clock-wall").addEventListener("click", () => act(async () => tell(await send("PUT", "clock", { offset_s: 0 }))));
  setInterval(tick, 500);

  $("session-menu").addEventListener("toggle", () => $("session-menu").open && act(listSessions));
  $("session-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = $("session-new").value.trim();
    act(async () => visit((await send("POST", "sessions", name ? { name } : {})).control_url));
  });

  $("reset-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const only = [...event.target.elements].filter((box) => box.checked).map((box) => box.name);
    act(async () => {
      await send("POST", "reset", { only });
      $("reset-menu").open = false;
      toast(only.length ? "Back at the beginning." : "Nothing was chosen.");
      await readClock();
      await changed(only);
    });
  });

  const menus = [...document.querySelectorAll("details.menu")];
  document.addEventListener("click", (event) => menus.forEach((menu) => menu.contains(event.target) || (menu.open = false)));
  for (const menu of menus) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
  return readClock();
}

async function readClock() {
  tell(await get("clock"));
}

function tell(clock) {
  ahead = new Date(clock.now) - Date.now();
  frozen = clock.frozen_at;
  const tag = $("clock-state");
  tag.hidden = !frozen && Math.abs(clock.offset_s) < 1;
  tag.textContent = frozen ? "stopped" : `${clock.offset_s < 0 ? "−" : "+"}${span(Math.abs(clock.offset_s))}`;
  $("clock-freeze").textContent = frozen ? "Let it run" : "Stop it";
  tick();
}

function span(seconds) {
  if (seconds < 3600) return `${Math.round(seconds / 6) / 10} min`;
  return seconds < 86400 ? `${Math.round(seconds / 360) / 10} h` : `${Math.round(seconds / 8640) / 10} d`;
}

function tick() {
  const now = frozen ? new Date(frozen) : new Date(Date.now() + ahead);
  $("clock").textContent = now.toLocaleTimeString([], { hour12: false });
  $("clock").dateTime = now.toISOString();
  $("clock-date").textContent = now.toISOString().replace("T", " ").slice(0, 19) + " UTC";
}

async function listSessions() {
  const { sessions } = await get("sessions");
  const current = $("session-name").textContent;
  fill($("sessions"), sessions.slice(0, MOST).map((session) => el("li", {}, el("a", { href: pageOf(session.control_url), "aria-current": session.id === current ? "page" : null }, session.id))),
    sessions.length > MOST ? el("li", { class: "soft" }, `and ${sessions.length - MOST} more`) : null);
}

/** The page of a session: of its address only the path, as this page stays where it came from. */
const pageOf = (control) => `${new URL(control).pathname}/`;

function visit(control) {
  location.href = pageOf(control);
}

async function act(doing) {
  try {
    await doing();
  } catch (error) {
    toast(error.message, "bad");
  }
}
