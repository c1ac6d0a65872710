// Rows of the audit log, on its own screen and with the user they are about.

import { html } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { may } from "../me.js";
import { Mark, Name, When, visible } from "./say.js";
import { Table } from "./table.js";

export const Events = ({ rows, busy, empty }) => html`<${Table} caption=${t("Events")} columns=${columns} rows=${rows}
  keyOf=${(event) => event.id} busy=${busy} empty=${empty ?? t("Nothing of the kind happened.")} />`;

const columns = [
  { head: t("Time"), class: "when", cell: (event) => html`<${When} at=${event.time} />` },
  {
    head: t("What"), class: "main what",
    cell: (event) => html`<span class="marks"><code>${event.kind}</code>${event.result === "failure" && html`<${Mark} kind="alarm">${t("failed")}<//>`}</span>`,
  },
  {
    head: t("Who"), class: "who",
    cell: (event) => (event.actor || event.ip) && html`${event.actor && html`<${Party} of=${event.actor} isUser />`}
      ${event.ip && html`<span class="hint">${t("from {address}", { address: event.ip })}</span>`}`,
  },
  { head: t("To whom or what"), class: "who", cell: (event) => event.subject && html`<${Party} of=${event.subject} isUser=${!isAboutRights(event)} />` },
  { head: t("Details"), cell: (event) => html`<${Details} of=${event} />` },
];

/** A number of these is not a user's. */
const isAboutRights = ({ kind }) => /^(group|permission)\./.test(kind);

const Party = ({ of: { id, label }, isUser }) => (isUser && /^\d+$/.test(id) && may("users.view_user")
  ? html`<a href=${`/admin/users/${id}/`}><${Name}>${label}<//></a>`
  : html`<${Name}>${label}<//>`);

const Details = ({ of: event }) => {
  const facts = [
    [t("Device"), event.user_agent], [t("Session"), event.session], [t("Request"), event.request_id], [t("Event"), event.id],
  ].filter(([, fact]) => fact);
  return html`${event.detail && html`<div><${Name}>${event.detail}<//></div>`}
    <details class="more"><summary>${t("More")}</summary>
      <dl class="facts">${facts.map(([name, fact]) => html`<dt>${name}</dt><dd><bdi>${visible(fact)}</bdi></dd>`)}</dl>
    </details>`;
};
