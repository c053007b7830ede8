// Warns before the session ends for want of activity. The server keeps the limit and ends the session by
// itself; this script only tells the person in time and, while they type or read, tells the server that they
// are there, at most once a minute. The pages of one browser share the time of the last request.
const KEY = "session-last-request";
const REPORT_EVERY_MS = 60_000;
const AFTER_THE_SERVER_MS = 3_000;

const dialog = document.getElementById("session-dialog");
const idleMs = Number(dialog.dataset.idleSeconds) * 1000;
const warningMs = Number(dialog.dataset.warningSeconds) * 1000;
const stayForm = dialog.querySelector("[data-session-stay]");
const left = dialog.querySelector("[data-session-left]");

let lastRequest = 0;
let reporting = false;

function requested() {
  lastRequest = Date.now();
  try {
    localStorage.setItem(KEY, String(lastRequest));
  } catch {
    // Without storage each page keeps its own time.
  }
}

function latestRequest() {
  try {
    lastRequest = Math.max(lastRequest, Number(localStorage.getItem(KEY)) || 0);
  } catch {
    // As above.
  }
  return lastRequest;
}

function ended() {
  location.assign(dialog.dataset.signInUrl);
}

async function report() {
  if (reporting) return;
  reporting = true;
  try {
    const response = await fetch(stayForm.action, {
      method: "POST",
      body: new FormData(stayForm),
      redirect: "manual",
    });
    if (response.status !== 204) ended();
    else requested();
  } catch {
    // No connection: the warning still comes, and the next sign of life tries again.
  } finally {
    reporting = false;
  }
}

function inWords(milliseconds) {
  const seconds = Math.ceil(milliseconds / 30_000) * 30;
  if (seconds <= 30) return "less than 30 seconds";
  if (seconds === 60) return "1 minute";
  if (seconds < 60) return `${seconds} seconds`;
  const half = seconds % 60 === 30 ? " and a half" : "";
  return `${Math.floor(seconds / 60)}${half} minutes`.replace("1 and a half minutes", "a minute and a half");
}

function tick() {
  const remaining = latestRequest() + idleMs - Date.now();
  if (remaining <= -AFTER_THE_SERVER_MS) {
    ended();
  } else if (remaining <= warningMs) {
    const words = inWords(Math.max(remaining, 0));
    // Written only when it changes: a screen reader says it each time.
    if (left.textContent !== words) left.textContent = words;
    if (!dialog.open) dialog.showModal();
  } else if (dialog.open) {
    dialog.close();
  }
}

function active() {
  if (!dialog.open && Date.now() - latestRequest() > REPORT_EVERY_MS) report();
}

requested();
setInterval(tick, 1000);
// Timers sleep with the machine; look at once when the page is seen again.
document.addEventListener("visibilitychange", tick);
for (const sign of ["keydown", "pointerdown", "wheel", "touchmove"]) {
  document.addEventListener(sign, active, { passive: true });
}
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.requestConfig?.headers["X-Background"]) requested();
});
stayForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  await report();
  tick();
});
// Escape means "I am here", as pressing the button does.
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  stayForm.requestSubmit();
});
