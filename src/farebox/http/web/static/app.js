// What every page gets: times in the reader's own zone, parts that move, the app's worker.

const EVERY_MS = 1500;

function localTimes(root) {
  const written = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = time.textContent;
    time.textContent = written.format(new Date(time.dateTime));
  }
}

function showFresh(part, html) {
  if (html === part.shown) return;
  part.shown = html;
  const focused = part.element.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  localTimes(fresh);
  part.element.replaceChildren(...fresh.childNodes);
  if (focused) part.element.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refresh(part) {
  if (document.hidden) return;
  try {
    const answer = await fetch(part.address, { credentials: "same-origin", cache: "no-store" });
    if (answer.status === 401) return location.reload();
    if (answer.ok) showFresh(part, await answer.text());
  } catch {
    // The network is away: the next round tries again.
  }
}

async function keepFresh(part) {
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    await refresh(part);
  }
}

localTimes(document);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const element of document.querySelectorAll("[data-live]")) {
  keepFresh({ element, address: element.dataset.live, shown: null });
}
if (document.body.classList.contains("wallet") && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("/wallet/worker.js", { scope: "/wallet" }).catch(() => {});
}
