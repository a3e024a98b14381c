// Charts: the value under the pointer or the arrow keys, said beside the title; dragging over days zooms to them.
// Without script there is the table below each chart, and the form above them.
"use strict";

const DAY = 86400000;
const SHORTEST = 6; // pixels: less is a click

function say(plot, mark) {
  const words = plot.closest(".figure").querySelector(".say");
  plot.querySelector(".hit.on, .dot.on")?.classList.remove("on");
  mark?.classList.add("on");
  words.textContent = mark ? mark.dataset.say : words.dataset.summary;
  words.classList.toggle("said", Boolean(mark));
}

function step(plot, event) {
  const marks = [...plot.querySelectorAll("[data-say]")];
  const now = marks.findIndex((mark) => mark.classList.contains("on"));
  const next = { ArrowRight: now + 1, ArrowLeft: now < 0 ? marks.length - 1 : now - 1, Home: 0, End: marks.length - 1 };
  if (event.key === "Enter" && marks[now]?.dataset.to) {
    location.assign(marks[now].dataset.to);
  } else if (event.key === "Escape") {
    say(plot, null);
  } else if (event.key in next && marks.length) {
    event.preventDefault();
    say(plot, marks[Math.max(0, Math.min(marks.length - 1, next[event.key]))]);
  }
}

function dayAt(chart, x) {
  const box = chart.getBoundingClientRect();
  const first = Date.parse(chart.dataset.first);
  const days = (Date.parse(chart.dataset.last) - first) / DAY + 1;
  const ahead = Math.floor(((x - box.left) / box.width) * days);
  return new Date(first + Math.max(0, Math.min(days - 1, ahead)) * DAY).toISOString().slice(0, 10);
}

function zoom(chart, from, to) {
  const address = new URL(location.href);
  for (const gone of ["days", "page"]) address.searchParams.delete(gone);
  address.searchParams.set("start_date", dayAt(chart, Math.min(from, to)));
  address.searchParams.set("end_date", dayAt(chart, Math.max(from, to)));
  address.hash = "";
  location.assign(address);
}

function shade(chart, from, to) {
  const box = chart.getBoundingClientRect();
  let drag = chart.querySelector(".drag");
  if (!drag) {
    drag = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    drag.setAttribute("class", "drag");
    drag.setAttribute("y", "0");
    drag.setAttribute("height", String(box.height - 20));
    chart.append(drag);
  }
  drag.setAttribute("x", String(Math.max(0, Math.min(from, to) - box.left)));
  drag.setAttribute("width", String(Math.abs(to - from)));
}

function follow(plot) {
  const chart = plot.querySelector("svg");
  const isOfDays = "first" in chart.dataset;
  let from = null;
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", `${chart.querySelector("title").textContent}: arrow keys tell the values`);
  plot.addEventListener("keydown", (event) => step(plot, event));
  plot.addEventListener("blur", () => say(plot, null));
  plot.addEventListener("pointerleave", () => from === null && say(plot, null));
  plot.addEventListener("pointerdown", (event) => {
    if (isOfDays && event.button === 0 && event.pointerType !== "touch") {
      from = event.clientX;
      event.preventDefault();
      plot.focus({ preventScroll: true });
    }
  });
  plot.addEventListener("pointermove", (event) => {
    const mark = event.target.closest("[data-say]");
    if (from === null || Math.abs(event.clientX - from) < SHORTEST) {
      say(plot, mark);
    } else {
      shade(chart, from, event.clientX);
      plot.closest(".figure").querySelector(".say").textContent =
        `${dayAt(chart, Math.min(from, event.clientX))} to ${dayAt(chart, Math.max(from, event.clientX))}`;
    }
  });
  window.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const began = from;
    from = null;
    chart.querySelector(".drag")?.remove();
    if (Math.abs(event.clientX - began) >= SHORTEST) zoom(chart, began, event.clientX);
  });
  plot.addEventListener("click", (event) => {
    const to = event.target.closest("[data-to]")?.dataset.to;
    if (to) location.assign(to);
  });
}

for (const plot of document.querySelectorAll("[data-plot]")) follow(plot);
