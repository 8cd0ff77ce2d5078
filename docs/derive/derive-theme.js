// Light or dark, as the switch of the site says, before anything is drawn.
"use strict";

const themes = {
  words: {
    auto: ["◐", "Colours: as the system has them"],
    light: ["☀", "Colours: light"],
    dark: ["☾", "Colours: dark"],
  },
  dark: matchMedia("(prefers-color-scheme: dark)"),
  mode() {
    try {
      return localStorage.getItem("mode") || "auto";
    } catch {
      return "auto"; // where storage is not allowed
    }
  },
  set() {
    const mode = this.mode();
    const theme = mode === "auto" ? (this.dark.matches ? "dark" : "light") : mode;
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) {
      const [sign, words] = this.words[mode] || this.words.auto;
      button.textContent = sign;
      button.setAttribute("aria-label", words);
      button.title = words;
    }
  },
  next() {
    const mode = { auto: "light", light: "dark", dark: "auto" }[this.mode()] || "auto";
    try {
      localStorage.setItem("mode", mode);
      localStorage.setItem("theme", mode);
    } catch {
      document.documentElement.dataset.theme = mode;
    }
    this.set();
  },
};
themes.set();
themes.dark.addEventListener("change", () => themes.set());
addEventListener("storage", () => themes.set());
