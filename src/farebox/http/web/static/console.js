// Rows that are pushed: new ones on top, none twice, and held back while the reader has paused.

import { localTimes } from "./app.js";

const MOST_ROWS = 200;
const AGAIN_MS = 5000;

class Rows {
  constructor(body, button) {
    this.body = body;
    this.button = button;
    this.waiting = [];
    this.paused = false;
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => this.turn());
    }
    this.listen();
  }

  listen() {
    const source = new EventSource(this.body.dataset.rows);
    source.onmessage = (message) => this.take(JSON.parse(message.data).rows);
    source.onerror = () => source.readyState === EventSource.CLOSED && this.refused();
  }

  // A stream that ends goes on by itself; one that was refused does not, and does not say why.
  async refused() {
    try {
      const answer = await fetch(this.body.dataset.rows, { credentials: "same-origin", cache: "no-store" });
      await answer.body.cancel();
      if (answer.status === 401) return location.reload();
    } catch {
      // The network is away.
    }
    setTimeout(() => this.listen(), AGAIN_MS);
  }

  take(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const rows = [...template.content.children].filter((row) => !document.getElementById(row.id));
    const held = new Set(this.waiting.map((row) => row.id));
    const fresh = rows.filter((row) => !held.has(row.id));
    if (!this.paused) return this.show(fresh);
    this.waiting.unshift(...fresh);
    this.waiting.length = Math.min(this.waiting.length, MOST_ROWS);
    this.label();
  }

  show(rows) {
    if (!rows.length) return;
    this.body.querySelector("tr.empty")?.remove();
    for (const row of rows) localTimes(row);
    this.body.prepend(...rows);
    while (this.body.children.length > MOST_ROWS) this.body.lastElementChild.remove();
  }

  turn() {
    this.paused = !this.paused;
    if (!this.paused) this.show(this.waiting.splice(0));
    this.label();
  }

  label() {
    this.button.textContent = this.paused ? `Go on (${this.waiting.length} wait)` : "Pause";
  }
}

document.querySelector(".bar [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
for (const body of document.querySelectorAll("[data-rows]")) {
  new Rows(body, document.querySelector("[data-pause]"));
}
