// A comfort only: the browser knows its time zone better than a guess from its languages does.
const form = document.querySelector("[data-sign-up]:not([data-typed])");
const zones = form?.elements.time_zone;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zones && zones.value !== zone && [...zones.options].some((option) => option.value === zone)) {
  zones.value = zone;
  // htmx asks for what follows from it as soon as it is ready.
  addEventListener("load", () => zones.dispatchEvent(new Event("change", { bubbles: true })));
}
