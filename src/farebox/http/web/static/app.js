// What every page gets: times in the reader's own zone, parts that move, the app's worker.

const EVERY_MS = 1500; // while there is no stream
const SLOWLY_MS = 30_000; // beside a stream
const AT_MOST_EVERY_MS = 200; // however much moves
const PATIENCE_MS = 15_000;
const LONGEST_WAIT_MS = 30_000;
const FAILED_OFTEN = 2; // once is a hiccup
const HEARD_AFTER_MS = 2000; // without another change: who listens is not talked over
const SENT_FOR_MS = 10_000; // then the reader has stopped it, or knows better

export function localTimes(root) {
  const written = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = written.format(new Date(time.dateTime));
  }
}

function showFresh(part, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  localTimes(fresh);
  if (fresh.innerHTML.trim() === part.element.innerHTML.trim()) return;
  const focused = part.element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  part.element.replaceChildren(...fresh.childNodes);
  tellHeard(part);
  if (focused) part.element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

// A region that is there from the beginning: one that comes with its words is not read out.
function region(element, style) {
  const found = document.createElement("div");
  found.setAttribute("role", "status");
  found.className = style;
  element.before(found);
  return found;
}

function heardOf(element) {
  const told = element.querySelector("[data-heard]");
  return told ? `${told.dataset.heard} ${told.textContent}`.replace(/\s+/g, " ").trim() : "";
}

function tellHeard(part) {
  const words = heardOf(part.element);
  if (words === part.words) return;
  part.words = words;
  clearTimeout(part.telling);
  part.telling = setTimeout(() => (part.heard.textContent = words), HEARD_AFTER_MS);
}

// Numbers that can't be asked for any more look like those of now: says so, until they are.
function tellFailed(part, failed) {
  part.failed = failed ? part.failed + 1 : 0;
  const words = part.failed >= FAILED_OFTEN ? "No connection: what stands here may be old." : "";
  if (part.failing.textContent === words) return;
  part.failing.textContent = words;
  part.failing.className = words && "notice bad";
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(part) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(part.address, { credentials: "same-origin", cache: "no-store", signal });
    if (answer.status === 401) return location.reload();
    if (answer.ok) showFresh(part, await answer.text());
    tellFailed(part, !answer.ok);
  } catch {
    tellFailed(part, true); // The network is away: the next round tries again.
  }
}

// Asks at once; while an answer is on its way or has just come, it asks once more after it, however often it is told to.
async function refresh(part) {
  part.wanted = true;
  if (part.asking) return;
  part.asking = true;
  while (part.wanted && !document.hidden) {
    part.wanted = false;
    await ask(part);
    await pause(AT_MOST_EVERY_MS);
  }
  part.asking = false;
}

// Is told by a stream when something has moved; while there is none, asks again and again. A hidden page does neither.
class Mover {
  constructor(part) {
    const regions = { heard: region(part.element, "hearable"), failing: region(part.element, "") };
    this.part = Object.assign(part, regions, { failed: 0, words: heardOf(part.element) });
    this.failures = 0;
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("pagehide", () => this.rest());
    addEventListener("pageshow", (event) => event.persisted && this.look());
    this.look(false);
  }

  look(stale = true) {
    this.rest();
    if (document.hidden) return;
    if (stale) refresh(this.part);
    this.ask(this.part.stream ? SLOWLY_MS : EVERY_MS);
    if (this.part.stream) this.listen();
  }

  rest() {
    this.source?.close();
    clearInterval(this.timer);
    clearTimeout(this.again);
  }

  ask(everyMs) {
    clearInterval(this.timer);
    this.timer = setInterval(() => refresh(this.part), everyMs);
  }

  listen() {
    this.source = new EventSource(this.part.stream);
    this.source.onmessage = () => {
      if (this.failures) this.ask(SLOWLY_MS);
      this.failures = 0;
      refresh(this.part);
    };
    this.source.onerror = () => {
      this.source.close();
      this.failures += 1;
      this.ask(EVERY_MS);
      const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.failures);
      this.again = setTimeout(() => this.listen(), wait * (0.5 + Math.random()));
    };
  }
}

// A form is sent once, however often its button is pressed while the answer is on its way: what is shown once, such as a
// new key, would stand in an answer that nobody sees.
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, SENT_FOR_MS);
}

addEventListener("submit", sendOnce);
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
localTimes(document);
for (const field of document.querySelectorAll("[data-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const element of document.querySelectorAll("[data-live]")) {
  new Mover({ element, address: element.dataset.live, stream: element.dataset.stream });
}
if (document.body.classList.contains("wallet") && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("/wallet/worker.js", { scope: "/wallet" }).catch(() => {});
}
