// What a user may, and why: of their own, through which group, or as a superuser.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { call, get } from "../api.js";
import { may, me } from "../me.js";
import { act, changedIn } from "./acts.js";
import { Loaded, everyRow, useData } from "./data.js";
import { Dialog } from "./dialog.js";
import { Choice } from "./fields.js";
import { Part } from "./page.js";
import { Picker } from "./picker.js";
import { Mark, Name, visible } from "./say.js";
import { pathOf } from "./requests.js";
import { Twins } from "./twins.js";

/** Every superuser's, and not given otherwise. */
const ROOT = "Root";

export const Groups = ({ user, canChange, changed }) => {
  const canPut = canChange && (me().is_superuser || me().id !== user.id);
  const all = useData(canPut && may("users.view_group") ? "/auth/admin/groups/" : null, everyRow);
  const own = user.groups.filter((name) => name !== ROOT);
  // One group in or out: what somebody else does meanwhile stays.
  const request = (action, name) => ({ method: "POST", path: "/auth/admin/users/bulk/", body: { action, ids: [user.id], groups: [name] } });
  const put = (name, isIn) => {
    const [there, back] = isIn ? ["add_to_groups", "remove_from_groups"] : ["remove_from_groups", "add_to_groups"];
    const said = isIn ? t("Put into {name}.", { name: visible(name) }) : t("Taken out of {name}.", { name: visible(name) });
    return act(request(there, name), { said, undo: { request: request(back, name), said: t("That is taken back.") }, after: changed });
  };
  const others = (all.data ?? []).filter((group) => group.name !== ROOT && !own.includes(group.name));
  return html`<${Part} title=${t("Groups")}>
    ${user.groups.length === 0 && html`<p class="quiet">${t("In no group.")}</p>`}
    <ul class="plain-list">${user.groups.map((name) => html`<li key=${name}>
      <${Name}>${name}<//>
      ${canPut && name !== ROOT && html`<button class="link" aria-label=${t("Take out of {name}", { name: visible(name) })}
        onClick=${() => put(name, false)}>${t("Take out")}</button>`}
    </li>`)}</ul>
    ${others.length > 0 && html`<${PutInto} groups=${others} put=${(name) => put(name, true)} />`}
  <//>`;
};

const PutInto = ({ groups, put }) => {
  const [name, choose] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (groups.some((group) => group.name === name)) put(name);
  };
  return html`<form class="filters put" onSubmit=${submit}>
    <${Choice} label=${t("Another group")} value=${name} options=${[["", "–"], ...groups.map((group) => [group.name, visible(group.name)])]} onChoose=${choose} />
    <button class="plain">${t("Put in")}</button>
  </form>`;
};

export const Rights = ({ user, round, canChange, changed }) => {
  const rights = useData(`${pathOf(user)}permissions/`, undefined, round);
  const [isGiving, setGiving] = useState(false);
  const canPut = canChange && may("auth.view_permission") && (me().is_superuser || me().id !== user.id);
  const actions = canPut && rights.data && html`<button class="plain" onClick=${() => setGiving(true)}>${t("Change…")}</button>`;
  return html`<${Part} title=${t("Permissions, and why")} actions=${actions}>
    ${!user.is_active && html`<p class="error">${t("While the user is disabled, none of these count.")}</p>`}
    ${user.is_superuser && html`<p class="done">${t("A superuser has every permission.")}</p>`}
    <${Loaded} of=${rights}>${(data) => html`<${Reasons} rights=${data} user=${user} />
      ${isGiving && html`<${Give} user=${user} own=${data.permissions} onClose=${() => setGiving(false)} changed=${changed} />`}`}<//>
  <//>`;
};

const Reasons = ({ rights, user }) => {
  // That a superuser has them all is said once.
  const groups = (reason) => reason.through.filter((name) => name !== ROOT);
  const told = rights.effective.filter((reason) => reason.own || groups(reason).length > 0);
  if (!told.length) return !user.is_superuser && html`<p class="quiet">${t("None.")}</p>`;
  return html`<ul class="plain-list scroll" tabindex="0" aria-label=${t("Permissions, and why")}>${told.map((reason) => html`<li key=${reason.permission}>
    <code>${reason.permission}</code>
    <span class="marks">
      ${reason.own && html`<${Mark}>${t("of their own")}<//>`}
      ${groups(reason).map((name) => html`<${Mark} key=${name}>${t("through")} <${Name}>${name}<//><//>`)}
    </span>
  </li>`)}</ul>`;
};

const Give = ({ user, own, onClose, changed }) => {
  const [chosen, choose] = useState(new Set(own));
  const path = `${pathOf(user)}permissions/`;
  const request = (permissions) => ({ method: "PUT", path, body: { permissions } });
  const change = (from, to) => async () => request(changedIn((await call(get(path))).permissions, from, to));
  const save = async () => {
    onClose();
    const wanted = [...chosen];
    await act(change(own, wanted), { said: t("The permissions are saved."), undo: { request: change(wanted, own), said: t("That is taken back.") }, after: changed });
  };
  return html`<${Dialog} title=${t("Permissions of their own")} onClose=${onClose} wide>
    <${Picker} chosen=${chosen} onChoose=${choose} />
    <${Twins} of=${[{ does: t("Permissions of their own"), ...request([...chosen]) }]} />
    <div class="row end">
      <button class="plain" onClick=${onClose}>${t("Cancel")}</button>
      <button onClick=${save}>${t("Save permissions")}</button>
    </div>
  <//>`;
};
