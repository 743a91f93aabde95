// One request: what came, what was understood, what went back, why, what it cost, and how to repeat it.

import { isAnswerLost, isChargedInVain, isPicture, isSpoilt, statusClass } from "./outcome.js";
import { $, bytes, button, callerName, clockTime, copyButton, el, fill, milliseconds, usd } from "./page.js";
import { wordsOf } from "./rules.js";
import { here, show } from "./talk.js";
import { pretty, why } from "./why.js";

const SHOWN = new Set(["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP"]); // by every browser
const WORDS = { 200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 413: "Payload Too Large", 415: "Unsupported Media Type", 422: "Unprocessable", 429: "Too Many Requests", 499: "client left", 500: "Server Error", 503: "Unavailable", 504: "Gateway Timeout" };
const WAYS = { upload: "uploaded", base64: "as base64", data_url: "as a data URL", url: "by URL" };
const LONG = 240; // characters of a prompt
let view = "pair"; // or "slide"

export function draw(entry, empty) {
  const place = $("detail");
  place.scrollTop = 0;
  place.classList.toggle("empty", !entry);
  if (!entry) {
    fill(place, empty);
    return;
  }
  fill(place, back(), head(entry), why(entry, { show: () => (location.hash = "rules"), words: wordsOf }), pictures(entry), understood(entry), advice(entry), repeat(entry), raw(entry));
}

const back = () => button("← all requests", () => (location.hash = "requests"), { class: "button quiet back" });

function head(entry) {
  const status = entry.status === null ? "no answer" : `${entry.status} ${WORDS[entry.status] ?? ""}`;
  const times = entry.timings_ms;
  const fact = (name, value, title) => (value ? el("div", { title }, el("dt", {}, name), el("dd", { class: "number" }, ...[value].flat())) : null);
  return el("header", { class: "request-head" },
    el("p", { class: "line" },
      el("span", { class: `pill ${statusClass(entry)}` }, status.trim()),
      el("code", { class: "soft" }, `${entry.method} ${entry.path}${entry.request.query ? `?${entry.request.query}` : ""}`),
      el("span", { class: "soft number id" }, entry.id)),
    entry.prompt === null ? null : el("h2", { class: entry.prompt.length > LONG ? "prompt long" : "prompt", tabindex: entry.prompt.length > LONG ? 0 : null }, entry.prompt || "(an empty prompt)"),
    el("dl", { class: "facts-row" },
      fact("model", entry.model),
      fact("cost", entry.charged ? [usd(entry.cost_usd), isChargedInVain(entry) ? el("span", { class: "tag charged" }, "charged") : null] : "nothing", entry.charge ? `booked as ${entry.charge}` : null),
      fact("took", times.total === undefined ? null : milliseconds(times.total), Object.entries(times).map(([name, ms]) => `${name} ${milliseconds(ms)}`).join(", ")),
      fact("caller", callerName(entry.caller), entry.caller.account),
      fact("at", clockTime(entry.at), entry.at)));
}

function pictures(entry) {
  const output = entry.response.media_type?.startsWith("image/") ? entry.response : null;
  if (!entry.image && !output) return null;
  const both = isPicture(entry) && entry.links.input && output && entry.links.output && entry.response.complete && !isSpoilt(entry);
  const place = el("section", { class: "pictures", "aria-label": "Pictures" });
  const redraw = () => fill(place, both ? views(redraw) : null, both && view === "slide" ? slider(entry) : pair(entry, output));
  redraw();
  return place;
}

function views(redraw) {
  const one = (name, text) => el("button", { type: "button", "aria-pressed": String(view === name), onclick: () => { view = name; redraw(); } }, text);
  return el("div", { class: "chips", role: "group", "aria-label": "How to see both" }, one("pair", "side by side"), one("slide", "slide over"));
}

function pair(entry, output) {
  return el("div", { class: "pair" },
    figure("Sent", entry.image ? pictureSent(entry) : null, sentFacts(entry), "no picture was sent"),
    isAnswerLost(entry)
      ? figure("Made, never came", pictureMade(entry), madeFacts(entry), backWords(entry))
      : figure("Came back", output ? pictureBack(entry) : isSpoilt(entry) ? pictureMade(entry, `what came calls itself ${entry.response.media_type}; in small, what was made`) : null, backFacts(entry, output), backWords(entry)));
}

function figure(name, picture, facts, otherwise) {
  return el("figure", {}, el("figcaption", {}, el("b", {}, name), ...facts), picture ?? el("div", { class: "frame nothing soft" }, otherwise));
}

