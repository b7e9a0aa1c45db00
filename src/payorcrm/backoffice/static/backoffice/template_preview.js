// The preview of a reminder follows the typing; without this file a press on “Show” does it.

{
  const form = document.querySelector("form[data-editor]");
  const button = form.querySelector("[data-preview]");
  let count = 0;

  // A new frame each time, which takes the old one's place when it is ready: nothing flickers, and the browser's
  // history is not filled with previews.
  const show = () => {
    form.querySelector("iframe.coming")?.remove();
    const shown = form.querySelector("iframe.frame");
    const coming = shown.cloneNode();
    coming.name = button.formTarget = `preview-${++count}`;
    coming.classList.add("coming");
    shown.after(coming);
    coming.addEventListener("load", () => {
      shown.remove();
      coming.classList.remove("coming");
    }, { once: true });
    form.requestSubmit(button);
  };

  let timer;
  form.addEventListener("input", ({ target }) => {
    if (target.name === "screen" || target.name === "name") return;
    clearTimeout(timer);
    timer = setTimeout(show, "shows" in target.dataset ? 0 : 500);
  });
  show();
}
