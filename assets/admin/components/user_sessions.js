// Where a user is logged in, and the keys of their programs.

import { html } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { act, ask } from "./acts.js";
import { Loaded, useData } from "./data.js";
import { Part } from "./page.js";
import { named, pathOf, requests } from "./requests.js";
import { Ago, Mark, Name, When } from "./say.js";

export const Sessions = ({ user, round, canChange }) => {
  const sessions = useData(`${pathOf(user)}sessions/`, undefined, round);
  const end = (session) => act({ method: "DELETE", path: `${pathOf(user)}sessions/${session.id}/` }, { said: t("The session has ended."), after: sessions.reload });
  const endAll = async () => {
    const twin = requests(user).endSessions;
    const body = html`<p>${t("{name} is logged out everywhere, and may log in again.", named(user))}</p>`;
    if (await ask({ title: t("End all sessions?"), body, confirm: t("End all"), twins: [twin] })) {
      act(twin, { said: t("All sessions have ended."), after: sessions.reload });
    }
  };
  const hasSome = sessions.data?.results.length > 0;
  const actions = canChange && hasSome && html`<button class="plain" onClick=${endAll}>${t("End all…")}</button>`;
  return html`<${Part} title=${t("Sessions")} actions=${actions}>
    <${Loaded} of=${sessions}>${({ results }) => (results.length ? html`<ul class="plain-list">${results.map((session) => html`<li key=${session.id}>
      <div>
        <${Name}>${session.label || t("Session")}<//> ${session.current && html`<${Mark} kind="good">${t("this one")}<//>`}
        <span class="hint">${session.ip && html`<bdi>${session.ip}</bdi> · `}${t("last seen")} <${Ago} at=${session.last_refreshed_at} /></span>
        <span class="hint">${t("since")} <${When} at=${session.created_at} /></span>
        ${session.user_agent && html`<span class="hint"><${Name}>${session.user_agent}<//></span>`}
      </div>
      ${canChange && html`<button class="link" onClick=${() => end(session)}>${t("End")}</button>`}
    </li>`)}</ul>` : html`<p class="quiet">${t("Logged in nowhere.")}</p>`)}<//>
  <//>`;
};

export const ApiKeys = ({ user, round, canChange }) => {
  const keys = useData(`${pathOf(user)}api-keys/`, undefined, round);
  const revoke = async (key) => {
    const request = { method: "DELETE", path: `${pathOf(user)}api-keys/${key.id}/` };
    const body = html`<p><strong><${Name}>${key.name}<//></strong>: ${t("programs that use it are refused from then on. This cannot be undone.")}</p>`;
    if (await ask({ title: t("Revoke the API key?"), body, confirm: t("Revoke"), twins: [{ does: t("Revoke"), ...request }] })) {
      act(request, { said: t("The API key is revoked."), after: keys.reload });
    }
  };
  return html`<${Part} title=${t("API keys")}>
    <${Loaded} of=${keys}>${({ results }) => (results.length ? html`<ul class="plain-list">${results.map((key) => html`<li key=${key.id}>
      <div>
        <${Name}>${key.name}<//> <code>${key.prefix}…</code>
        <span class="hint">${t("last used")} <${Ago} at=${key.last_used_at} none=${t("never")} /> · ${t("runs out")} <${When} at=${key.expires_at} none=${t("never")} /></span>
      </div>
      ${canChange && html`<button class="link" onClick=${() => revoke(key)}>${t("Revoke…")}</button>`}
    </li>`)}</ul>` : html`<p class="quiet">${t("None.")}</p>`)}<//>
  <//>`;
};
