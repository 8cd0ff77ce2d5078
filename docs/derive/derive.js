// The page that derives: what is typed goes to Python in a worker, and what comes back is shown.
// Nothing that comes back is taken for HTML.
"use strict";

const LIMITS = { derive: 10_000, code: 10_000, doctor: 60_000 }; // milliseconds
const PAUSE = 150; // after the last key, before Python is asked

const EXAMPLES = [
  ["Linear and quadratic", [
    ["a.T @ x", "x"], ["x.T @ A @ x", "x"], ["x.T @ A @ x + b.T @ x + c", "x"], ["norm(x)", "x"],
    ["(x.T @ A @ x) / (x.T @ x)", "x", "A=n,n:symmetric"],
  ]],
  ["Least squares", [
    ["norm(X @ w - y)**2", "w"], ["norm(X @ w - y)**2 + lam * norm(w)**2", "w"],
    ["(X @ w - y).T @ W @ (X @ w - y)", "w", "W=n,n:symmetric"],
    ["sum(where(abs(X @ w - y) <= 1, (X @ w - y)**2 / 2, abs(X @ w - y) - 0.5))", "w", "X=n,p; w=p; y=n"],
  ]],
  ["Logistic regression", [
    ["sigmoid(z)", "z", "z=scalar"], ["sum(softplus(X @ w) - y * (X @ w))", "w"],
    ["sum(log(1 + exp(-y * (X @ w))))", "w"], ["logsumexp(z) - t.T @ z", "z"],
  ]],
  ["Trace, determinant, inverse", [
    ["trace(A @ X)", "X"], ["trace(A @ X @ B @ X.T @ C)", "X"], ["det(X)", "X"], ["logdet(X)", "X"],
    ["trace(inv(X) @ A)", "X"], ["norm(A @ X - B)**2", "X"],
  ]],
  ["Gaussian", [
    ["-(logdet(S) + (x - mu).T @ inv(S) @ (x - mu)) / 2", "mu", "S=n,n:positive_definite; x=n; mu=n"],
    ["-(logdet(S) + (x - mu).T @ inv(S) @ (x - mu)) / 2", "S", "S=n,n:positive_definite; x=n; mu=n"],
  ]],
  ["Networks", [
    ["softmax(z)", "z"], ["tanh(W @ x + b)", "x"], ["norm(tanh(W @ x + b) - y)**2", "W"],
    ["norm(V @ relu(W @ x) - y)**2", "W"],
  ]],
  ["Principal components", [
    ["v.T @ S @ v - lam * (v.T @ v - 1)", "v", "S=n,n:symmetric; lam=scalar"],
    ["norm(X - X @ v @ v.T)**2", "v", "X=m,n; v=n"],
  ]],
];
const KINDS = {
  scalar: [["scalar", "scalar"], ["scalar:integer", "whole number"], ["vector", "vector"], ["matrix", "matrix"]],
  vector: [["vector", "vector"], ["vector:probability", "probabilities"], ["scalar", "scalar"], ["matrix", "matrix"]],
  matrix: [
    ["matrix", "matrix"], ["matrix:symmetric", "symmetric"], ["matrix:positive_definite", "positive definite"],
    ["matrix:diagonal", "diagonal"], ["matrix:lower_triangular", "lower triangular"],
    ["matrix:upper_triangular", "upper triangular"], ["matrix:orthogonal", "orthogonal"],
    ["vector", "vector"], ["scalar", "scalar"],
  ],
};
const TABS = ["derive", "doctor", "identities"];

const at = (id) => document.getElementById(id);
const page = document.documentElement;
const embedded = new URLSearchParams(location.search).has("embed");