function pictureSent(entry) {
  const name = "The picture that was sent";
  if (entry.links.input && SHOWN.has(entry.image.format)) return frame(name, `requests/${entry.id}/input`, entry);
  return entry.links.input_thumbnail && isPicture(entry) ? frame(name, `requests/${entry.id}/thumbnail?of=input`, entry) : el("div", { class: "frame nothing soft" }, entry.links.input ? "this is no picture that can be shown" : entry.image.url ?? "not kept any more");
}

function pictureBack(entry) {
  const name = "The picture that came back";
  if (entry.links.output) return frame(name, `requests/${entry.id}/output`, entry, () => pictureMade(entry, "what was sent cannot be shown; in small, what was made"));
  return pictureMade(entry) ?? el("div", { class: "frame nothing soft" }, "not kept any more");
}

/** The picture that was made, whatever came of it: the journal keeps a small one. */
function pictureMade(entry, words = "in small: the journal keeps no more of it") {
  if (!entry.links.output_thumbnail) return null;
  const img = el("img", { alt: "The picture that was made", decoding: "async" });
  const made = el("div", { class: "frame small" }, img, el("p", { class: "soft" }, words));
  img.addEventListener("error", () => made.replaceWith(el("div", { class: "frame nothing soft" }, "not kept any more")), { once: true });
  show(img, `requests/${entry.id}/thumbnail?of=output`);
  return made;
}

function frame(alt, path, entry, otherwise = () => null) {
  const img = el("img", { alt, decoding: "async" });
  const made = el("button", { type: "button", class: "frame", "aria-label": `${alt}, in full size`, onclick: () => enlarge(alt, path) }, img);
  img.addEventListener("error", () => {
    made.replaceWith(otherwise() ?? el("div", { class: "frame nothing soft" }, entry.fault ? "cannot be shown: it was spoilt on purpose" : "cannot be shown"));
  }, { once: true });
  show(img, path);
  return made;
}

function enlarge(alt, path) {
  $("large").alt = alt;
  show($("large"), path);
  $("large-dialog").showModal();
}

function slider(entry) {
  const before = el("img", { alt: "Sent", class: "before", decoding: "async" });
  const after = el("img", { alt: "Came back", class: "after", decoding: "async" });
  const range = el("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "How much of the sent picture is seen" });
  const made = el("div", { class: "frame slide" }, after, before, el("span", { class: "edge", "aria-hidden": "true" }), range);
  const cut = () => made.style.setProperty("--cut", `${range.value}%`);
  range.addEventListener("input", cut);
  cut();
  show(before, `requests/${entry.id}/input`);
  show(after, `requests/${entry.id}/output`);
  return made;
}

const tag = (text, kind = "") => el("span", { class: `tag ${kind}` }, text);

function sentFacts(entry) {
  const image = entry.image;
  if (!image) return [];
  const size = image.width ? `${image.width}×${image.height}` : null;
  return [
    el("span", { class: "soft number" }, [image.format, size, image.bytes ? bytes(image.bytes) : null, WAYS[image.sent_as]].filter(Boolean).join(" · ")),
    image.mode && image.mode !== "RGB" ? tag(image.mode) : null,
    image.gps ? tag("GPS", "warn") : image.exif ? tag("EXIF") : null,
    image.icc ? tag("ICC") : null,
    image.adult ? tag("adult", "warn") : null,
  ];
}

function backFacts(entry, output) {
  if (!output) return [];
  const known = entry.understood;
  const kind = output.media_type.replace("image/", "").toUpperCase();
  return [
    el("span", { class: "soft number" }, [kind, known ? `${known.width}×${known.height}` : null, bytes(output.bytes)].filter(Boolean).join(" · ")),
    known?.blurred ? tag("blurred", "warn") : null,
    output.complete ? null : tag("cut short", "warn"),
  ];
}

function madeFacts({ understood: known }) {
  return known ? [el("span", { class: "soft number" }, `${known.output_format.toUpperCase()} · ${known.width}×${known.height}`), known.blurred ? tag("blurred", "warn") : null] : [];
}

function backWords(entry) {
  if (isAnswerLost(entry)) return "it was made, but is not kept";
  if (entry.status === null) return "no answer came: the connection was lost";
  return entry.error ? `no picture: ${entry.error.name}` : `no picture came back (${entry.response.media_type ?? "no body"})`;
}

function understood(entry) {
  const fields = entry.request.fields;
  if (!fields) return null;
  const known = entry.understood ?? {};
  const image = entry.image;
  const rows = [];
  const row = (name, sent, got, note) => {
    const known = got !== undefined && got !== null;
    if (!known && sent === undefined) return;
    rows.push(el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value(sent)), el("td", {}, value(got), known && note ? el("span", { class: "tag" }, note) : null)));
  };
  const given = (name) => fields[name] !== undefined;
  const usual = (name) => (given(name) ? null : "default");
  row("model", fields.model ?? fields.modelId, known.model, given("model") || given("modelId") ? null : "default");
  const inferred = image?.width ? `inferred from ${image.width}×${image.height}` : "inferred";
  row("aspect_ratio", fields.aspect_ratio, known.aspect_ratio, !given("aspect_ratio") || fields.aspect_ratio === "auto" ? inferred : null);
  row("resolution", fields.resolution, known.resolution, usual("resolution"));
  row("size", undefined, known.width ? `${known.width} × ${known.height}` : undefined);
  row("output_format", fields.output_format, known.output_format, usual("output_format"));
  if (known.quality || given("quality")) row("quality", fields.quality, known.quality, usual("quality"));
  row("safe_mode", fields.safe_mode, known.safe_mode, usual("safe_mode"));
  if (given("enhance_prompt") || known.enhanced_prompt) row("enhance_prompt", fields.enhance_prompt, known.enhanced_prompt);
  row("price", undefined, known.price_usd ? usd(known.price_usd) : undefined);
  row("seed", undefined, known.seed);
  const named = ["model", "modelId", "prompt", "aspect_ratio", "resolution", "output_format", "quality", "safe_mode", "enhance_prompt"];
  for (const name of Object.keys(fields).filter((each) => !named.includes(each))) row(name, fields[name], undefined);
  const words = entry.understood ? null : el("p", { class: "soft" }, entry.request.text ? "Nothing: its body could not be read as fields." : "It was refused before all of it was understood.");
  return el("section", { "aria-label": "What was understood" },
    el("h3", {}, "What was understood"), words,
    !rows.length ? null : el("div", { class: "scroll" }, el("table", { class: "understood" },
      el("thead", {}, el("tr", {}, el("th", {}, el("span", { class: "soft" }, "field")), el("th", { scope: "col" }, "sent"), el("th", { scope: "col" }, "understood"))),
      el("tbody", {}, rows))));
}

