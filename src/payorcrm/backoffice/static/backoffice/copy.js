// A comfort only: without it, the field is selected and copied by hand.
for (const button of document.querySelectorAll("[data-copies]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).value);
    document.getElementById("copied").textContent = "Copied.";
  });
}