function made(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** A formula; as plain text where KaTeX has not come, or does not know it. */
function formula(latex, text, displayMode = true) {
  const element = made(displayMode ? "div" : "span", undefined, "formula");
  if (window.katex && latex) {
    try {
      const options = { displayMode, throwOnError: true, trust: false, strict: "ignore", maxSize: 20, maxExpand: 1000 };
      window.katex.render(latex, element, options);
      return element;
    } catch {
      element.replaceChildren();
    }
  }
  element.textContent = text;
  element.classList.add("plain");
  return element;
}

// -- Python ---------------------------------------------------------------------------------------

const python = {
  worker: null, ready: false, failed: "", current: null, waiting: [], count: 0, began: 0,

  start() {
    this.ready = false;
    this.failed = "";
    this.began = performance.now();
    this.worker = new Worker("derive-worker.js", { type: "module" });
    this.worker.onmessage = ({ data }) => this.told(data);
    this.worker.onerror = (event) => this.told({ failed: event.message || "the worker did not start" });
    say("starting Python …", true);
  },

  told(data) {
    if (data.ready) {
      this.ready = true;
      page.dataset.ready ??= String(Math.round(performance.now()));
      page.dataset.from = data.from;
      page.dataset.started = String(Math.round(performance.now() - this.began));
      say("Python is ready", false);
      this.next();
      keepOffline();
    } else if (data.failed) {
      this.failed = `Python could not be started (${data.failed}). Load the page again; a browser of the last three years is needed.`;
      say(this.failed, false);
      for (const job of this.waiting.splice(0)) job.resolve({ ok: false, kind: "", message: this.failed });
    } else if (this.current && data.id === this.current.id) {
      clearTimeout(this.current.timer);
      const { resolve } = this.current;
      this.current = null;
      resolve(data.answer);
      this.next();
    }
  },

  /** The answer to a question; null where a newer one of its kind has come first. */
  ask(question) {
    return new Promise((resolve) => {
      this.waiting = this.waiting.filter((job) => {
        const old = job.question.what === question.what;
        if (old) job.resolve(null);
        return !old;
      });
      if (this.failed) return resolve({ ok: false, kind: "", message: this.failed });
      this.waiting.push({ id: ++this.count, question, resolve });
      this.next();
    });
  },

  next() {
    if (!this.ready || this.current || !this.waiting.length) return;
    this.current = this.waiting.shift();
    const limit = LIMITS[this.current.question.what];
    this.current.timer = setTimeout(() => this.stop(limit), limit);
    this.worker.postMessage({ id: this.current.id, question: this.current.question });
  },

  stop(limit) {
    this.worker.terminate();
    const { resolve } = this.current;
    this.current = null;
    this.start();
    const message = `this took more than ${limit / 1000} seconds, and was stopped. Python starts again; try a shorter expression, or run mcmodels in Python, which has no limit`;
    resolve({ ok: false, kind: "", message });
  },
};

function say(words, isBusy) {
  at("status").textContent = words;
  at("status").classList.toggle("busy", isBusy);
}

function keepOffline() {
  if ("serviceWorker" in navigator && !keepOffline.done) {
    keepOffline.done = true;
    navigator.serviceWorker.register("derive-sw.js", { updateViaCache: "none" }).then(
      () => navigator.serviceWorker.ready.then(() => { page.dataset.offline = "yes"; }),
      () => {}, // as in a private window: the page works, but not offline
    );
  }
}

// -- what is asked --------------------------------------------------------------------------------

let tab = "derive";
let wanted = "x"; // the variable that was chosen; the list may not have it yet

function asked(what) {
  return {
    what, expression: at("expression").value, variable: wanted, order: at("order").value,
    declarations: at("declarations").value,
  };
}

function place() {
  const parts = new URLSearchParams({ e: at("expression").value, x: wanted, tab });
  if (at("declarations").value.trim()) parts.set("d", at("declarations").value.trim());
  if (at("order").value !== "gradient") parts.set("o", at("order").value);
  return `#${parts}`;
}

let placed = "";

function remember() {
  placed = place();
  history.replaceState(null, "", placed);
  const link = at("permalink");
  link.href = `${location.pathname}${placed}`;
  link.textContent = `derive.html${placed}`;
}

function readPlace() {
  const parts = new URLSearchParams(location.hash.slice(1));
  if (parts.has("e")) at("expression").value = parts.get("e").slice(0, 2000);
  if (parts.has("e")) at("declarations").value = (parts.get("d") || "").slice(0, 2000);
  if (parts.has("x")) wanted = parts.get("x");
  const orders = [...at("order").options].map((option) => option.value);
  at("order").value = orders.includes(parts.get("o")) ? parts.get("o") : "gradient";
  choose(TABS.includes(parts.get("tab")) ? parts.get("tab") : "derive", false);
}

let timer = 0;

function changed() {
  at("verdict").classList.add("old");
  page.dataset.shown = "";
  clearTimeout(timer);
  timer = setTimeout(derive, PAUSE);
}

async function derive() {
  clearTimeout(timer);
  page.dataset.shown = "";
  remember();
  const question = asked("derive");
  const answer = await python.ask(question);
  if (!answer) return;
  page.dataset.shown = JSON.stringify(question);
  if (!answer.ok) return refuse(answer);
  // A variable that has been chosen since then stays chosen.
  if (JSON.stringify(asked("derive")) === page.dataset.shown) wanted = answer.variable;
  remember();
  if (python.ready) say(`derived in ${Math.max(1, Math.round(answer.milliseconds))} ms`, false);
  page.dataset.milliseconds = String(answer.milliseconds);
  showSymbols(answer);
  showResult(answer);
  showCode();
}

function refuse(answer) {
  const box = at("refusal");
  box.replaceChildren(made("strong", answer.kind ? `${answer.kind}: ` : ""), answer.message);
  box.hidden = false;
  at("found-answer").classList.add("old");
  at("expression").setAttribute("aria-invalid", "true");
  if (python.ready) say("nothing was derived: see the message", false);
}

// -- what is shown --------------------------------------------------------------------------------

function showSymbols({ symbols, variable }) {
  at("variable").replaceChildren(...symbols.map(({ name }) => {
    const option = made("option", name);
    option.value = name;
    option.selected = name === variable;
    return option;
  }));
  at("found").textContent = symbols.map(({ name, described }) => `${name}: ${described}`).join(", ");
  const active = document.activeElement?.dataset?.symbol;
  at("symbols").replaceChildren(...symbols.map((symbol) => {
    const row = made("div", undefined, "field symbol");
    const label = made("label", `${symbol.name} is a`);
    const select = made("select");
    select.id = `kind-${symbol.name}`;
    select.dataset.symbol = symbol.name;
    label.htmlFor = select.id;
    const property = symbol.properties.includes("positive_definite") ? "positive_definite"
      : symbol.properties.includes("diagonal") ? "diagonal" : symbol.properties[0];
    const now = property ? `${symbol.kind}:${property}` : symbol.kind;
    for (const [value, words] of KINDS[symbol.kind]) {
      const option = made("option", words);
      option.value = value;
      option.selected = value === now;
      select.append(option);
    }
    select.addEventListener("change", () => declare(symbol.name, select.value));
    const said = [symbol.described, symbol.advice].filter(Boolean).join("; ");
    row.append(label, select, made("span", said, "help"));
    return row;
  }));
  if (active) at(`kind-${active}`)?.focus();
}

/** Change one declaration, and leave the others. */
function declare(name, shape) {
  const others = at("declarations").value.split(/[;\n]|[,\s]\s*(?=[^\W\d]\w*\s*=)/)
    .map((part) => part.trim()).filter((part) => part && part.split("=")[0].trim() !== name);
  at("declarations").value = [...others, `${name}=${shape}`].join("; ");
  derive();
}

function showResult(answer) {
  at("refusal").hidden = true;
  at("found-answer").classList.remove("old");
  at("expression").removeAttribute("aria-invalid");
  const { f, result, kind, by, variable } = answer;
  at("result-title").textContent = `${kind[0].toUpperCase()}${kind.slice(1)} by ${variable}`;
  const given = made("div", undefined, "given");
  given.append(formula(`f = ${f.latex}`, `f = ${f.text}`), made("span", f.shape, "shape"));
  const head = kind === "Hessian" ? `\\frac{\\partial^2 f}{\\partial ${by}^2}` : `\\frac{\\partial f}{\\partial ${by}}`;
  const plain = kind === "Hessian" ? `∂²f/∂${variable}²` : `∂f/∂${variable}`;
  const found = made("div", undefined, "answer");
  found.append(formula(result.latex && `${head} = ${result.latex}`, `${plain} = ${result.text}`), made("span", result.shape, "shape"));
  at("result").replaceChildren(given, found);
  at("python").textContent = result.python;
  at("notes").replaceChildren(...answer.notes.map((note) => made("li", note)));
  at("steps").replaceChildren(...answer.steps.map(({ rules, lines }) => {
    const item = made("li");
    for (const rule of rules) {
      const words = made("p", undefined, "rule");
      words.append(made("strong", rule.name), `: ${rule.statement} `, made("cite", rule.source));
      item.append(words);
    }
    item.append(...lines.map((line) => formula(line.latex, line.text)));
    return item;
  }));
  if (!answer.steps.length) at("steps").replaceChildren(made("li", "no steps are shown here"));
}

async function showCode() {
  const question = { ...asked("code"), language: at("language").value };
  const answer = await python.ask(question);
  if (!answer) return;
  at("code").textContent = answer.ok ? answer.code : answer.message;
  at("code").dataset.language = question.language;
}

async function examine() {
  const question = { ...asked("doctor"), claim: at("claim").value };
  const box = at("verdict");
  box.className = "card busy";
  box.replaceChildren(made("p", python.ready ? "examining …" : "starting Python …"));
  const answer = await python.ask(question);
  if (!answer) return;
  page.dataset.examined = JSON.stringify(question);
  box.className = "card";
  if (!answer.ok) {
    box.classList.add("refused");
    box.replaceChildren(made("p", [answer.kind, answer.message].filter(Boolean).join(": ")));
    return;
  }
  box.classList.add(answer.correct ? "right" : "wrong");
  box.dataset.mistake = answer.mistake || "";
  const title = answer.correct ? "Right" : `Wrong: ${answer.mistake}`;
  box.replaceChildren(made("h2", title), made("p", answer.explanation));
  if (answer.also.length) box.append(made("p", `The same would come of: ${answer.also.join(", ")}.`));
  if (!answer.correct) {
    if (answer.remedy) box.append(made("p", `What to do: ${answer.remedy}.`));
    const right = made("details");
    right.append(made("summary", `Show the right ${answer.kind}`), formula(answer.right.latex, answer.right.text));
    box.append(right);
  }
}

// -- identities -----------------------------------------------------------------------------------

let catalogue = null;

async function showIdentities() {
  if (!catalogue) {
    try {
      const response = await fetch("_static/vendor/derive/identities.json");
      catalogue = (await response.json()).identities;
    } catch {
      at("count").textContent = "The list could not be loaded; load the page again.";
      return;
    }
    at("identities").replaceChildren(...catalogue.map(identityCard));
  }
  search();
}

function identityCard(identity) {
  const card = made("article", undefined, "card");
  card.append(made("h2", identity.name), made("p", identity.theme, "help"));
  card.append(...identity.lines.map((line) => formula(line, identity.text)));
  if (identity.remark) card.append(made("p", identity.remark));
  card.append(made("p", identity.source, "help"));
  if (identity.variable) {
    const button = made("button", "Derive it");
    button.type = "button";
    button.addEventListener("click", () => open([identity.expression, identity.variable, identity.declarations]));
    card.append(button);
  }
  identity.words = `${identity.name} ${identity.theme} ${identity.text} ${identity.expression} ${identity.remark} ${identity.source}`.toLowerCase();
  identity.card = card;
  return card;
}

function search() {
  const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { words: text, card } of catalogue) {
    card.hidden = !words.every((word) => text.includes(word));
    count += !card.hidden;
  }
  at("count").textContent = `${count} of ${catalogue.length} identities`;
}

