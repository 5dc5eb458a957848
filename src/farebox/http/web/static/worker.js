// Keeps style, scripts and icons, so that the app opens at once. Pages are never kept: they are somebody's own.

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  const forget = async () => {
    for (const name of await caches.keys()) if (name !== ASSETS) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

async function kept(request) {
  const cache = await caches.open(ASSETS);
  const known = await cache.match(request);
  if (known) return known;
  const fresh = await fetch(request);
  if (fresh.ok) await cache.put(request, fresh.clone());
  return fresh;
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method === "GET" && address.origin === location.origin && address.pathname.startsWith(ASSETS)) {
    event.respondWith(kept(event.request));
  }
});
