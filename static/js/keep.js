// Keeps what is typed into a form until it is saved, so that a locked phone or a session that ended loses nothing.
// A form is kept if it has the hidden field "kept" ({% kept_form %}); nothing is that was not changed by hand.
//
// It lies in this browser's storage alone, encrypted with a key that only the pages of the same account bring, and
// is gone once it is saved, after twelve hours, when another account opens a page here, and on signing out.
// The server keeps a form that reaches it after the session had ended by itself: src_app/accounts/kept_forms.py.
const PREFIX = "kept-form:";
const OWNER = "kept-forms-of";
const SAVED_COOKIE = /(?:^|; )(?:__Host-)?saved_forms=([^;]*)/;
const KEPT_FOR_MS = 12 * 60 * 60 * 1000;
const LOOK_EVERY_MS = 60_000;
const WRITE_AFTER_MS = 150;
const MOST_FORMS = 20;
const MOST_CHARACTERS = 50_000;
const NOT_TYPED = new Set(["hidden", "password", "file", "submit", "button", "reset", "image", "fieldset", "output"]);
const NOT_BACK = new Set(["kept", "csrfmiddlewaretoken"]);
const NOT_KEPT = new Set(["off", "one-time-code", "current-password", "new-password"]);

const told = document.querySelector("meta[name=kept-forms]");
const account = told?.content;
const timers = new Map();
const seen = new WeakSet();
// Names of forms that were sent as a part of the page, until they are shown again or done.
const asked = new Set();
let key = null;
let restoring = false;

// Storage may be forbidden or full: then nothing is kept, and everything else works as before.
function storage(use) {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}

function names() {
  return storage((store) => Object.keys(store).filter((name) => name.startsWith(PREFIX))) ?? [];
}

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

function drop(name) {
  clearTimeout(timers.get(name)?.timer);
  timers.delete(name);
  storage((store) => store.removeItem(name));
}

// What is older than twelve hours goes whoever looks.
function dropOld() {
  const now = Date.now();
  for (const name of names()) {
    const at = read(name)?.at;
    if (!(at <= now && now - at < KEPT_FOR_MS)) drop(name);
  }
}

// When a page opens, and never later: a page that was left open does not know who is signed in by then.
function dropOfOthers() {
  for (const name of names()) if (!name.startsWith(`${PREFIX}${account}:`)) drop(name);
}

function isOurs() {
  return storage((store) => store.getItem(OWNER)) === account;
}

function pathOf(form) {
  return new URL(form.getAttribute("action") || location.href, location.href).pathname;
}

function isKept(form) {
  const hasMark = form instanceof HTMLFormElement && form.querySelector("input[type=hidden][name=kept]");
  return Boolean(hasMark) && form.getAttribute("autocomplete") !== "off";
}

function keptForms() {
  return [...document.forms].filter(isKept);
}

// No page has two kept forms that go to one address: the server fills the first.
function nameFor(path) {
  return `${PREFIX}${account}:${path}`;
}

function nameOf(form) {
  return nameFor(pathOf(form));
}

// Which showing of the page it is: the server says by it which forms were saved.
function markOf(form) {
  return form.querySelector("input[name=kept]").value.split(":").pop();
}

function fieldsOf(form) {
  return [...form.elements].filter(
    (field) => field.name && !NOT_TYPED.has(field.type) && !NOT_KEPT.has(field.getAttribute("autocomplete")),
  );
}

function valuesOf(form) {
  return fieldsOf(form).flatMap((field) => {
    if (field.type === "checkbox" || field.type === "radio") {
      return field.checked ? [[field.name, field.value]] : [];
    }
    if (field.tagName === "SELECT") {
      return [...field.selectedOptions].map((option) => [field.name, option.value]);
    }
    return [[field.name, field.value]];
  });
}

function isSame(some, others) {
  return JSON.stringify(some) === JSON.stringify(others);
}

function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function textOf(bytes) {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}

