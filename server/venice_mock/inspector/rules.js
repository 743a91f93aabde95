// Rules: one press for the usual failures, a form for the rest, and those in force.

import { $, badge, button, callerName, el, fill, short, toast } from "./page.js";
import { get, send } from "./talk.js";

const QUICK = [
  ["is rate limited", "429, Retry-After 60", { error: "rate_limited", retry_after: 60 }],
  ["finds the model overloaded", "429, Retry-After 30", { error: "overloaded" }],
  ["finds the model offline", "503, nothing charged", { error: "offline" }],
  ["takes too long", "504, nothing charged", { error: "timeout" }],
  ["breaks the content policy", "422", { error: "content_violation" }],
  ["has an empty account", "402", { error: "insufficient_balance" }],
  ["is slow", "3 s more than usual", { latency: "3s" }],
  ["comes back cut short", "half of the picture", { fault: "cut" }],
  ["comes back corrupt", "zeros behind 16 bytes", { fault: "corrupt" }],
  ["is reset", "no answer at all", { fault: "reset" }],
  ["is charged, then reset", "does your client pay twice?", { fault: "charge_then_reset" }],
  ["is charged, then times out", "does your client pay twice?", { fault: "charge_then_504" }],
];
const MORE = {
  error: ["Retry-After, in seconds", "as usual"],
  fault: ["behind @, if anything", "body:1024"],
  latency: ["pause", "800ms"],
};
let known = null;
let drawn = null; // what was told when the list was drawn
let accounts = () => new Map();
let told = []; // the rules

/** What the rule of that id does, so far as that is known. */
export function wordsOf(id) {
  const rule = told.find((each) => each.id === id);
  return rule ? what(rule.then) : null;
}

export function start(choices, accountNames) {
  known = choices;
  accounts = accountNames;
  fill($("quick"), QUICK.map(([title, text, then]) => el("button", { type: "button", class: `tile ${then.fault ? "spoilt" : then.error ? "refusal" : ""}`, onclick: () => make({ then, times: 1 }, title) }, el("b", {}, title), el("span", { class: "soft" }, text))));
  const form = $("rule-form");
  form.model.append(...choices.models.map((model) => el("option", { value: model.name }, model.name)));
  fill($("errors"), choices.errors.map((error) => el("option", { value: `error:${error.name}` }, `${error.status} ${error.name}`)));
  fill($("faults"), choices.faults.map((fault) => el("option", { value: `fault:${fault.name}` }, fault.name)));
  form.what.value = "error:rate_limited";
  form.what.addEventListener("change", explain);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make(orderOf(form), null);
  });
  explain();
}

export async function draw() {
  const { rules } = await get("rules");
  told = rules;
  const now = JSON.stringify([rules, [...accounts()]]);
  if (now === drawn) return; // what is under the mouse stays there
  drawn = now;
  const live = rules.filter((rule) => rule.times === null || rule.fired < rule.times);
  badge("rule-count", live.length, `${live.length} in force`);
  if (!rules.length) {
    fill($("rule-list"), el("p", { class: "soft" }, "None: every edit is answered as it deserves."));
    return;
  }
  const used = rules.filter((rule) => !live.includes(rule));
  fill($("rule-list"),
    el("ul", { class: "rules" }, [...live, ...used].map((rule) => {
      const over = used.includes(rule);
      return el("li", { class: over ? "card over" : "card" },
        el("div", {}, el("p", {}, whom(rule), " → ", el("b", {}, what(rule.then))),
          el("p", { class: "soft number" }, el("code", {}, rule.id), " · ", use(rule, over))),
        button("Delete", () => act(() => send("DELETE", `rules/${rule.id}`)), { "aria-label": `Delete the rule ${rule.id}` }));
    })),
    el("p", {}, button("Delete all", () => act(() => send("DELETE", "rules")))));
}

function use({ fired, times }, over) {
  if (times !== null) return over ? `used up (${fired} of ${times})` : `${fired} of ${times} used`;
  return `${fired ? `fired ${fired === 1 ? "once" : `${fired} times`}` : "never fired"}, no limit`;
}

function whom({ match, last4 }) {
  const parts = [];
  if (match.model) parts.push("for ", el("code", {}, match.model));
  if (match.prompt_contains) parts.push(" with ", el("q", {}, short(match.prompt_contains, 120)), " in the prompt");
  if (match.account) parts.push(" by ", el("code", {}, accounts().get(match.account) ?? callerName({ kind: "key", account: match.account, last4 })));
  return el("span", {}, parts.length ? "Edits " : "Any edit", ...parts);
}

function what(then) {
  const words = [];
  if (then.error) words.push(`${known.errors.find((error) => error.name === then.error.toLowerCase())?.status ?? ""} ${then.error}`.trim());
  if (then.retry_after !== undefined) words.push(`Retry-After ${then.retry_after}`);
  if (then.fault) words.push(then.fault);
  if (then.latency) words.push(`${then.latency} more`);
  if (then.latency_ms !== undefined) words.push(`${then.latency_ms} ms more`);
  if (then.seed !== undefined) words.push(`seed ${then.seed}`);
  if (then.adult !== undefined) words.push(then.adult ? "marked as adult" : "not marked as adult");
  return words.join(", ");
}

function orderOf(form) {
  const [kind, name] = form.what.value.split(":");
  const more = form.more.value.trim();
  const then = {};
  if (kind === "error") {
    then.error = name;
    if (more) then.retry_after = Number(more);
  } else if (kind === "fault") then.fault = more ? `${name}@${more}` : name;
  else if (kind === "latency") then.latency = more || "800ms";
  else then.adult = true;
  const match = Object.fromEntries(["model", "prompt_contains", "key"].map((each) => [each, form[each].value]).filter(([, text]) => text));
  return { match, then, ...(form.times.value ? { times: Number(form.times.value) } : {}) };
}

function explain() {
  const form = $("rule-form");
  const [kind, name] = form.what.value.split(":");
  const words = MORE[kind];
  $("more-label").hidden = !words;
  if (words) {
    $("more-text").textContent = words[0];
    form.more.placeholder = words[1];
  }
  form.more.value = "";
  const found = [...known.errors, ...known.faults].find((each) => each.name === name);
  $("rule-words").textContent = found?.text ?? "";
}

function make(order, title) {
  return act(async () => {
    await send("POST", "rules", order);
    toast(title ? `Made: the next edit ${title}.` : "The rule is made.");
  });
}

async function act(doing) {
  try {
    await doing();
    await draw();
  } catch (error) {
    toast(error.message, "bad");
  }
}
