(() => {
  "use strict";
  const form = document.getElementById("filter");
  const rules = Array.from(document.querySelectorAll("details.rule"), (element) => ({
    element,
    text: Array.from(element.querySelectorAll(":scope > summary, .case > summary, .facts, .sentence, .notes"), (part) => part.textContent)
      .join(" ").toLowerCase(),
  }));
  const sections = Array.from(document.querySelectorAll("section.verdicts"));
  const field = (name) => form.elements.namedItem(name);
  const boxes = Array.from(form.querySelectorAll("input[type=checkbox]"));

  function apply() {
    const words = field("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const group = field("group").value;
    const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let shown = 0;
    for (const { element, text } of rules) {
      const fits = (!verdicts.size || verdicts.has(element.dataset.verdict)) &&
        (!group || element.dataset.group === group) && words.every((word) => text.includes(word));
      element.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("details.rule:not([hidden])");
    }
    field("shown").value = shown === rules.length ? `${shown} rules` : `${shown} of ${rules.length} rules`;
  }

  function openAll(open) {
    for (const { element } of rules) {
      if (!element.hidden) element.open = open;
    }
  }

  function openNamed() {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named && named.matches("details.rule")) {
      named.open = true;
      named.scrollIntoView();
    }
  }

  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  field("open").addEventListener("click", () => openAll(true));
  field("close").addEventListener("click", () => openAll(false));
  addEventListener("hashchange", openNamed);
  apply();
  openNamed();
})();
