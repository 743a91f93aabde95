// Accounts with their ledgers, and whether anybody paid twice.

import { $, badge, button, clockTime, el, fill, plural, short, shortAddress, toast, usd } from "./page.js";
import { get, send } from "./talk.js";

let names = () => new Map();
let open = null; // the account whose ledger is shown
let drawn = null; // what was told when this was drawn
let goTo = () => {};

export function start(accountNames, showRequest) {
  names = accountNames;
  goTo = showRequest;
  $("account-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const { key, balance } = event.target;
    try {
      const path = `accounts/${encodeURIComponent(key.value)}`;
      const told = balance.value ? await send("PATCH", path, { balance_usd: balance.value }) : await get(path);
      open = told.account;
      key.value = balance.value = "";
      await draw();
    } catch (error) {
      toast(error.message, "bad");
    }
  });
}

/** How many logical requests were paid twice, told on the tab whatever is looked at; and the verdict. */
export async function count() {
  const verdict = await get("ledger/verdict");
  const twice = verdict.charged_more_than_once;
  badge("account-count", twice, `${plural(twice, "request")} paid twice`);
  return verdict;
}

export async function draw() {
  const [state, verdict] = await Promise.all([get("state"), count()]);
  const now = JSON.stringify([state.accounts, verdict, open, [...names()]]);
  if (now === drawn) return; // what is under the mouse stays there
  drawn = now;
  drawVerdict(verdict);
  const accounts = Object.entries(state.accounts);
  if (!accounts.length) {
    fill($("account-list"), el("p", { class: "soft" }, "None was used yet. Any key is an account with its own balance."));
    fill($("ledger"));
    return;
  }
  if (!accounts.some(([id]) => id === open)) open = accounts.reduce((best, each) => lastBooking(each) < lastBooking(best) ? best : each)[0];
  fill($("account-list"), table("Accounts", ["account", "state", "balance", "spent", "limit", "bookings"], accounts.map(([id, account]) => ({
    class: id === open ? "chosen" : null,
    cells: [
      el("button", { type: "button", class: "link", "aria-pressed": String(id === open), title: id, onclick: () => { open = id; draw(); } }, nameOf(id)),
      el("span", { class: account.status === "active" ? "tag" : "tag warn" }, account.status),
      usd(account.balance_usd), usd(account.spent_usd), account.spend_limit_usd === null ? "none" : usd(account.spend_limit_usd), String(account.ledger.length),
    ],
  }))));
  drawLedger(open, state.accounts[open]);
}

/** When money moved last; of accounts that are alike in that the last one is looked at. */
function lastBooking([, account]) {
  return account.ledger.at(-1)?.created_at ?? "";
}

function nameOf(id) {
  return names().get(id) ?? (id.startsWith("wallet-") ? shortAddress(id.slice(7)) : `key ${id.slice(4, 12)}…`);
}

/** How the control plane can be asked for it: an address, or a magic key; of other keys only the hash is known. */
function addressable(id) {
  if (id.startsWith("wallet-")) return id.slice(7);
  const name = names().get(id);
  return name?.startsWith("mock_") ? name : null;
}

function drawLedger(id, account) {
  const path = addressable(id);
  const rows = [...account.ledger].reverse().slice(0, 200);
  fill($("ledger"),
    el("h2", {}, "Ledger of ", el("span", { class: "soft" }, nameOf(id))),
    path ? balanceForm(path) : null,
    rows.length ? table("Bookings", ["at", "what", "for", "amount", "balance after"], rows.map((row) => ({
      cells: [
        el("time", { datetime: row.created_at, title: row.created_at }, clockTime(row.created_at)),
        row.type.toLowerCase().replace("_", "-"), row.model_id ?? "–",
        el("span", { class: row.amount_usd.startsWith("-") ? null : "plus" }, usd(row.amount_usd)), usd(row.balance_after_usd),
      ],
    }))) : el("p", { class: "soft" }, "Nothing was booked."));
}

/** A table that a phone shows as one card for each row: every cell knows its column's name. Money stands to the right. */
function table(name, columns, rows) {
  const isNumber = (column) => ["balance", "spent", "limit", "bookings", "amount", "balance after"].includes(column);
  const cell = (child, at) => {
    const said = { class: isNumber(columns[at]) ? "number" : null, "data-column": columns[at] };
    return at ? el("td", said, child) : el("th", { scope: "row", ...said }, child);
  };
  return el("table", { class: "money card", "aria-label": name },
    el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col", class: isNumber(column) ? "number" : null }, column)))),
    el("tbody", {}, rows.map((row) => el("tr", { class: row.class }, row.cells.map(cell)))));
}

function balanceForm(path) {
  const input = el("input", { "aria-label": "Balance in USD", inputmode: "decimal", pattern: "[0-9]{1,12}(\\.[0-9]{1,6})?", placeholder: "balance in USD", required: true, autocomplete: "off" });
  return el("form", { class: "row", onsubmit: async (event) => {
    event.preventDefault();
    try {
      await send("PATCH", `accounts/${encodeURIComponent(path)}`, { balance_usd: input.value });
      await draw();
    } catch (error) {
      toast(error.message, "bad");
    }
  } }, input, el("button", { class: "button", type: "submit" }, "Set it"));
}

function drawVerdict(verdict) {
  const tried = verdict.logical_requests.filter((each) => each.attempts.length > 1);
  const worst = tried.filter((each) => each.charges > 1);
  fill($("verdict"), el("section", { class: `card verdict ${verdict.ok ? "ok" : "failed"}` },
    el("h2", {}, verdict.ok ? "Nobody paid twice" : `Paid twice: ${usd(verdict.overcharged_usd)} too much`),
    el("p", { class: "soft" }, `${plural(verdict.logical_requests.length, "logical request")}, ${tried.length} tried again. Attempts are one request when caller, fields and picture are the same within ${verdict.window_s}\u00a0s.`),
    worst.length ? el("ul", {}, worst.slice(0, 10).map((each) => el("li", {}, el("q", {}, short(each.prompt ?? "", 80)), ` charged ${each.charges} times: `, each.attempts.map((attempt) => button(attempt.charged_usd ? `${attempt.id} (${usd(attempt.charged_usd)})` : attempt.id, () => goTo(attempt.id), { class: "link" }))))) : null));
}