async function write(form, name) {
  timers.delete(name);
  const content = JSON.stringify({ values: valuesOf(form), hidden: hiddenOf(form) });
  if (content.length > MOST_CHARACTERS) return drop(name);
  const at = Date.now();
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(content));
  // While it was encrypted somebody may have signed out in another tab, or something later may have been written.
  if (!isOurs() || read(name)?.at > at) return;
  const { sent, unanswered } = form.dataset;
  const entry = { at, sent, unanswered, iv: textOf(iv), sealed: textOf(sealed) };
  storage((store) => store.setItem(name, JSON.stringify(entry)));
  const all = names();
  if (all.length > MOST_FORMS) {
    all.sort((one, other) => read(one).at - read(other).at);
    for (const old of all.slice(0, all.length - MOST_FORMS)) drop(old);
  }
}

function writeSoon(form) {
  const name = nameOf(form);
  clearTimeout(timers.get(name)?.timer);
  const now = () => write(form, name);
  timers.set(name, { now, timer: setTimeout(now, WRITE_AFTER_MS) });
}

function writeNow() {
  for (const { now, timer } of timers.values()) {
    clearTimeout(timer);
    now();
  }
}

async function open(entry) {
  try {
    const way = { name: "AES-GCM", iv: bytesOf(entry.iv) };
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(way, key, bytesOf(entry.sealed))));
  } catch {
    return null;
  }
}

// What the page itself said, such as the version of a decision, or the key that makes one thing of what is sent
// twice: it goes back as it was, so that nothing is done twice or over what somebody else did meanwhile.
function hiddenFieldsOf(form) {
  return [...form.elements].filter((field) => field.type === "hidden" && field.name && !NOT_BACK.has(field.name));
}

function hiddenOf(form) {
  return hiddenFieldsOf(form).map((field) => [field.name, field.value]);
}

function putHidden(form, hidden) {
  const left = [...hidden];
  for (const field of hiddenFieldsOf(form)) {
    const at = left.findIndex(([name]) => name === field.name);
    if (at >= 0) field.value = left.splice(at, 1)[0][1];
  }
}

