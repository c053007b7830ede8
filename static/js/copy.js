// <button data-copy="ID" hidden>: copies the text of the element with that id and says so.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;

  const told = document.createElement("span");
  told.setAttribute("role", "status");
  told.className = "app-muted";
  button.after(" ", told);
  button.hidden = false;

  button.addEventListener("click", async () => {
    told.textContent = "";
    const text = "value" in source ? source.value : source.innerText;
    try {
      await navigator.clipboard.writeText(text.trim());
      told.textContent = "Copied";
    } catch {
      // No clipboard outside HTTPS, or none allowed: mark the words for the person to copy.
      if ("select" in source) source.select();
      else getSelection().selectAllChildren(source);
      told.textContent = "Selected: press Ctrl and C to copy";
    }
  });
}
