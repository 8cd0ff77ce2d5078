// Keeps what derive.html loads, so that it opens offline, and faster. Other pages are left alone.
"use strict";

importScripts("_static/vendor/derive/version.js");
const { version, files } = self.MCMODELS;
const PREFIX = "mcmodels-derive-";
const CACHE = PREFIX + version;
const addresses = new Set(files.map((file) => new URL(file, self.location.href).href));

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([...addresses].map((address) => new Request(address, { cache: "no-cache" })));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const address = event.request.url.split(/[?#]/)[0];
  if (event.request.method !== "GET" || !addresses.has(address)) return;
  event.respondWith(
    (async () => {
      const cache = await caches.open(CACHE);
      return (await cache.match(address)) || fetch(event.request);
    })(),
  );
});
