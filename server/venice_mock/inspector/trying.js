// A first edit, sent from the page to the vendor's own path, as any client would.

import { $, el, fill, toast } from "./page.js";
import { here } from "./talk.js";

const PROMPTS = ["make it a sunset", "make it a pencil sketch", "turn day into a starry night", "16 bit pixel art", "add a red balloon in the sky", "make it winter with snow"];
let api = null;
let picture = null; // a File; null: the sample
let shown = null; // an object URL
let sending = () => {};

export function start(choices, apiPath, onSending) {
  api = apiPath;
  sending = onSending;
  const form = $("try-form");
  fill($("prompts"), PROMPTS.map((text) => el("button", { type: "button", onclick: () => { form.prompt.value = text; form.prompt.focus(); } }, text)));
  form.model.append(...choices.models.map((model) => el("option", { value: model.name }, `${model.name}${model.default ? " (default)" : ""}`)));
  fill($("keys"), choices.keys.map((key) => el("option", { value: key.name }, key.text)));
  const models = () => {
    const usual = choices.models.find((model) => (form.model.value ? model.name === form.model.value : model.default));
    for (const [name, list] of [["aspect_ratio", usual.aspect_ratios], ["resolution", usual.resolutions]]) {
      const before = form[name].value;
      fill(form[name], el("option", { value: "" }, "not said"), list.map((each) => el("option", { value: each }, each)));
      form[name].value = list.includes(before) ? before : "";
      form[name].disabled = !list.length;
    }
  };
  const words = () => ($("key-words").textContent = choices.keys.find((key) => key.name === form.key.value)?.text ?? "");
  form.model.addEventListener("change", models);
  form.key.addEventListener("input", words);
  models();
  words();
  form.file.addEventListener("change", () => take(form.file.files[0]));
  const dialog = $("try-dialog");
  dialog.addEventListener("dragover", (event) => event.preventDefault());
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    edit(form);
  });
  $("try").addEventListener("click", open);
}

export function open() {
  if (!shown && !picture) $("try-picture").src = here("sample.png");
  $("try-dialog").showModal();
  $("try-form").prompt.select();
}

function take(file) {
  if (!file) return;
  picture = file;
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(file);
  $("try-picture").src = shown;
}

async function edit(form) {
  const body = new FormData();
  for (const name of ["prompt", "model", "aspect_ratio", "resolution"]) if (form[name].value) body.append(name, form[name].value);
  $("try").disabled = true;
  sending();
  try {
    body.append("image", picture ?? (await (await fetch(here("sample.png"))).blob()), picture?.name ?? "sample.png");
    const headers = form.key.value ? { Authorization: `Bearer ${form.key.value}` } : {};
    const answer = await fetch(`${api}/image/edit`, { method: "POST", body, headers, credentials: "omit" });
    await answer.blob();
  } catch {
    toast("The answer was lost on its way.", "bad");
  } finally {
    $("try").disabled = false;
  }
}
