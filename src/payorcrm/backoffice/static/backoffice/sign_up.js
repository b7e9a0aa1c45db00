// A comfort only: proposes what follows from the name and the time zone, until a person chooses otherwise.
const form = document.querySelector("[data-sign-up]");
const { business, slug, time_zone: zone, currency } = form.elements;
const words = document.getElementById("slug-words");
const chosen = new Set("typed" in form.dataset ? ["slug", "time_zone", "currency"] : []);

let asked;
const propose = async () => {
  asked?.abort();
  asked = new AbortController();
  const what = new URLSearchParams({ business: business.value, slug: chosen.has("slug") ? slug.value : "", time_zone: zone.value });
  try {
    const answer = await fetch(`${form.dataset.signUp}?${what}`, { signal: asked.signal });
    if (!answer.ok) return;
    const found = await answer.json();
    if (!chosen.has("slug")) slug.value = found.slug;
    if (!chosen.has("currency")) currency.value = found.currency;
    words.textContent = found.words;
    words.classList.toggle("warn", found.is_taken);
  } catch {
    // Left as it is: the form says the same when it is sent.
  }
};

form.addEventListener("change", (event) => {
  if (event.target === slug && !slug.value) chosen.delete("slug");
  else if ([slug, zone, currency].includes(event.target)) chosen.add(event.target.name);
  if ([business, slug, zone].includes(event.target)) propose();
});

// The browser knows its time zone better than a guess from its languages does.
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (!chosen.has("time_zone") && zone.value !== here && [...zone.options].some((option) => option.value === here)) {
  zone.value = here;
  propose();
}
