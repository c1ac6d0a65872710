// One group: what it is called, what its members may, and who they are.

import { html, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { call, get, withQuery } from "../api.js";
import { may, me } from "../me.js";
import { act, ask, changedIn } from "../components/acts.js";
import { Loaded, leaveTo, useData, usePages } from "../components/data.js";
import { Field, Form } from "../components/fields.js";
import { FindUser } from "../components/find_user.js";
import { Page, Part } from "../components/page.js";
import { Picker } from "../components/picker.js";
import { Marks, Name, Trouble, labelOf, visible } from "../components/say.js";
import { Pager, Table } from "../components/table.js";
import { toast } from "../components/toasts.js";

/** Whose members are all superusers: nobody changes it. */
const ROOT = 0;

export const Group = ({ id }) => {
  const path = `/auth/admin/groups/${id}/`;
  const group = useData(path);
  const name = group.data?.name;
  const isFixed = group.data?.id === ROOT || !may("users.change_group");
  return html`<${Page} title=${name ?? t("Group")} heading=${name && html`<${Name}>${name}<//>`}
    actions=${group.data && group.data.id !== ROOT && may("users.delete_group") && html`<${Delete} group=${group.data} path=${path} />`}
    twins=${group.data && twins(group.data, path)}>
    <${Loaded} of=${group}>${(data) => html`<div class="parts">
      <div>
        ${data.id === ROOT && html`<p class="done">${t("Root is every superuser. They have every permission, and nothing of it can be changed.")}</p>`}
        ${!isFixed && html`<${About} group=${data} path=${path} put=${group.put} />`}
        ${isFixed && data.description && html`<p><${Name}>${data.description}<//></p>`}
        ${data.id !== ROOT && html`<${Rights} key=${data.permissions.join()} group=${data} path=${path} put=${group.put} isFixed=${isFixed} />`}
      </div>
      ${may("users.view_user") && html`<${Members} group=${data} />`}
    </div>`}<//>
  <//>`;
};

const About = ({ group, path, put }) => {
  const before = { name: group.name, description: group.description };
  const save = async (values) => {
    // Only superusers give it another name.
    const body = me().is_superuser ? values : { description: values.description };
    const changed = await call({ method: "PATCH", path, body });
    put(changed);
    toast(t("The group is saved."), { undo: () => act({ method: "PATCH", path, body: before }, { said: t("That is taken back."), after: put }) });
  };
  return html`<${Part} title=${t("About")}>
    <${Form} save=${t("Save")} onSave=${save}>
      <${Field} name="name" label=${t("Name")} value=${group.name} disabled=${!me().is_superuser}
        hint=${!me().is_superuser && t("Only superusers give a group another name: applications know it by this one.")} />
      <${Field} name="description" label=${t("Description")} value=${group.description} />
    <//>
  <//>`;
};

const Rights = ({ group, path, put, isFixed }) => {
  const [chosen, choose] = useState(new Set(group.permissions));
  const isSame = chosen.size === group.permissions.length && group.permissions.every((one) => chosen.has(one));
  const canPick = !isFixed && may("auth.view_permission");
  const change = (from, to) => async () => {
    const permissions = changedIn((await call(get(path))).permissions, from, to);
    return { method: "PATCH", path, body: { permissions } };
  };
  const save = () => act(change(group.permissions, [...chosen]), {
    said: t("The members of the group may do this from now on."),
    undo: { request: change([...chosen], group.permissions), said: t("That is taken back.") },
    after: put,
  });
  return html`<${Part} title=${t("Permissions")}>
    ${canPick ? html`<${Picker} chosen=${chosen} onChoose=${choose} />
      <div class="row end">
        <button class="plain" disabled=${isSame} onClick=${() => choose(new Set(group.permissions))}>${t("Discard")}</button>
        <button disabled=${isSame} onClick=${save}>${t("Save permissions")}</button>
      </div>`
    : html`<ul>${group.permissions.map((one) => html`<li key=${one}><code>${one}</code></li>`)}</ul>`}
  <//>`;
};

const Members = ({ group }) => {
  const members = usePages("/auth/admin/users/", { group: group.name }, 20);
  const canChange = group.id !== ROOT && may("users.change_user");
  const put = async (user, isIn) => {
    const bulk = (action) => ({ method: "POST", path: "/auth/admin/users/bulk/", body: { action, ids: [user.id], groups: [group.name] } });
    const [there, back] = isIn ? ["add_to_groups", "remove_from_groups"] : ["remove_from_groups", "add_to_groups"];
    const named = { name: visible(labelOf(user)) };
    await act(bulk(there), {
      said: isIn ? t("{name} is in the group.", named) : t("{name} is not in the group any more.", named),
      undo: { request: bulk(back), said: t("That is taken back.") },
      after: members.reload,
    });
  };
  const columns = [
    { head: t("User"), class: "main", cell: (user) => html`<a href=${`/admin/users/${user.id}/`}><${Name}>${labelOf(user)}<//></a>` },
    { head: t("State"), cell: (user) => html`<${Marks} user=${user} />` },
    ...(canChange ? [{
      head: t("Actions"), quiet: true, class: "end",
      cell: (user) => html`<button class="link" aria-label=${t("Remove {name}", { name: visible(labelOf(user)) })} onClick=${() => put(user, false)}>${t("Remove")}</button>`,
    }] : []),
  ];
  return html`<${Part} title=${t("Members")}>
    ${canChange && html`<${FindUser} label=${t("Add a user")} act=${t("Add")} onFound=${(user) => put(user, true)} />`}
    <${Trouble} problem=${members.problem} />
    ${members.data && html`<${Table} caption=${t("Members")} columns=${columns} rows=${members.data.results} keyOf=${(user) => user.id}
      busy=${members.isLoading} empty=${t("Nobody is in it.")} /><${Pager} of=${members} noun=${t("Members: {n}")} />`}
  <//>`;
};

const Delete = ({ group, path }) => {
  const remove = async () => {
    const request = { method: "DELETE", path };
    const name = html`<${Name}>${group.name}<//>`;
    const members = may("users.view_user")
      ? (await call({ method: "GET", path: withQuery("/auth/admin/users/", { group: group.name, limit: 1 }) }).catch(() => null))?.count ?? null : null;
    const body = html`<p>${name}: ${members === null ? t("its members lose what it gives them.")
      : t("its members ({n}) lose what it gives them.", { n: count(members) })} ${t("This cannot be undone.")}</p>`;
    const wanted = await ask({ title: t("Delete the group?"), body, confirm: t("Delete"), type: group.name, twins: [{ does: t("Delete"), ...request }] });
    if (wanted) await act(request, { said: t("The group {name} is gone.", { name: visible(group.name) }), after: () => leaveTo("/admin/groups/") });
  };
  return html`<button class="danger" onClick=${remove}>${t("Delete…")}</button>`;
};

function twins(group, path) {
  const bulk = (action) => ({ method: "POST", path: "/auth/admin/users/bulk/", body: { action, ids: ["USER_ID"], groups: [group.name] } });
  return [
    { does: t("This group"), method: "GET", path },
    ...(group.id === ROOT ? [] : [
      { does: t("Save permissions"), method: "PATCH", path, body: { permissions: group.permissions } },
      { does: t("Add a user"), ...bulk("add_to_groups") },
      { does: t("Remove a user"), ...bulk("remove_from_groups") },
      { does: t("Delete"), method: "DELETE", path },
    ]),
    { does: t("Members"), method: "GET", path: withQuery("/auth/admin/users/", { group: group.name }) },
  ];
}
