// One user: who they are, what they may and why, where they are logged in, and what happened.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { may, me } from "../me.js";
import { act, ask } from "../components/acts.js";
import { Loaded, leaveTo, useData, usePages } from "../components/data.js";
import { Events } from "../components/events.js";
import { Page, Part } from "../components/page.js";
import { Marks, Name, Trouble, When, labelOf, visible } from "../components/say.js";
import { Pager } from "../components/table.js";
import { named, requests } from "../components/requests.js";
import { SetPassword } from "../components/set_password.js";
import { Profile } from "../components/user_profile.js";
import { Groups, Rights } from "../components/user_rights.js";
import { ApiKeys, Sessions } from "../components/user_sessions.js";

export const User = ({ id }) => {
  const user = useData(`/auth/admin/users/${id}/`);
  const { data } = user;
  // A change may end sessions and keys, and is an event.
  const [round, setRound] = useState(0);
  const changed = () => {
    user.reload();
    setRound((round) => round + 1);
  };
  const canChange = data && may("users.change_user") && (me().is_superuser || !data.is_superuser);
  return html`<${Page} title=${data ? labelOf(data) : t("User")} heading=${data && html`<${Name}>${labelOf(data)}<//>`}
    actions=${data && html`<${Marks} user=${data} />`} twins=${data && twins(data, canChange)}>
    <${Loaded} of=${user}>${(data) => html`<div class="parts">
      <div>
        <${Profile} user=${data} canChange=${canChange} changed=${changed} />
        <${Groups} user=${data} canChange=${canChange} changed=${changed} />
        <${Rights} round=${round} user=${data} canChange=${canChange} changed=${changed} />
      </div>
      <div>
        <${Access} user=${data} canChange=${canChange} changed=${changed} />
        <${Sessions} round=${round} user=${data} canChange=${canChange} />
        <${ApiKeys} round=${round} user=${data} canChange=${canChange} />
      </div>
    </div>
    ${may("audit.view_event") && html`<${Story} round=${round} user=${data} />`}`}<//>
  <//>`;
};

function twins(user, canChange) {
  const could = requests(user);
  return canChange ? Object.values(could) : [could.show, could.sessions, could.apiKeys];
}

/** Whether they come in, and how they are helped to. */
const Access = ({ user, canChange, changed }) => {
  const [isSetting, setSetting] = useState(false);
  const could = requests(user);
  const canDisable = may("users.delete_user") && (me().is_superuser || !user.is_superuser);
  return html`<${Part} title=${t("Access")}>
    <dl class="facts">
      <dt>${t("Number")}</dt><dd>${user.id}</dd>
      <dt>${t("Joined")}</dt><dd><${When} at=${user.date_joined} /></dd>
      <dt>${t("Last log-in")}</dt><dd><${When} at=${user.last_login} none=${t("never")} /></dd>
      <dt>${t("Last change")}</dt><dd><${When} at=${user.updated_at} /></dd>
    </dl>
    <div class="row acts">
      ${user.is_active && canDisable && html`<button class="plain" onClick=${() => disable(user, changed)}>${t("Disable")}</button>`}
      ${!user.is_active && canChange && html`<button onClick=${() => enable(user, changed)}>${t("Enable")}</button>`}
      ${canChange && html`
        <button class="plain" onClick=${() => setSetting(true)}>${t("Set a password…")}</button>
        ${user.email && user.is_active && html`<button class="plain" onClick=${() => sendReset(user, changed)}>${t("Send a reset link")}</button>`}`}
      ${me().is_superuser && html`<button class="danger" onClick=${() => purge(user)}>${t("Purge…")}</button>`}
    </div>
    ${isSetting && html`<${SetPassword} user=${user} twin=${could.password} onClose=${() => setSetting(false)} changed=${changed} />`}
  <//>`;
};

async function disable(user, after) {
  const could = requests(user);
  // Whoever shuts themselves out cannot take it back.
  if (user.id === me().id) {
    const body = html`<p>${t("This is you: you are logged out at once, and somebody else has to enable you again.")}</p>`;
    if (!await ask({ title: t("Disable yourself?"), body, confirm: t("Disable"), twins: [could.disable] })) return;
  }
  await act(could.disable, {
    said: t("{name} is disabled: their sessions, API keys and codes have ended.", named(user)),
    undo: { request: could.enable, said: t("{name} may log in again.", named(user)) },
    after,
  });
}

const enable = (user, after) => act(requests(user).enable, { said: t("{name} may log in again.", named(user)), after });

async function sendReset(user, after) {
  await act(requests(user).reset, { said: t("A link to a new password is on its way to {email}.", { email: visible(user.email) }), after });
}

async function purge(user) {
  const could = requests(user);
  const body = html`<p><strong><${Name}>${labelOf(user)}<//></strong> ${t("is removed with everything that is theirs: sessions, API keys, codes, the place in groups. Events stay. This cannot be undone; disabling can.")}</p>`;
  const wanted = await ask({ title: t("Purge this user for good?"), body, confirm: t("Purge"), type: labelOf(user), twins: [could.purge] });
  if (wanted) await act(could.purge, { said: t("{name} is gone.", named(user)), after: () => leaveTo("/admin/users/") });
}

/** What they did, and what was done to them. */
const Story = ({ user, round }) => {
  const events = usePages("/auth/admin/events/", { user: user.id }, 20, round);
  const all = html`<a href=${`/admin/events/?user=${user.id}`}>${t("On the screen of events")}</a>`;
  return html`<${Part} title=${t("What happened")} actions=${all}>
    <${Trouble} problem=${events.problem} />
    ${events.data && html`<${Events} rows=${events.data.results} busy=${events.isLoading} /><${Pager} of=${events} noun=${t("Events: {n}")} />`}
  <//>`;
};
