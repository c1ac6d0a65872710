// Registrations that wait for their code: no users yet.

import { html } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { may } from "../me.js";
import { act, ask } from "../components/acts.js";
import { usePages } from "../components/data.js";
import { Page } from "../components/page.js";
import { Ago, Name, Trouble, visible } from "../components/say.js";
import { Pager, Table } from "../components/table.js";

const PATH = "/auth/admin/registrations/";

export const Registrations = () => {
  const list = usePages(PATH);
  const twins = [{ does: t("This list"), method: "GET", path: list.url }, ...Object.values(requests({ id: "REGISTRATION" }))];
  return html`<${Page} title=${t("Registrations")} twins=${twins}>
    <p class="quiet">${t("They become users when their code is confirmed, and are forgotten after a day.")}</p>
    <${Trouble} problem=${list.problem} />
    ${list.data && html`<${Table} caption=${t("Registrations")} columns=${columns(list)} rows=${list.data.results} keyOf=${(one) => one.id}
      busy=${list.isLoading} empty=${t("Nobody is waiting.")} /><${Pager} of=${list} noun=${t("Registrations: {n}")} />`}
  <//>`;
};

const requests = ({ id }) => ({
  activate: { does: t("Activate"), method: "POST", path: `${PATH}${id}/activate/` },
  drop: { does: t("Drop"), method: "DELETE", path: `${PATH}${id}/` },
});

const columns = (list) => [
  { head: t("Email address"), class: "main", cell: (one) => html`<${Name}>${one.email}<//>` },
  { head: t("Username"), cell: (one) => one.username && html`<${Name}>${one.username}<//>` },
  { head: t("Name"), cell: (one) => (one.first_name || one.last_name) && html`<${Name}>${`${one.first_name} ${one.last_name}`.trim()}<//>` },
  { head: t("Since"), class: "when", cell: (one) => html`<${Ago} at=${one.created_at} />` },
  { head: t("Actions"), class: "end", quiet: true, cell: (one) => html`<${Acts} one=${one} list=${list} />` },
];

const Acts = ({ one, list }) => {
  const { activate, drop } = requests(one);
  const email = visible(one.email);
  const activateIt = async () => {
    const body = html`<p>${t("You vouch that {email} is theirs: nobody confirmed it. They may log in at once, and other registrations of the address end.", { email })}</p>`;
    if (await ask({ title: t("Make a user of it?"), body, confirm: t("Activate"), twins: [activate] })) {
      act(activate, { said: t("{email} is a user now.", { email }), after: list.reload });
    }
  };
  const dropIt = async () => {
    const body = html`<p>${t("The code that went to {email} opens nothing then. They may register again.", { email })}</p>`;
    if (await ask({ title: t("Drop the registration?"), body, confirm: t("Drop"), twins: [drop] })) {
      act(drop, { said: t("The registration is dropped."), after: list.reload });
    }
  };
  return html`<div class="row">
    ${may("users.add_user") && html`<button class="link" onClick=${activateIt}>${t("Activate…")}</button>`}
    ${may("users.delete_user") && html`<button class="link" onClick=${dropIt}>${t("Drop…")}</button>`}
  </div>`;
};
