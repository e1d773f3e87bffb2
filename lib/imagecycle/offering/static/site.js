"use strict";
// What a page cannot know when it is written: how old things are today, and what is searched for.
(function () {
  const DAY = 24 * 60 * 60 * 1000;
  const NEAR = 180;
  const days = (text) => Math.floor((Date.now() - Date.parse(text + "T00:00:00Z")) / DAY);
  const count = (number, word) => number + " " + word + (number === 1 ? "" : "s");
  const span = (number) =>
    number < 60 ? count(number, "day") : number < 730 ? count(Math.floor(number / 30.44), "month") : count(Math.floor(number / 365.25), "year");

  for (const element of document.querySelectorAll(".age[data-since]")) {
    const age = days(element.dataset.since);
    if (age >= 0) {
      element.textContent = age === 0 ? "(today)" : "(" + span(age) + " old)";
    }
  }
  for (const element of document.querySelectorAll(".support[data-end]")) {
    const left = -days(element.dataset.end);
    if (left < 0) {
      element.classList.add("past");
      element.append(" (over)");
    } else if (left <= NEAR) {
      element.classList.add("near");
      element.append(" (in " + span(left) + ")");
    }
  }

  for (const block of document.querySelectorAll("pre")) {
    const frame = document.createElement("div");
    frame.className = "recipe";
    block.replaceWith(frame);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the lines for " + document.getElementById(block.getAttribute("aria-labelledby")).textContent);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block);
        button.textContent = "Selected";
      }
    });
    frame.append(block, button);
  }

  const form = document.querySelector("form.search");
  if (!form) {
    return;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  const input = form.querySelector("input");
  const told = form.querySelector("output");
  const rows = [...document.querySelectorAll("#families tr[data-search]")];
  const sections = [...document.querySelectorAll("#families section")];
  function search() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const found = words.every((word) => row.dataset.search.includes(word));
      row.hidden = !found;
      shown += found ? 1 : 0;
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("tr[data-search]:not([hidden])");
    }
    told.textContent = words.length ? shown + " of " + rows.length : "";
    history.replaceState(null, "", words.length ? "#" + encodeURIComponent(input.value) : location.href.split("#")[0]);
  }
  input.addEventListener("input", search);
  try {
    input.value = decodeURIComponent(location.hash.slice(1));
  } catch {
    input.value = "";
  }
  if (input.value && input.value !== "main") {
    search();
  } else {
    input.value = "";
  }
})();
