// Python in a thread of its own: it takes questions, and gives answers. The page never waits for it.
//
// To start Python takes seconds. So its memory is kept, as it is when the calculus has been imported:
// the next start reads it, and takes a tenth of the time. What is kept belongs to the files it was made of.
import { loadPyodide, version } from "./_static/vendor/pyodide/pyodide.mjs";

const vendor = new URL("_static/vendor/", self.location.href);
const KEPT = "mcmodels-memory";

async function fetched(name) {
  const response = await fetch(new URL(`derive/${name}`, vendor));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The address under which memory is kept: of this version, and of these bytes. */
async function addressOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return new URL(`memory-${version}-${text}`, vendor).href;
}

async function keptMemory(address) {
  const found = await (await caches.open(KEPT)).match(address);
  return found && new Uint8Array(await found.arrayBuffer());
}

async function keep(address, memory) {
  const cache = await caches.open(KEPT);
  for (const request of await cache.keys()) await cache.delete(request);
  await cache.put(address, new Response(memory));
}

async function startedFrom(memory, archive, indexURL) {
  const python = await loadPyodide({ indexURL, _loadSnapshot: memory });
  python.FS.writeFile("/calculus.zip", archive); // files are no memory; more is imported from it
  return python;
}

async function startedAnew(archive, indexURL) {
  const python = await loadPyodide({ indexURL, _makeSnapshot: true });
  python.FS.writeFile("/calculus.zip", await archive); // which has come meanwhile
  python.runPython('import sys; sys.path.insert(0, "/calculus.zip"); import engine');
  return python;
}

async function started() {
  const indexURL = new URL("pyodide/", vendor).href;
  const archive = fetched("calculus.zip");
  archive.catch(() => {}); // is told where it is waited for
  try {
    const memory = (await caches.has(KEPT)) && (await keptMemory(await addressOf(await archive)));
    if (memory) return { python: await startedFrom(memory, await archive, indexURL), from: "memory" };
  } catch {
    // where nothing may be kept, or what was kept cannot be read, Python starts anew
  }
  const python = await startedAnew(archive, indexURL);
  try {
    const memory = python.makeMemorySnapshot();
    addressOf(await archive).then((address) => keep(address, memory)).catch(() => {});
  } catch {
    // without it the next start takes as long
  }
  return { python, from: "files" };
}

const start = started().then(({ python, from }) => ({ python, from, engine: python.pyimport("engine") }));
let mpmath = null; // numbers of the doctor: fetched when Python runs

function broughtMpmath() {
  mpmath ??= Promise.all([start, fetched("mpmath.zip")]).then(([{ python }, bytes]) => {
    python.FS.writeFile("/mpmath.zip", bytes);
    python.runPython('import sys; sys.path.insert(0, "/mpmath.zip")');
  });
  mpmath.catch(() => { mpmath = null; });
  return mpmath;
}

async function answered({ question }) {
  const { engine } = await start;
  if (question.what === "doctor") await broughtMpmath();
  const before = performance.now();
  const answer = JSON.parse(engine.answer(JSON.stringify(question)));
  return { ...answer, milliseconds: performance.now() - before };
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ id: data.id, answer: await answered(data) });
  } catch (error) {
    self.postMessage({ id: data.id, answer: { ok: false, kind: "", message: String(error) } });
  }
};

start.then(
  ({ from }) => {
    self.postMessage({ ready: true, from });
    broughtMpmath().catch(() => {});
  },
  (error) => self.postMessage({ failed: String(error) }),
);
