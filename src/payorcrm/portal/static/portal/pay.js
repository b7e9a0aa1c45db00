// The pay pages. They work without this file, with one press more.

const post = (form) => {
  if (form.dataset.sent) return;
  form.requestSubmit();
};

// A person is here once they move, touch or type. Scanners that only run scripts do none of that.
for (const form of document.querySelectorAll('form[data-post="when-a-person-is-here"]')) {
  const signs = ["pointermove", "pointerdown", "touchstart", "keydown"];
  const notice = (event) => {
    if (!event.isTrusted) return;
    for (const sign of signs) removeEventListener(sign, notice);
    post(form);
  };
  for (const sign of signs) addEventListener(sign, notice, { passive: true });
}

// The browser that asked for a confirmation completes it as soon as its page is really seen.
for (const form of document.querySelectorAll('form[data-post="when-visible"]')) {
  const look = () => {
    if (document.visibilityState === "visible" && !document.prerendering) post(form);
  };
  document.addEventListener("visibilitychange", look);
  document.addEventListener("prerenderingchange", look);
  look();
}

// The processor's fields live in their own frame; a token comes back, never a number.
for (const form of document.querySelectorAll("form[data-needs-fields]")) {
  const frame = form.querySelector("iframe");
  const token = form.elements.method_token;
  const button = form.querySelector("button");
  const problem = document.querySelector("#pay-problem");
  const origin = form.dataset.fieldsOrigin;

  form.addEventListener("submit", (event) => {
    if (token.value) return;
    event.preventDefault();
    button.setAttribute("aria-busy", "true");
    frame.contentWindow.postMessage({ source: "payorcrm", type: "submit" }, origin);
  });

  addEventListener("message", ({ data, origin: from, source }) => {
    if (from !== origin || source !== frame.contentWindow || data?.source !== "payorcrm-fields") return;
    if (data.type === "resize") frame.height = Math.min(2000, data.height);
    if (data.type === "token" && !token.value) {
      token.value = data.token;
      form.requestSubmit();
    }
    if (data.type === "error") {
      button.removeAttribute("aria-busy");
      problem.textContent = data.message || "";
    }
  });
}
