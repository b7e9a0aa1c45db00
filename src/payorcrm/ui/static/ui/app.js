// Comforts only: every page works without this file.

// A pressed button says that it is working and cannot be pressed twice by the same hand.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("method") !== "post" || event.submitter?.formTarget || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});

// A page brought back by the browser's Back button must be usable again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// One box in a table's head ticks all boxes of its form.
document.addEventListener("change", (event) => {
  const name = event.target.dataset.ticks;
  if (!name) return;
  for (const box of event.target.form.querySelectorAll(`input[name="${name}"]`)) box.checked = event.target.checked;
});

// A menu closes on Escape and on a press elsewhere.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  closeMenus();
  menu?.querySelector("summary").focus();
});

// Whoever types while a part of the page is on its way keeps what was typed: the answer knows only what was sent.
const fieldsIn = (part) => part?.querySelectorAll("input[id]:not([type=hidden], [type=checkbox], [type=radio]), select[id], textarea[id]") ?? [];
const sent = new WeakMap();
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  sent.set(detail.xhr, new Map([...fieldsIn(detail.target)].map((field) => [field.id, field.value])));
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const before = sent.get(detail.xhr);
  for (const field of fieldsIn(detail.target)) {
    if (!before?.has(field.id) || before.get(field.id) === field.value) before?.delete(field.id);
    else before.set(field.id, { sent: before.get(field.id), typed: field.value, caret: field.selectionStart ?? null });
  }
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  for (const [id, kept] of sent.get(detail.xhr) ?? []) {
    const field = document.getElementById(id);
    if (field?.value !== kept.sent) continue;
    field.value = kept.typed;
    if (kept.caret !== null && field === document.activeElement) field.setSelectionRange(kept.caret, kept.caret);
  }
});
