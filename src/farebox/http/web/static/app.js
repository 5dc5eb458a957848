// What every page gets: times in the reader's own zone, parts that move, the app's worker.

const EVERY_MS = 1500; // while there is no stream
const SLOWLY_MS = 30_000; // beside a stream
const AT_MOST_EVERY_MS = 200; // however much moves
const PATIENCE_MS = 15_000;
const LONGEST_WAIT_MS = 30_000;

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
  if (focused) part.element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(part) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await fetch(part.address, { credentials: "same-origin", cache: "no-store", signal });
    if (answer.status === 401) location.reload();
    else if (answer.ok) showFresh(part, await answer.text());
  } catch {
    // The network is away: the next round tries again.
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
    this.part = part;
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
