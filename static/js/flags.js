// <div data-tick-all hidden> with a box in it: ticks every box with a name in its form, and says when all are.
for (const all of document.querySelectorAll("[data-tick-all]")) {
  const box = all.querySelector("input");
  const others = [...box.form.querySelectorAll("input[type=checkbox][name]")];

  function show() {
    const ticked = others.filter((other) => other.checked).length;
    box.checked = ticked === others.length;
    box.indeterminate = ticked > 0 && !box.checked;
  }

  box.addEventListener("change", () => {
    const ticked = box.checked;
    for (const other of others) if (other.checked !== ticked) other.click();
  });
  box.form.addEventListener("change", show);
  all.hidden = false;
  show();
}
