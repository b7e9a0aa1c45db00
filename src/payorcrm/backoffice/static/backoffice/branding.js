// A comfort only: shows a colour and a logo before they are saved. Without it, saving shows them.
const form = document.querySelector("[data-preview]");
const preview = document.getElementById("preview");
const verdict = document.getElementById("verdict");

const show = async (colour) => {
  const answer = await fetch(`${form.dataset.preview}?accent_color=${encodeURIComponent(colour)}`);
  if (!answer.ok || form.elements.accent_color.value !== colour) return;
  const looks = await answer.json();
  for (const scheme of ["light", "dark"]) {
    const style = preview.querySelector(`.scheme.${scheme}`).style;
    for (const [name, value] of Object.entries(looks[scheme])) style.setProperty(name, value);
  }
  verdict.textContent = looks.words;
  verdict.classList.toggle("warn", !looks.is_good);
};

let waiting;
const field = form?.elements.accent_color;
const follow = () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, 120, field.value);
};
field?.addEventListener("input", follow);
// Chosen before this file arrived, or kept by the browser over a reload.
if (field && field.value !== field.defaultValue) follow();

// A word mark needs no name beside it; the server decides the same way.
const WORD_MARK = 2.2;
const put = (picture) => {
  for (const brand of preview.querySelectorAll(".brand")) {
    const name = document.createElement("span");
    name.textContent = preview.dataset.name;
    const copy = picture.cloneNode();
    brand.replaceChildren(...(picture.naturalWidth / picture.naturalHeight >= WORD_MARK ? [copy] : [copy, name]));
  }
};
form?.elements.new_logo.addEventListener("change", (event) => {
  const file = event.target.files[0];
  if (!file?.type.startsWith("image/")) return;
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    const picture = new Image();
    picture.alt = "";
    picture.addEventListener("load", () => put(picture));
    picture.src = reader.result;
  });
  reader.readAsDataURL(file);
});
