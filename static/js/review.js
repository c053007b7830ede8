// Shortcuts of the overnight review: j and k move between rows, s, r and n decide, c checks, / goes to the search
// of the page's header, ? opens help, Escape closes the question in a row. All but Escape are off while somebody
// types in a field, with a modifier key, in a dialog, and when switched off (remembered in this browser).
// Everything they do a button on the page does too.
const KEY = "review-shortcuts";
const note = document.querySelector("[data-shortcuts-note]");
const state = document.querySelector("[data-shortcuts-state]");
const toggle = document.querySelector("[data-shortcuts-toggle]");
const help = document.getElementById("shortcuts-help");
const NO_ANSWER = "The server cannot be reached. What you chose is still here: try again.";
const REFUSED = {
  403: "The server refused this, and nothing was saved. Perhaps you signed in again in another tab: reload the page, then mark it again.",
  404: "This report waits no longer: somebody has submitted it. Reload the page.",
};
const FAILED = "The server could not do this. What you chose is still here: try again.";

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

function currentRow() {
  return rows().find((row) => row.id === currentId);
}

function mark(row) {
  for (const other of rows()) other.classList.toggle("is-current", other === row);
  currentId = row.id;
}

function goTo(row) {
  mark(row);
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  // Of a row that is taller than the window the beginning is to be seen.
  row.scrollIntoView({ block: row.offsetHeight > innerHeight / 2 ? "start" : "nearest" });
}

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const at = all.findIndex((row) => row.id === currentId);
  const to = at === -1 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  goTo(all[to]);
}

function press(selector) {
  currentRow()?.querySelector(selector)?.click();
}

// Where a case cannot be suitable there is no button, and whoever does not see the row is told why.
function markSuitable() {
  const why = currentRow()?.dataset.ineligible;
  if (why) document.getElementById("review-told").textContent = why;
  else press("[data-suitable]");
}

// From the list to the check page; there to what is still to be ticked, and then to the button.
function check() {
  const link = document.querySelector("[data-check]");
  const submit = document.querySelector("[data-submit]");
  if (link) link.click();
  else (submit?.form.querySelector("input:invalid") ?? submit)?.focus();
}

// The field, or where there is no room for it the link to its page: what is not shown takes no focus.
function search() {
  for (const each of document.querySelectorAll("[data-search]")) each.focus();
}

const actions = {
  j: () => move(1),
  k: () => move(-1),
  s: markSuitable,
  r: () => press("[data-refer-now]"),
  n: () => press("[data-not-suitable]"),
  c: check,
  "/": search,
};

function typing(target) {
  const fields = "input:not([type=checkbox]), textarea, select, [role='textbox']";
  return target.isContentEditable || target.closest(fields) !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    currentRow()?.querySelector("[data-question] form")?.reset();
    return;
  }
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

function firstToAnswer(question) {
  return (
    question.querySelector("[aria-invalid=true]") ??
    question.querySelector("input:checked, select, input:not([type=hidden])")
  );
}

function opened(question) {
  firstToAnswer(question)?.focus({ preventScroll: true });
  question.scrollIntoView({ block: "nearest" });
}

// A mark replaces its row. The focus that was in it goes on to the next one without a mark, unless this one was
// refused or cleared.
function marked(row) {
  if (document.activeElement !== document.body) return;
  if (row.dataset.reviewRow !== "marked" || row.querySelector("[role=alert]")) return goTo(row);
  const all = rows();
  const at = all.indexOf(row);
  const next = [...all.slice(at + 1), ...all.slice(0, at)].find((each) => each.dataset.reviewRow !== "marked");
  if (next) goTo(next);
  else document.querySelector("[data-check]")?.focus();
}

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.matches("[data-question]")) opened(target);
  else if (target.matches("[data-review-row]")) marked(target);
});

function formOf(link) {
  const form = link.closest("[data-review-row]")?.querySelector("[data-question] form");
  return form && form.getAttribute("action") === link.getAttribute("href") ? form : null;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const row = event.target.closest("[data-review-row]");
  row?.querySelector("[data-failed]")?.remove();
  // What was chosen in a question that is open already stays.
  if (row && formOf(event.target)) {
    event.preventDefault();
    opened(event.target.closest("td").querySelector("[data-question]"));
  }
});

document.addEventListener("reset", ({ target: form }) => {
  const question = form.closest("[data-question]");
  if (!question) return;
  const row = question.closest("[data-review-row]");
  const link = [...row.querySelectorAll("a")].find((each) => formOf(each));
  question.replaceChildren();
  link?.focus();
});

function failed(event, words) {
  const question = event.target.closest("[data-review-row]")?.querySelector("[data-question]");
  if (!question) return;
  const said = document.createElement("p");
  said.className = "govuk-error-message";
  said.dataset.failed = "";
  said.setAttribute("role", "alert");
  said.textContent = words;
  question.before(said);
  said.scrollIntoView({ block: "nearest" });
}

document.addEventListener("htmx:sendError", (event) => failed(event, NO_ANSWER));
document.addEventListener("htmx:responseError", (event) => {
  failed(event, REFUSED[event.detail.xhr.status] ?? FAILED);
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

// A tick of the check page is put back when the page is shown again with the same texts for the same person.
for (const box of document.querySelectorAll("[data-tick]")) {
  const name = box.dataset.tick;
  try {
    box.checked ||= sessionStorage.getItem(name) !== null;
    box.addEventListener("change", () => {
      if (box.checked) sessionStorage.setItem(name, "");
      else sessionStorage.removeItem(name);
    });
  } catch {
    // As above.
  }
}

// Back from a page that decided one row: go on from there.
const returned = document.getElementById(location.hash.slice(1));
if (returned?.matches("[data-review-row]")) mark(returned);
showState();