function put(form, values) {
  const left = new Map();
  for (const [name, value] of values) left.set(name, [...(left.get(name) ?? []), value]);
  for (const field of fieldsOf(form)) {
    const its = left.get(field.name) ?? [];
    const before = JSON.stringify([field.value, field.checked]);
    if (field.type === "checkbox" || field.type === "radio") field.checked = its.includes(field.value);
    else if (field.tagName === "SELECT") {
      for (const option of field.options) option.selected = its.includes(option.value);
    } else if (its.length > 0) field.value = its.shift();
    if (JSON.stringify([field.value, field.checked]) === before) continue;
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function tell(form, isUnanswered) {
  const notice = document.getElementById("kept-form-notice");
  const template = document.getElementById(isUnanswered ? "kept-form-unanswered" : "kept-form-unsaved");
  const said = template.content.cloneNode(true);
  const words = notice.querySelector(".app-banner__text");
  said.querySelector("[data-drop-kept]").dataset.dropKept = pathOf(form);
  // A notice that stands there keeps its button: the server's throws away what the server shows.
  if (!words) notice.replaceChildren(said);
  else if (isUnanswered) words.replaceWith(said.querySelector(".app-banner__text"));
}

async function restore(form) {
  const name = nameOf(form);
  // Sent a moment ago as a part of the page, and shown again as it was sent: nothing older goes over it.
  if (asked.delete(name)) return writeSoon(form);
  const entry = read(name);
  const kept = entry && (await open(entry));
  if (!kept) return drop(name);
  const isSentBack = entry.sent === markOf(form);
  const isFilled = "filled" in form.dataset;
  const isUnanswered = "unanswered" in entry || Boolean(entry.sent && !isSentBack && !isFilled);
  if (isUnanswered) form.dataset.unanswered = "";
  if (isSame(kept.values, valuesOf(form))) {
    // The page shows it already: sent back with errors, or by the server after the session had ended. Otherwise it
    // is what was saved.
    if (!isSentBack && !isFilled) return drop(name);
    storage((store) => store.setItem(name, JSON.stringify({ ...entry, sent: undefined })));
    if (isFilled && isUnanswered) tell(form, isUnanswered);
    return;
  }
  if (isSentBack) return writeSoon(form);
  restoring = true;
  put(form, kept.values);
  restoring = false;
  putHidden(form, kept.hidden);
  tell(form, isUnanswered);
}

function takeUp() {
  for (const form of keptForms()) {
    if (seen.has(form)) continue;
    seen.add(form);
    restore(form);
  }
}

function dropAnswered() {
  const cookie = SAVED_COOKIE.exec(document.cookie);
  if (!cookie) return;
  const answered = cookie[1].split(".");
  for (const name of names()) {
    const entry = read(name);
    if (answered.includes(entry?.sent)) drop(name);
    else if (answered.includes(`!${entry?.sent}`)) {
      storage((store) => store.setItem(name, JSON.stringify({ ...entry, sent: undefined })));
    }
  }
}

function changed(event) {
  const form = event.target.form;
  if (!restoring && isKept(form) && fieldsOf(form).includes(event.target)) writeSoon(form);
}

function submitted(event) {
  const form = event.target;
  if (pathOf(form) === told.dataset.signOut) {
    storage((store) => store.setItem(OWNER, ""));
    for (const name of names()) drop(name);
    // The server has answered by then, and the other tabs find nobody signed in.
    addEventListener("pagehide", () => storage((store) => store.removeItem(OWNER)), { once: true });
  } else if ("dropKept" in form.dataset) {
    drop(nameFor(form.dataset.dropKept));
  } else if (!event.defaultPrevented && isKept(form)) {
    // A part of the page that is sent by itself is settled when it is answered.
    const name = nameOf(form);
    const entry = read(name);
    // Sent before and never answered: that it may be saved is said whatever becomes of it now.
    if (entry?.sent) form.dataset.unanswered = "";
    form.dataset.sent = markOf(form);
    writeNow();
    if (!entry) return;
    const { sent, unanswered } = form.dataset;
    // That it was sent is noted at once, and its key as soon as it is encrypted.
    storage((store) => store.setItem(name, JSON.stringify({ ...entry, sent, unanswered })));
    write(form, name);
  }
}

function answered(event) {
  // The form itself may be gone by now, and the event is then told to what is around it.
  const form = event.detail.requestConfig?.elt;
  if (!form?.dataset?.keptName) return;
  if (!event.detail.successful) return asked.delete(form.dataset.keptName);
  // Asked once more with what is wrong it stands there as it was; where it does not it is done.
  const again = keptForms().find((other) => nameOf(other) === form.dataset.keptName);
  if (again) return;
  asked.delete(form.dataset.keptName);
  drop(form.dataset.keptName);
}

// Told of what another tab did, never of what this one does. Sign-in leads on to the first page of whoever is
// signed in by then; the same account signing in again changes nothing.
function leaveToOthers({ key: name, newValue: owner }) {
  if (name === OWNER && owner !== "" && owner !== account) location.replace(told.dataset.signIn);
}

async function start() {
  addEventListener("storage", leaveToOthers);
  dropOfOthers();
  storage((store) => store.setItem(OWNER, account));
  key = await crypto.subtle.importKey("raw", bytesOf(told.dataset.key), "AES-GCM", false, ["encrypt", "decrypt"]);
  dropAnswered();
  takeUp();
  for (const kind of ["input", "change"]) document.addEventListener(kind, changed);
  document.addEventListener("submit", submitted);
  // Cancelled by hand.
  document.addEventListener("reset", ({ target }) => isKept(target) && drop(nameOf(target)));
  document.addEventListener("click", (event) => {
    if (!event.target.matches("button[type=button][data-drop-kept]")) return;
    drop(nameFor(event.target.dataset.dropKept));
    location.replace(location.pathname + location.search);
  });
  document.addEventListener("visibilitychange", writeNow);
  addEventListener("pagehide", writeNow);
  document.addEventListener("htmx:load", takeUp);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target;
    if (!isKept(form)) return;
    form.dataset.keptName = nameOf(form);
    asked.add(form.dataset.keptName);
  });
  document.addEventListener("htmx:afterRequest", answered);
}

dropOld();
setInterval(dropOld, LOOK_EVERY_MS);
// Browsers encrypt on pages that came by TLS, and on those of this machine.
if (account && crypto.subtle) start();
