// A form marked data-submit-once is sent once, however often its button is pressed. The server keeps its own
// guard; this one spares the person a second wait. It lets go again, so that a lost connection is no dead end.
const HELD_FOR_MS = 10_000;
const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-submit-once]") || event.defaultPrevented) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  setTimeout(() => sent.delete(form), HELD_FOR_MS);
});
