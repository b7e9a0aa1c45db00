// Says what the selection comes to, and keeps it from page to page. Without this file the form pays what is ticked on one page.
const form = document.querySelector("#basket");
const bar = form?.querySelector(".paybar");

if (bar) {
  const words = bar.dataset;
  const key = `basket ${form.dataset.customer}`;
  const boxes = [...form.querySelectorAll('input[name="invoice"]')];
  const all = form.querySelector("[data-ticks]");
  const status = bar.querySelector("[role=status]");
  const clear = bar.querySelector("[type=reset]");
  const pay = bar.querySelector(".primary");
  const plural = new Intl.PluralRules(words.locale);

  const read = () => {
    try { return new Map(JSON.parse(sessionStorage.getItem(key) ?? "[]")); } catch { return new Map(); }
  };
  const write = (chosen) => sessionStorage.setItem(key, JSON.stringify([...chosen]));
  const money = (minor, currency) => {
    const format = new Intl.NumberFormat(words.locale, { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  };
  const say = (name, count, total) => {
    const pattern = words[name + (plural.select(count) === "one" ? "One" : "Other")] ?? words[plural.select(count) === "one" ? "one" : "other"];
    return pattern.replace("{count}", count.toLocaleString(words.locale)).replace("{total}", total);
  };

  const show = (chosen) => {
    const currencies = new Set([...chosen.values()].map(([, currency]) => currency));
    const minor = [...chosen.values()].reduce((sum, [each]) => sum + each, 0);
    const isMixed = currencies.size > 1;
    status.textContent = !chosen.size ? words.none : isMixed ? words.mixed : say("", chosen.size);
    pay.disabled = !chosen.size || isMixed;
    clear.disabled = !chosen.size;
    bar.toggleAttribute("data-empty", !chosen.size);
    if (chosen.size && !isMixed) pay.textContent = say("pay", chosen.size, money(minor, [...currencies][0]));
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = boxes.length > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };

  const take = () => {
    const chosen = read();
    for (const box of boxes) {
      if (box.checked) chosen.set(box.value, [Number(box.dataset.minor), box.dataset.currency]);
      else chosen.delete(box.value);
    }
    write(chosen);
    show(chosen);
  };

  const begin = () => {
    for (const hidden of form.querySelectorAll("input[data-elsewhere]")) hidden.remove();
    const chosen = read();
    for (const box of boxes) box.checked ||= chosen.has(box.value);
    take();
  };

  document.addEventListener("change", (event) => event.target.form === form && take());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    for (const box of boxes) box.checked = false;
    write(new Map());
    take();
  });
  // What is ticked on other pages goes along; what has been sent is selected no more.
  form.addEventListener("submit", () => {
    const here = new Set(boxes.map((box) => box.value));
    for (const id of read().keys()) {
      if (here.has(id)) continue;
      const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: "invoice", value: id });
      hidden.dataset.elsewhere = "";
      form.append(hidden);
    }
    sessionStorage.removeItem(key);
  });
  window.addEventListener("pageshow", (event) => event.persisted && begin());
  begin();
}
