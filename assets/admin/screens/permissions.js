// All permissions, and who has one of them.

import { html, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { call, withQuery } from "../api.js";
import { may, me } from "../me.js";
import { act, ask } from "../components/acts.js";
import { Loaded, everyRow, forget, useData, usePages } from "../components/data.js";
import { Dialog } from "../components/dialog.js";
import { Field, Form } from "../components/fields.js";
import { Page } from "../components/page.js";
import { nameOf } from "../components/picker.js";
import { Marks, Name, Trouble, labelOf } from "../components/say.js";
import { Pager, Table } from "../components/table.js";
import { toast } from "../components/toasts.js";

const PATH = "/auth/admin/permissions/";
const pathOf = (permission) => `${PATH}${permission.id}/`;

/** What Keystead itself asks for: nobody changes these. */
const OWN = /^(users\.\w+_(user|group)|auth\.\w+_permission|sessions\.\w+_session|audit\.\w+_event|mail\.\w+_message|keys\.\w+_signingkey)$/;
const isOwn = (permission) => OWN.test(nameOf(permission)) && /^(add|change|delete|view)_/.test(permission.codename);

export const Permissions = () => {
  const all = useData(PATH, everyRow);
  const [text, setText] = useState("");
  const [edited, edit] = useState(null);
  const changed = () => {
    forget();
    all.reload();
  };
  const fits = (one) => `${nameOf(one)} ${one.name}`.toLowerCase().includes(text.trim().toLowerCase());
  const actions = may("auth.add_permission") && html`<button onClick=${() => edit({})}>${t("New permission")}</button>`;
  return html`<${Page} title=${t("Permissions")} actions=${actions} twins=${twins()}>
    <div class="filters"><label class="search">${t("Filter permissions")}
      <input type="search" autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)} /></label></div>
    <${Loaded} of=${all}>${(permissions) => {
      const shown = permissions.filter(fits);
      return html`<${Table} caption=${t("Permissions")} columns=${columns(edit, changed)} rows=${shown} keyOf=${(one) => one.id}
        busy=${all.isLoading} empty=${t("No permission is called that.")} />
        <p class="pager quiet" role="status">${t("{shown} of {all} permissions", { shown: count(shown.length), all: count(permissions.length) })}</p>`;
    }}<//>
    ${edited && html`<${Edit} permission=${edited} onClose=${() => edit(null)} changed=${changed} />`}
  <//>`;
};

const columns = (edit, changed) => [
  {
    head: t("Permission"), class: "main",
    cell: (one) => (may("users.view_user") ? html`<a href=${`/admin/permissions/${one.id}/`}><code>${nameOf(one)}</code></a>` : html`<code>${nameOf(one)}</code>`),
  },
  { head: t("Meaning"), cell: (one) => one.name && html`<${Name}>${one.name}<//>` },
  {
    head: t("Actions"), quiet: true, class: "end",
    cell: (one) => !isOwn(one) && may(nameOf(one)) && html`<span class="row">
      ${may("auth.change_permission") && html`<button class="link" aria-label=${t("Change {name}", { name: nameOf(one) })} onClick=${() => edit(one)}>${t("Change")}</button>`}
      ${may("auth.delete_permission") && html`<button class="link" aria-label=${t("Delete {name}", { name: nameOf(one) })} onClick=${() => remove(one, changed)}>${t("Delete…")}</button>`}
    </span>`,
  },
];

async function remove(permission, changed) {
  const request = { method: "DELETE", path: pathOf(permission) };
  const holders = may("users.view_user")
    ? (await call({ method: "GET", path: withQuery(`${pathOf(permission)}users/`, { limit: 1 }) }).catch(() => null))?.count ?? null : null;
  const body = html`<p><code>${nameOf(permission)}</code>: ${holders === null ? t("nobody has it from then on, in any group.")
    : t("who has it now (users: {n}) loses it.", { n: count(holders) })} ${t("This cannot be undone.")}</p>`;
  const wanted = await ask({ title: t("Delete the permission?"), body, confirm: t("Delete"), type: nameOf(permission), twins: [{ does: t("Delete"), ...request }] });
  if (wanted) await act(request, { said: t("The permission {name} is gone.", { name: nameOf(permission) }), after: changed });
}

/** A new one, or what an old one is to be. */
const Edit = ({ permission, onClose, changed }) => {
  const isNew = permission.id === undefined;
  const isNamed = isNew || me().is_superuser;
  const save = async (values) => {
    const body = isNamed ? values : { name: values.name };
    await call(isNew ? { method: "POST", path: PATH, body } : { method: "PATCH", path: pathOf(permission), body });
    toast(t("The permission is saved."));
    changed();
    onClose();
  };
  return html`<${Dialog} title=${isNew ? t("New permission") : nameOf(permission)} onClose=${onClose}>
    <${Form} save=${t("Save")} onSave=${save} onCancel=${onClose}>
      ${isNamed && html`
        <${Field} name="label" label=${t("Label")} value=${permission.label} hint=${t("What it is about: billing")} autocapitalize="off" autocomplete="off" />
        <${Field} name="codename" label=${t("Codename")} value=${permission.codename} hint=${t("What it allows: refund_invoice")} autocapitalize="off" autocomplete="off" />`}
      <${Field} name="name" label=${t("Meaning")} value=${permission.name} hint=${t("For people: Can refund an invoice")} autocomplete="off" />
    <//>
  <//>`;
};

/** Everybody who has one permission. */
export const Holders = ({ id }) => {
  const permission = useData(`${PATH}${id}/`);
  const holders = usePages(`${PATH}${id}/users/`);
  const name = permission.data && nameOf(permission.data);
  return html`<${Page} title=${name ?? t("Permission")} heading=${name && html`<code>${name}</code>`}
    twins=${[{ does: t("Who has it"), method: "GET", path: holders.url }]}>
    <${Trouble} problem=${permission.problem ?? holders.problem} />
    ${permission.data && html`<p><${Name}>${permission.data.name}<//></p>`}
    <p class="quiet">${t("Of their own, through a group, or as a superuser.")}</p>
    ${holders.data && html`<${Table} caption=${t("Who has it")} columns=${holderColumns} rows=${holders.data.results} keyOf=${(user) => user.id}
      busy=${holders.isLoading} empty=${t("Nobody has it.")} /><${Pager} of=${holders} noun=${t("Users: {n}")} />`}
  <//>`;
};

const holderColumns = [
  { head: t("User"), class: "main", cell: (user) => html`<a href=${`/admin/users/${user.id}/`}><${Name}>${labelOf(user)}<//></a>` },
  { head: t("State"), cell: (user) => html`<${Marks} user=${user} />` },
  { head: t("Groups"), cell: (user) => user.groups.length > 0 && user.groups.map((group, at) => html`${at > 0 && ", "}<${Name}>${group}<//>`) },
];

function twins() {
  return [
    { does: t("This list"), method: "GET", path: PATH },
    may("auth.add_permission") && { does: t("New permission"), method: "POST", path: PATH, body: { label: "billing", codename: "refund_invoice", name: "Can refund an invoice" } },
    may("auth.change_permission") && { does: t("Change"), method: "PATCH", path: `${PATH}40/`, body: { name: "Can refund an invoice" } },
    may("auth.delete_permission") && { does: t("Delete"), method: "DELETE", path: `${PATH}40/` },
  ];
}
