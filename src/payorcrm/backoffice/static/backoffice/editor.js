// The editor of a reminder's text: fields and marks go where the cursor is, and the preview follows the typing.

const form = document.querySelector("form[data-editor]");
const body = form.elements.body;
let place = body;
for (const field of [form.elements.subject, body]) field.addEventListener("focus", () => (place = field));

const put = (field, before, after = "") => {
  const { selectionStart: start, selectionEnd: end, value } = field;
  field.focus();
  field.setRangeText(before + value.slice(start, end) + after, start, end, "end");
  if (after && start === end) field.setSelectionRange(start + before.length, start + before.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
};

form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert], [data-wrap]");
  if (!button) return;
  const { insert, wrap } = button.dataset;
  if (insert) put(place, insert);
  else put(body, `<${wrap}>`, `</${wrap}>`);
  button.closest("details")?.removeAttribute("open");
});

const previewButton = form.querySelector("[data-preview]");
const showPreview = () => {
  // A new frame each time: moving on inside one would fill the browser's history with previews.
  const frame = form.querySelector("iframe");
  frame.replaceWith(frame.cloneNode());
  form.requestSubmit(previewButton);
};
if (previewButton) {
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(showPreview, 600);
  });
  showPreview();
}
