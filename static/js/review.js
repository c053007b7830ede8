// Shortcuts of the overnight review: j and k move between rows, s, r and n decide, / goes to the search of the
// page's header, ? opens help. They are off
// while a field has the focus, with a modifier key, in a dialog, and when switched off (remembered in this
// browser). Everything they do a button on the page does too.
const KEY = "review-shortcuts";
const note = document.querySelector("[data-shortcuts-note]");
const state = document.querySelector("[data-shortcuts-state]");
const toggle = document.querySelector("[data-shortcuts-toggle]");
const help = document.getElementById("shortcuts-help");

let on = true;
let currentId = "";

try {
  on = localStorage.getItem(KEY) !== "off";
} catch {
  // Storage may be forbidden; then the choice lasts for the page.
}

function showState() {
  if (note) note.hidden = false;
  if (state) state.textContent = on ? "on" : "off";
  if (toggle) toggle.textContent = on ? "Turn off" : "Turn on";
}

function rows() {
  return [...document.querySelectorAll("[data-review-row]")];
}

function mark(row) {
  for (const other of rows()) other.classList.toggle("is-current", other === row);
  currentId = row.id;
}

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.id === currentId);
  const to = at === -1 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  const row = all[to];
  mark(row);
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function press(selector) {
  const row = rows().find((each) => each.id === currentId);
  row?.querySelector(selector)?.click();
}

// The field, or where there is no room for it the link to its page: what is not shown takes no focus.
function search() {
  for (const each of document.querySelectorAll("[data-search]")) each.focus();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  s: () => press("[data-suitable]"),
  r: () => press("[data-refer-now]"),
  n: () => press("[data-not-suitable]"),
  "/": search,
};

function typing(target) {
  return target.isContentEditable || target.closest("input, textarea, select, [role='textbox']") !== null;
}

document.addEventListener("keydown", (event) => {
  if (!on || event.ctrlKey || event.altKey || event.metaKey || event.repeat || typing(event.target)) return;
  if (event.key === "?") {
    event.preventDefault();
    if (help?.open) help.close();
    else if (!document.querySelector("dialog[open]")) help?.showModal();
    return;
  }
  const action = actions[event.key];
  if (!action || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  action();
});

// Where the focus goes by Tab or by mouse, the current row follows.
document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-review-row]");
  if (row) mark(row);
});

// A decision replaces its row; the current one stays current and keeps the focus.
document.addEventListener("htmx:afterSettle", () => {
  const row = currentId && document.getElementById(currentId);
  if (!row) return;
  mark(row);
  if (document.activeElement === document.body) {
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }
});

toggle?.addEventListener("click", () => {
  on = !on;
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // As above.
  }
  showState();
});

// Back from a page that decided one row: go on from there.
const returned = document.getElementById(location.hash.slice(1));
if (returned?.matches("[data-review-row]")) mark(returned);
showState();
