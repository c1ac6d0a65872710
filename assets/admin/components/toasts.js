// What is said in passing, in a corner, and read aloud: toast(html or text, { undo, kind }).
//
// undo is a function: there is a button for it as long as the toast is there. A toast stays while the pointer or the
// focus is on it.

import { html, useEffect, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { shared } from "../state.js";

const toasts = shared([]);
const LIFETIME = 8_000;
const LIFETIME_WITH_UNDO = 20_000;
const MOST = 4;
let last = 0;

export function toast(said, { undo = null, kind = "good" } = {}) {
  const one = { id: ++last, said, undo, kind };
  // What was done before is not taken back from here any more: there is one Undo, and it is clear of what.
  const others = toasts.get().filter((one) => one.kind === "alarm");
  toasts.set([...others, one].slice(-MOST));
}

const drop = (id) => toasts.set(toasts.get().filter((one) => one.id !== id));

export const Toasts = () => html`<div class="toasts" role="region" aria-label=${t("Messages")}>
  <div role="status" aria-live="polite">${toasts.use().map((one) => html`<${Toast} key=${one.id} one=${one} />`)}</div>
</div>`;

const Toast = ({ one: { id, said, undo, kind } }) => {
  const [isHeld, hold] = useState(false);
  useEffect(() => {
    if (isHeld) return undefined;
    const timer = setTimeout(() => drop(id), undo ? LIFETIME_WITH_UNDO : LIFETIME);
    return () => clearTimeout(timer);
  }, [isHeld]);
  const takeBack = () => {
    drop(id);
    undo();
  };
  return html`<div class=${`toast ${kind}`} onMouseEnter=${() => hold(true)} onMouseLeave=${() => hold(false)}
    onFocusIn=${() => hold(true)} onFocusOut=${() => hold(false)}>
    <span>${said}</span>
    ${undo && html`<button class="link" onClick=${takeBack}>${t("Undo")}</button>`}
    <button class="link close" aria-label=${t("Close")} onClick=${() => drop(id)}>×</button>
  </div>`;
};
