// Doing things:
//
//     await act({ method: "DELETE", path: "/auth/admin/users/12/" }, {
//       said: html`<${Name}>ada<//> is disabled`,   // the toast
//       undo: { request: {...}, said: "..." },      // one click takes it back
//       after: user.reload,                         // whenever something changed
//     });
//
// The request may be a function that asks first what there is now, as `changedIn` does. It
// gives what the API answered, or undefined if it refused, which is said. One user of /users/bulk/ who is refused is a
// refusal, too.
//
//     if (await ask({ title, body, confirm: "Purge", type: "ada", twins: [...] })) ...
//
// asks first: what is done is named, and where it cannot be undone a word is typed.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { Problem, call } from "../api.js";
import { shared } from "../state.js";
import { forget } from "./data.js";
import { Dialog } from "./dialog.js";
import { visible } from "./say.js";
import { toast } from "./toasts.js";
import { Twins } from "./twins.js";

export async function act(request, { said, undo, after = () => {} }) {
  try {
    const answer = await call(typeof request === "function" ? await request() : request);
    const [only] = answer?.results?.length === 1 ? answer.results : [];
    if (only?.result === "refused") throw new Problem(only);
    forget();
    toast(said, { undo: undo && (() => act(undo.request, { said: undo.said, after })) });
    after(answer);
    setTimeout(keepFocus, SETTLED);
    return answer ?? true;
  } catch (problem) {
    toast(problem.beside?.() ?? problem.message, { kind: "alarm" });
    return undefined;
  }
}

/** When the screen shows what came of it, in milliseconds. */
const SETTLED = 500;

/** The button that was pressed may be gone: then the heading has the focus, and not the beginning of the page. */
function keepFocus() {
  if (document.activeElement === document.body) document.querySelector("h1")?.focus();
}

/** A list as it is now, with what was changed in it from one to the other: what somebody else changed stays. */
export const changedIn = (now, from, to) => [
  ...now.filter((one) => to.includes(one) || !from.includes(one)),
  ...to.filter((one) => !from.includes(one) && !now.includes(one)),
];

const asked = shared(null);

/** Resolves to whether it is to be done. */
export const ask = (question) => new Promise((resolve) => asked.set({ ...question, resolve }));

/** Where questions are shown: once, in the frame. */
export const Asked = () => {
  const question = asked.use();
  return question && html`<${Question} key=${question.title} question=${question} />`;
};

const Question = ({ question: { title, body, confirm, type, twins, resolve } }) => {
  const [typed, setTyped] = useState("");
  const isReady = type === undefined || typed.trim() === visible(type).trim();
  const end = (answer) => {
    asked.set(null);
    resolve(answer);
  };
  const submit = (event) => {
    event.preventDefault();
    if (isReady) end(true);
  };
  return html`<${Dialog} title=${title} onClose=${() => end(false)}>
    <form onSubmit=${submit}>
      ${body}
      ${type !== undefined && html`<label>${t("Type this to confirm:")} <bdi><code>${visible(type)}</code></bdi>
        <input autofocus autocomplete="off" autocapitalize="off" spellcheck=${false} value=${typed}
          onInput=${(event) => setTyped(event.target.value)} /></label>`}
      ${twins && html`<${Twins} of=${twins} />`}
      <div class="row end">
        <button type="button" class="plain" autofocus=${type === undefined} onClick=${() => end(false)}>${t("Cancel")}</button>
        <button class="alarm" disabled=${!isReady}>${confirm}</button>
      </div>
    </form>
  <//>`;
};
