// One operation: who may call it, what goes in, what comes out.

import { html } from "../lib/ui.js";
import { t } from "../lib/texts.js";
import { resolved, typeOf } from "./document.js";
import { TryIt } from "./try_it.js";

export const Operation = ({ document, operation, token, isSignedIn }) => {
  const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  return html`<article>
    <h1 id="operation" tabindex="-1"><span class=${`method ${operation.method}`}>${operation.method}</span> ${operation.path}</h1>
    <p>${operation.summary}</p>
    <p class="quiet">${whoMay(operation["x-access"])}</p>
    ${operation.parameters && html`<h2>${t("Parameters")}</h2><${Parameters} parameters=${operation.parameters} />`}
    ${content && html`<h2>${t("Body")}</h2><p class="quiet">${type}</p><${Schema} document=${document} schema=${content.schema} />`}
    <h2>${t("Replies")}</h2>
    ${Object.entries(operation.responses).map(([status, response]) => html`<${Reply} key=${status} status=${status}
      document=${document} response=${response} example=${operation.example?.status === Number(status) ? operation.example.reply : undefined} />`)}
    <${TryIt} document=${document} operation=${operation} token=${token} isSignedIn=${isSignedIn} />
  </article>`;
};

/** The access rule as a sentence. */
function whoMay(access) {
  if (!access || access.caller === "everybody") return t("Everybody may call this.");
  const parts = [];
  if (access.caller === "superuser") parts.push(t("For superusers."));
  else if (access.caller === "user") parts.push(t("For users."));
  else if (access.permissions.length) parts.push(t("For staff with {permissions}.", { permissions: access.permissions.join(", ") }));
  else if (access.one_of.length) parts.push(t("For staff with one of {permissions}.", { permissions: access.one_of.join(", ") }));
  else parts.push(t("For staff."));
  if (access.needs_session) parts.push(t("An API key is not enough."));
  return parts.join(" ");
}

const Parameters = ({ parameters }) => html`<dl class="members">${parameters.map((one) => html`<div key=${one.name}>
  <dt><code>${one.name}</code> <span class="quiet">${one.in === "path" ? t("in the path") : t("in the query")}</span></dt>
  <dd>${one.description}</dd></div>`)}</dl>`;

/** The members of a body, with those of what it holds folded away. */
const Schema = ({ document, schema, depth = 0 }) => {
  const whole = resolved(document, schema);
  const members = Object.entries(whole?.properties ?? {});
  if (!members.length) return html`<p class="quiet">${typeOf(document, schema, t)}</p>`;
  return html`<dl class="members">${members.map(([name, member]) => {
    const inner = inside(document, member);
    return html`<div key=${name}>
      <dt><code>${name}</code> <span class="quiet">${typeOf(document, member, t)}</span>
        ${whole.required?.includes(name) && html` <span class="badge">${t("required")}</span>`}</dt>
      <dd>${member.description}${inner && depth < 3 && html`<details><summary>${t("Its members")}</summary>
        <${Schema} document=${document} schema=${inner} depth=${depth + 1} /></details>`}</dd>
    </div>`;
  })}</dl>`;
};

/** What a member holds that has members of its own. */
function inside(document, member) {
  const one = member.items ?? member.oneOf?.find((part) => part.$ref) ?? member;
  return resolved(document, one)?.properties ? one : null;
}

const Reply = ({ document, status, response, example }) => {
  const content = Object.values(response.content ?? {})[0];
  return html`<details class="reply">
    <summary><strong>${status === "default" ? t("else") : status}</strong> ${response.description}</summary>
    ${example !== undefined && html`<h3>${t("Example")}</h3><pre tabindex="0" role="group" aria-label=${t("Example")}><code>${JSON.stringify(example, null, 2)}</code></pre>`}
    ${content?.schema ? html`<${Schema} document=${document} schema=${content.schema} />` : html`<p class="quiet">${t("No body.")}</p>`}
  </details>`;
};
