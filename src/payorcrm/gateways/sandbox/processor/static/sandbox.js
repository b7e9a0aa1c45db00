// The processor's fields: formats what is typed, and in an iframe speaks with its parent. The server checks everything.
"use strict";

const form = document.getElementById("fields");
const parentOrigin = form.dataset.parent || "";
const isFramed = parentOrigin !== "" && window.parent !== window;
const field = (name) => document.getElementById(name);
const words = JSON.parse(form.dataset.words);
const said = (text) => words[text] || text;

const BRANDS = [
  ["Visa", /^4/, [4, 4, 4, 4, 3]],
  ["Mastercard", /^(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720))/, [4, 4, 4, 4]],
  ["Amex", /^3[47]/, [4, 6, 5]],
  ["Discover", /^(6011|64[4-9]|65)/, [4, 4, 4, 4, 3]],
];

const digitsOf = (text) => text.replace(/\D/g, "");
const brandOf = (digits) => BRANDS.find(([, pattern]) => pattern.test(digits));

function grouped(digits) {
  const sizes = (brandOf(digits) || [null, null, [4, 4, 4, 4, 3]])[2];
  const parts = [];
  let at = 0;
  for (const size of sizes) {
    if (at < digits.length) parts.push(digits.slice(at, at + size));
    at += size;
  }
  return parts.join(" ");
}

function slashed(digits, wasDeleting) {
  const padded = /^[2-9]$/.test(digits) ? `0${digits}` : digits.slice(0, 4);
  if (padded.length < 2 || (padded.length === 2 && wasDeleting)) return padded;
  return `${padded.slice(0, 2)} / ${padded.slice(2)}`;
}

// Writes a new text and keeps the caret behind the same digit.
function rewrite(input, text) {
  if (input.value === text) return;
  const before = digitsOf(input.value.slice(0, input.selectionStart)).length;
  const wasAtEnd = input.selectionStart === input.value.length;
  input.value = text;
  let at = text.length;
  if (!wasAtEnd) {
    for (at = 0; at < text.length && digitsOf(text.slice(0, at)).length < before; at += 1);
  }
  input.setSelectionRange(at, at);
}

function watchCard() {
  const number = field("number"), expiry = field("expiry"), cvc = field("cvc"), badge = field("brand");
  number.addEventListener("input", () => {
    rewrite(number, grouped(digitsOf(number.value).slice(0, 19)));
    const brand = (brandOf(digitsOf(number.value)) || [""])[0];
    badge.textContent = brand;
    field("cvc-hint").textContent = said(brand === "Amex" ? "4 digits on the front" : "3 digits on the back");
  });
  expiry.addEventListener("input", (event) => {
    const typed = expiry.value.replace(/^(\d{1,2})\s*\/\s*20(\d\d)$/, "$1/$2");
    const deleting = (event.inputType || "").startsWith("delete");
    const text = /^\d\//.test(typed) ? `0${typed}` : typed;
    rewrite(expiry, slashed(digitsOf(text), deleting));
  });
  cvc.addEventListener("input", () => rewrite(cvc, digitsOf(cvc.value).slice(0, 4)));
}

function watchBank() {
  const routing = field("routing_number"), bank = field("bank");
  routing.addEventListener("input", async () => {
    const number = digitsOf(routing.value).slice(0, 9);
    rewrite(routing, number);
    bank.textContent = "";
    field("announcement").textContent = "";
    complain("routing_number", "");
    if (number.length < 9) return;
    const answer = await fetch(`/fields/routing/${number}?lang=${document.documentElement.lang}`).then((response) => response.json(), () => null);
    if (!answer || digitsOf(routing.value) !== number) return;
    bank.textContent = answer.bank_name;
    complain("routing_number", answer.complaint);
    const found = answer.bank_name ? said("The routing number belongs to %s.").replace("%s", () => answer.bank_name) : "";
    field("announcement").textContent = answer.complaint || found;
  });
  const account = field("account_number"), again = field("account_number_again");
  again.addEventListener("blur", () => {
    const differs = again.value !== "" && digitsOf(again.value) !== digitsOf(account.value);
    complain("account_number_again", differs ? said("The two account numbers differ.") : "");
    field("announcement").textContent = differs ? said("The two account numbers differ.") : "";
  });
}