// -- tabs, examples, keys -------------------------------------------------------------------------

function choose(name, focus) {
  tab = name;
  for (const each of TABS) {
    const button = at(`tab-${each}`);
    button.setAttribute("aria-selected", String(each === name));
    button.tabIndex = each === name ? 0 : -1;
    at(`panel-${each}`).hidden = each !== name;
  }
  at("question").hidden = name === "identities";
  page.dataset.tab = name;
  if (focus) at(`tab-${name}`).focus();
  if (name === "identities") showIdentities();
}

function open([expression, variable, declarations = ""]) {
  at("expression").value = expression;
  at("declarations").value = declarations;
  at("order").value = "gradient";
  wanted = variable;
  choose("derive", false);
  derive();
  scrollTo({ top: 0 });
}

function begin() {
  if (embedded) {
    page.classList.add("embedded");
    at("permalink").target = "_blank";
  }
  at("families").append(...EXAMPLES.map(([family, examples]) => {
    const box = made("div", undefined, "family");
    box.append(made("h3", family), ...examples.map((example) => {
      const button = made("button", example[0]);
      button.type = "button";
      button.title = `by ${example[1]}`;
      button.addEventListener("click", () => open(example));
      return button;
    }));
    return box;
  }));
  for (const id of ["expression", "declarations"]) at(id).addEventListener("input", changed);
  at("variable").addEventListener("change", () => { wanted = at("variable").value; derive(); });
  at("order").addEventListener("change", derive);
  at("language").addEventListener("change", showCode);
  at("question").addEventListener("submit", (event) => { event.preventDefault(); derive(); });
  at("check").addEventListener("click", examine);
  at("claim").addEventListener("input", () => at("verdict").classList.add("old"));
  at("claim").addEventListener("keydown", (event) => { if (event.key === "Enter") examine(); });
  at("search").addEventListener("input", () => { if (catalogue) search(); });
  at("theme").addEventListener("click", () => themes.next());
  themes.set();
  TABS.forEach((name, i) => {
    const button = at(`tab-${name}`);
    button.addEventListener("click", () => { choose(name, false); remember(); });
    button.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: TABS.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(TABS[(to + TABS.length) % TABS.length], true);
      remember();
    });
  });
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const of = at(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(of.href || of.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }
  addEventListener("hashchange", () => {
    if (location.hash !== placed) { readPlace(); derive(); }
  });
  python.start();
  readPlace();
  derive();
}

begin();
