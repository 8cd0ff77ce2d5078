// Boxes of the book: a button opens derive.html in a frame; an answer is shown when it is asked for.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("button[data-derive]")) {
    button.addEventListener("click", () => {
      const frame = document.createElement("iframe");
      const [page, place] = button.dataset.derive.split("#");
      frame.src = `${page}?embed=1#${place}`;
      frame.title = button.textContent;
      frame.className = "live";
      button.closest("p").replaceWith(frame);
    });
  }
  for (const answer of document.querySelectorAll(".exercise > .answer")) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Answer";
    details.append(summary, ...answer.childNodes);
    answer.replaceWith(details);
  }
});
