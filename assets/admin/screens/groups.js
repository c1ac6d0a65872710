// All groups.

import { html, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { call } from "../api.js";
import { may } from "../me.js";
import { navigate } from "../router.js";
import { usePages } from "../components/data.js";
import { Dialog } from "../components/dialog.js";
import { Field, Form } from "../components/fields.js";
import { Page } from "../components/page.js";
import { Name, Trouble } from "../components/say.js";
import { Pager, Table } from "../components/table.js";

const PATH = "/auth/admin/groups/";

export const Groups = () => {
  const groups = usePages(PATH);
  const [isAdding, setAdding] = useState(false);
  const actions = may("users.add_group") && html`<button onClick=${() => setAdding(true)}>${t("New group")}</button>`;
  const twins = [
    { does: t("This list"), method: "GET", path: groups.url },
    may("users.add_group") && { does: t("New group"), method: "POST", path: PATH, body: { name: "Editors", description: "", permissions: ["users.view_user"] } },
  ];
  return html`<${Page} title=${t("Groups")} actions=${actions} twins=${twins}>
    <${Trouble} problem=${groups.problem} />
    ${groups.data && html`<${Table} caption=${t("Groups")} columns=${columns} rows=${groups.data.results} keyOf=${(group) => group.id}
      busy=${groups.isLoading} empty=${t("There are no groups.")} /><${Pager} of=${groups} noun=${t("Groups: {n}")} />`}
    ${isAdding && html`<${NewGroup} onClose=${() => setAdding(false)} />`}
  <//>`;
};

const columns = [
  { head: t("Name"), class: "main", cell: (group) => html`<a href=${`/admin/groups/${group.id}/`}><${Name}>${group.name}<//></a>` },
  { head: t("Description"), cell: (group) => group.description && html`<${Name}>${group.description}<//>` },
  { head: t("Permissions"), cell: (group) => (group.id === 0 ? t("all of them") : count(group.permissions.length)) },
];

const NewGroup = ({ onClose }) => {
  const save = async (values) => {
    const group = await call({ method: "POST", path: PATH, body: { ...values, permissions: [] } });
    onClose();
    navigate(`/admin/groups/${group.id}/`);
  };
  return html`<${Dialog} title=${t("New group")} onClose=${onClose}>
    <${Form} save=${t("Make the group")} onSave=${save} onCancel=${onClose}>
      <${Field} name="name" label=${t("Name")} autocomplete="off" />
      <${Field} name="description" label=${t("Description")} autocomplete="off" />
      <p class="hint">${t("What it may and who is in it is chosen next.")}</p>
    <//>
  <//>`;
};