function complain(name, text) {
  const input = field(name), complaint = field(`${name}-complaint`);
  complaint.textContent = text;
  complaint.hidden = !text;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function complainAll(complaints) {
  const summary = field("summary"), list = summary.querySelector("ul");
  list.replaceChildren();
  for (const complaint of form.querySelectorAll(".complaint")) {
    const name = complaint.id.replace(/-complaint$/, "");
    complain(name, complaints[name] || "");
    if (!complaints[name]) continue;
    const label = form.querySelector(`label[for="${name}"], #${name} legend`).textContent;
    const link = document.createElement("a");
    link.href = `#${name}`;
    link.textContent = `${label}: ${complaints[name]}`;
    list.appendChild(document.createElement("li")).append(link);
  }
  summary.hidden = !list.children.length;
  if (list.children.length) form.querySelector('[aria-invalid="true"]').focus();
}

function tell(message) {
  window.parent.postMessage({ source: "payorcrm-fields", ...message }, parentOrigin);
}

const NOT_SENT = "The payment processor does not answer. Nothing was charged. Please try again in a moment.";
let isSending = false;

async function send() {
  if (isSending) return;
  isSending = true;
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const answer = await response.json();
    complainAll(answer.complaints || {});
    if (answer.token) tell({ type: "token", token: answer.token, summary: answer.summary });
    else tell({ type: "error", message: answer.message || said("Nothing was charged. Please check the marked fields.") });
  } catch {
    tell({ type: "error", message: said(NOT_SENT) });
  } finally {
    isSending = false;
  }
}

function listenToParent() {
  window.addEventListener("message", (event) => {
    if (event.origin !== parentOrigin || event.source !== window.parent) return;
    if (event.data && event.data.source === "payorcrm" && event.data.type === "submit") send();
  });
  // The parent owns the button, and with it the consent beside it: Enter goes on to the next field instead.
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.type === "radio") return;
    event.preventDefault();
    const inputs = [...form.querySelectorAll("input")];
    const next = inputs[inputs.indexOf(event.target) + 1];
    if (next) next.focus();
  });
  const main = document.querySelector("main");
  const report = () => tell({ type: "resize", height: Math.ceil(main.getBoundingClientRect().height) });
  new ResizeObserver(report).observe(main);
  report();
}

function guardButton() {
  form.addEventListener("submit", (event) => {
    const button = form.querySelector(".primary");
    if (button.getAttribute("aria-busy") === "true") event.preventDefault();
    button.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => form.querySelector(".primary").removeAttribute("aria-busy"));
  const summary = field("summary");
  if (!summary.hidden) summary.focus();
}

function offerTestNumbers() {
  const year = String(new Date().getFullYear() + 4).slice(2);
  for (const button of document.querySelectorAll(".fill")) {
    button.hidden = false;
    button.setAttribute("aria-label", `${said("Use")} ${button.dataset.number}`);
    button.addEventListener("click", () => {
      const number = button.dataset.number;
      const entry = form.dataset.kind === "card"
        ? { number, expiry: `12${year}`, cvc: number.startsWith("3") ? "1234" : "123" }
        : { routing_number: button.dataset.routing, account_number: number, account_number_again: number };
      for (const [name, value] of Object.entries({ ...entry, name: field("name").value || "Test Payer" })) {
        field(name).value = value;
        field(name).dispatchEvent(new InputEvent("input", { bubbles: true }));
      }
      complainAll({});
    });
  }
}

if (form.dataset.kind === "card") watchCard();
else watchBank();
if (isFramed) listenToParent();
else guardButton();
offerTestNumbers();
