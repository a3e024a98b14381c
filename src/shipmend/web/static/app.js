// Copy buttons. Without script they stay hidden, and the text can be selected by hand.
"use strict";

function copied(button) {
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

function select(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  select(source);
  // The clipboard is there in secure contexts only; a plain http address still has the old command.
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(source.textContent);
  } else if (!document.execCommand("copy")) {
    return;
  }
  copied(button);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