function value(given) {
  if (given === undefined || given === null) return el("span", { class: "soft" }, "–");
  const text = typeof given === "string" ? given : JSON.stringify(given);
  return el("code", { class: text.length > 150 ? "value long" : "value", tabindex: text.length > 150 ? 0 : null }, text);
}

function advice(entry) {
  if (!entry.lint.length) return null;
  return el("section", { "aria-label": "Advice" }, el("h3", {}, "Advice"),
    el("ul", { class: "advice" }, entry.lint.map((each) => el("li", {}, el("code", {}, each.field), el("span", {}, each.text)))));
}

function repeat(entry) {
  if (!entry.curl) return null;
  const line = el("code", { id: "curl" }, entry.curl);
  const words = wanting(entry);
  return el("section", { "aria-label": "Repeat it" },
    el("div", { class: "head" }, el("h3", {}, "Repeat it"), copyButton(line)),
    words ? el("p", { class: "soft note-line" }, words) : null,
    el("pre", { class: "curl", tabindex: 0 }, line));
}

/** In what the line is not the request that was made, if in anything. */
function wanting(entry) {
  if (entry.curl.includes("@BODY_FILE")) return "The body is not kept: put it into the file BODY_FILE.";
  if (/(@|cat )IMAGE_FILE/.test(entry.curl)) return "The picture is not kept any more: put it into the file IMAGE_FILE.";
  if (entry.image?.sent_as === "url" && entry.image.url?.includes("[hidden]")) return "The picture's address is not kept whole, as it may hold a secret: the line sends the file itself.";
  const announced = Number(entry.request.headers["content-length"] ?? 0);
  const unread = entry.request.fields === null && entry.request.text === null && announced > 0;
  return unread ? `Refused before its body was read, so the line sends none of those ${bytes(announced)}. The answer is the same.` : null;
}

function raw(entry) {
  const table = (headers) => el("table", { class: "headers" }, el("tbody", {}, Object.entries(headers).map(([name, text]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, text)))));
  return el("section", { class: "raw" },
    el("details", {}, el("summary", {}, `Request headers, ${bytes(entry.request.bytes)} of body`), table(entry.request.headers)),
    entry.request.text ? el("details", { open: true }, el("summary", {}, "Request's body"), el("pre", { class: "body", tabindex: 0 }, entry.request.text)) : null,
    el("details", {}, el("summary", {}, `Answer's headers, ${bytes(entry.response.bytes)} of body`), table(entry.response.headers)),
    entry.response.text && !entry.error ? el("details", {}, el("summary", {}, "Answer's body"), el("pre", { class: "body" }, pretty(entry.response.text))) : null,
    el("p", { class: "soft" }, el("a", { href: here(`requests/${entry.id}`), target: "_blank", rel: "noreferrer" }, "This entry as JSON")));
}
