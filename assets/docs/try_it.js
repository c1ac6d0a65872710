// The form that sends an operation, the same as a command, and what came back.

import { plain, quoted } from "../lib/shell.js";
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/texts.js";
import { answerTo } from "./caller.js";
import { bodyOf } from "./document.js";

const FORM = "application/x-www-form-urlencoded";

export const TryIt = ({ document, operation, token, isSignedIn }) => {
  const type = Object.keys(operation.requestBody?.content ?? {})[0];
  const [values, setValues] = useState({});
  const [body, setBody] = useState(() => (type ? written(type, bodyOf(document, operation)) : ""));
  const [answer, setAnswer] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const parameters = operation.parameters ?? [];
  const isPublic = operation["x-access"]?.caller === "everybody";
  const request = { method: operation.method, path: filled(operation, values), type, body, isPublic };
  const needsLogIn = !isPublic && !token && !isSignedIn;

  const send = async (event) => {
    event.preventDefault();
    if (isGrave(operation) && !confirm(t("Send {request}? This is the real service: what it does is done.", { request: `${request.method} ${request.path}` }))) return;
    setBusy(true);
    setAnswer(await answerTo(request, token).catch(() => ({ failed: true })));
    setBusy(false);
  };

  return html`<section class="try" aria-labelledby="try">
    <h2 id="try">${t("Try it")}</h2>
    ${needsLogIn && html`<p class="hint">${t("Log in first, or use a token: see the top of the page.")}</p>`}
    <form onSubmit=${send}>
      ${parameters.map((one) => html`<div key=${one.name}>
        <label for=${`p-${one.name}`}>${one.name}</label>
        <input id=${`p-${one.name}`} required=${one.required} value=${values[one.name] ?? ""}
          onInput=${(event) => setValues({ ...values, [one.name]: event.target.value })} />
      </div>`)}
      ${type && html`<label for="body">${t("Body")}</label>
        <textarea id="body" rows=${Math.min(16, body.split("\n").length + 1)} spellcheck="false" value=${body}
          onInput=${(event) => setBody(event.target.value)} />`}
      <button disabled=${isBusy}>${t("Send")}</button>
    </form>
    <h3>${t("As a command")}</h3>
    <pre tabindex="0" role="group" aria-label=${t("As a command")}><code>${curl(request)}</code></pre>
    <div role="status">${answer && html`<${Answer} answer=${answer} />`}</div>
  </section>`;
};

const Answer = ({ answer }) => {
  if (answer.failed) return html`<p class="error">${t("No answer came. Is the network there?")}</p>`;
  return html`<h3>${t("Answer: {status} {reason}, {n} ms", { status: answer.status, reason: answer.reason, n: answer.milliseconds })}</h3>
    <details><summary>${t("Headers")}</summary><pre tabindex="0" role="group" aria-label=${t("Headers")}><code>${answer.headers}</code></pre></details>
    ${answer.body && html`<pre class="answer" tabindex="0" role="group" aria-label=${t("Body")}><code>${answer.body}</code></pre>`}`;
};

/** What cannot be taken back by the next call. */
const isGrave = ({ method, path }) => method === "DELETE" || method !== "GET" && /logout|password|revoke|bulk|rotate|\/link\//.test(path);

/** The path with the parameters in it. */
function filled(operation, values) {
  const query = new URLSearchParams();
  let path = operation.path;
  for (const { name, in: place } of operation.parameters ?? []) {
    const value = values[name] ?? "";
    if (place === "path") path = path.replace(`{${name}}`, value ? encodeURIComponent(value) : `{${name}}`);
    else if (value) query.set(name, value);
  }
  return query.size ? `${path}?${query}` : path;
}

const written = (type, body) => (type === FORM ? new URLSearchParams(body).toString() : JSON.stringify(body, null, 2));

/** JSON as a command line has it; what is none is shown as it was typed. */
function onOneLine(body) {
  try {
    return plain(JSON.stringify(JSON.parse(body)));
  } catch {
    return plain(body);
  }
}

/** The same for a shell. The token is whoever's runs it. */
function curl({ method, path, type, body, isPublic }) {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(quoted(location.origin + path));
  if (!isPublic) parts.push("-H", '"Authorization: Bearer $TOKEN"');
  if (body) parts.push("-H", quoted(`Content-Type: ${type}`), "-d", quoted(type === FORM ? body : onOneLine(body)));
  return parts.join(" ");
}
