// Why a request went as it did: refused, spoilt, charged in vain, or changed by whom.

import { faultsOf, isAnswerLost, isChargedInVain, statusClass } from "./outcome.js";
import { button, el, prose, usd } from "./page.js";

const LEVELS = { must: "a must", should: "a should", may: "a may", observe: "observed" };
const FAULTS_SHOWN = 20;
const BY = {
  key: (text) => ["the key ", el("code", {}, text)],
  header: (text) => ["the header ", el("code", {}, text)],
  prompt: (text) => ["the prompt's ", el("code", {}, text)],
};

/** The card, or null where all went as it would for anybody. `rules`: show() leads to them, words(id) says what one does. */
export function why(entry, rules) {
  const { error, fault, cause } = entry;
  if (!error && !fault && (!cause || cause.startsWith("key:mock_ok"))) return null;
  const kind = isChargedInVain(entry) ? "failed" : error || fault ? statusClass(entry) : "";
  return el("section", { class: `card why ${kind}`, "aria-label": "Why" },
    el("h3", {}, title(entry)),
    error ? refusal(entry) : null,
    isChargedInVain(entry) ? inVain(entry) : null,
    fault ? el("p", {}, "Fault: ", el("code", {}, fault)) : null,
    cause ? el("p", {}, "Injected by ", ...cause.split(", ").flatMap((each, at) => [at ? ", " : "", ...by(each, rules)]), ".") : null,
    error && entry.response.text ? el("pre", { class: "body", tabindex: 0 }, pretty(entry.response.text)) : null);
}

function title(entry) {
  if (isAnswerLost(entry)) return "Charged, answer lost";
  if (isChargedInVain(entry)) return "Charged, answer spoilt";
  if (entry.status === null) return "Connection lost, nothing charged";
  if (entry.error) return "Why it was refused";
  return entry.fault ? "The answer was slowed down" : "Not quite as usual";
}

function inVain(entry) {
  const outcome = entry.status === null ? "no answer came" : entry.error ? `the answer was ${entry.status}` : "what came cannot be used";
  return el("p", { class: "bad" }, `The edit was made and charged all the same: ${usd(entry.cost_usd)}. Your client cannot know: ${outcome}.`);
}

function refusal({ error, ...entry }) {
  const faults = faultsOf({ error, ...entry });
  const rule = error.rule;
  const hint = error.hint && error.hint !== rule?.text && faults.length < 2 ? error.hint : null;
  return [
    el("p", { class: "line" }, el("b", { class: "error-name" }, error.name), faults.length === 1 && faults[0].field ? el("code", {}, faults[0].field) : null, hint ? el("span", {}, hint) : null, faults.length > 1 ? el("span", {}, `${faults.length} faults:`) : null),
    faults.length > 1 ? el("ol", { class: "faults" }, faults.slice(0, FAULTS_SHOWN).map(({ field, message }) => el("li", {}, field ? el("code", {}, field) : null, field ? " " : null, message))) : null,
    rule ? el("blockquote", { class: "rule" },
      el("p", { class: "line" }, el("code", { class: "rule-id" }, rule.id), el("span", { class: "tag" }, LEVELS[rule.level] ?? rule.level), el("span", { class: "tag" }, rule.certainty), faults.length > 1 ? el("span", { class: "soft" }, "the rule of the first") : null),
      el("p", { class: "rule-text" }, prose(rule.text)),
      el("p", { class: "soft source" }, "Source: ", el("cite", {}, rule.source))) : null,
  ];
}

function by(cause, rules) {
  const at = cause.indexOf(":");
  const [kind, text] = [cause.slice(0, at), cause.slice(at + 1)];
  if (kind === "rule") return ["the rule ", button(text, rules.show, { class: "link", title: "To the rules" }), ...wordsOf(rules.words(text))];
  return BY[kind]?.(text) ?? [el("code", {}, cause)];
}

const wordsOf = (words) => (words ? [`: ${words}`] : []);

/** JSON with line breaks; other text as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
