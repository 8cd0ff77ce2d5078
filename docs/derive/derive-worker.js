// Python in a thread of its own: it takes questions, and gives answers. The page never waits for it.
import { loadPyodide } from "./_static/vendor/pyodide/pyodide.mjs";

const vendor = new URL("_static/vendor/", self.location.href);

async function fetched(name) {
  const response = await fetch(new URL(`derive/${name}`, vendor));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function started() {
  const archive = fetched("calculus.zip");
  archive.catch(() => {}); // is told below
  const python = await loadPyodide({ indexURL: new URL("pyodide/", vendor).href });
  const add = (name, bytes) => {
    python.FS.writeFile(`/${name}`, bytes);
    python.runPython(`import sys; sys.path.insert(0, "/${name}")`);
  };
  add("calculus.zip", await archive);
  const engine = python.pyimport("engine");
  return { engine, add };
}

const start = started();
let mpmath = null; // numbers of the doctor: asked for when Python runs

async function answered({ question }) {
  const { engine, add } = await start;
  if (question.what === "doctor") {
    mpmath ??= fetched("mpmath.zip").then((bytes) => add("mpmath.zip", bytes));
    await mpmath;
  }
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
  ({ add }) => {
    self.postMessage({ ready: true });
    mpmath ??= fetched("mpmath.zip").then((bytes) => add("mpmath.zip", bytes));
    mpmath.catch(() => { mpmath = null; });
  },
  (error) => self.postMessage({ failed: String(error) }),
);
