// What is nicer with JavaScript. Every page does without it.

import { count, loadTexts, t, time } from "../lib/texts.js";

await loadTexts(new URL("es.json", import.meta.url));

/** A button beside a password that shows it. */
for (const field of document.querySelectorAll('input[type="password"]')) {
  const wrap = document.createElement("div");
  wrap.className = "with-button";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  const say = () => {
    const isShown = field.type === "text";
    button.textContent = isShown ? t("Hide") : t("Show");
    button.setAttribute("aria-label", isShown ? t("Hide the password") : t("Show the password"));
  };
  button.addEventListener("click", () => {
    field.type = field.type === "text" ? "password" : "text";
    say();
  });
  say();
  const hasFocus = document.activeElement === field;
  field.replaceWith(wrap);
  wrap.append(field, button);
  if (hasFocus) field.focus();
  // A password manager is to see a password.
  field.form?.addEventListener("submit", () => { field.type = "password"; });
}

/** How much of a new password is missing, while it is typed. */
for (const field of document.querySelectorAll("input[data-least]")) {
  const told = document.createElement("p");
  told.className = "hint";
  field.closest(".with-button").after(told);
  field.addEventListener("input", () => {
    const missing = field.dataset.least - [...field.value].length;
    told.textContent = missing > 0 ? t("Characters to go: {n}", { n: count(missing) }) : t("Long enough.");
  });
}

/** No other code is mailed before its time: the button says when that is. */
for (const button of document.querySelectorAll("button[data-wait]")) {
  const name = `code ${button.form.elements.registration.value}`;
  const since = Number(sessionStorage.getItem(name)) || Date.now();
  sessionStorage.setItem(name, since);
  button.form.addEventListener("submit", () => sessionStorage.removeItem(name));
  const label = button.textContent;
  const tick = () => {
    const left = Math.ceil(Number(button.dataset.wait) - (Date.now() - since) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (${count(left)} s)` : label;
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}

/** Times in the reader's own zone. */
for (const moment of document.querySelectorAll("time")) {
  moment.textContent = time(moment.dateTime);
}

/** A question before what cannot be taken back. */
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const dialog = document.createElement("dialog");
    const question = document.createElement("p");
    question.id = "question";
    question.textContent = form.dataset.confirm;
    dialog.setAttribute("aria-labelledby", question.id);
    const answers = document.createElement("form");
    answers.method = "dialog";
    answers.className = "actions";
    for (const [name, value, style] of [[t("Yes, do it"), "yes", "alarm"], [t("Cancel"), "no", "plain"]]) {
      const button = document.createElement("button");
      button.value = value;
      button.className = style;
      button.textContent = name;
      answers.append(button);
    }
    dialog.append(question, answers);
    dialog.addEventListener("close", () => {
      dialog.remove();
      // Asks nobody again, and leaves no mark on a page that the back button brings back.
      if (dialog.returnValue === "yes") form.submit();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Copying a key. */
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = t("Copied");
  });
}
