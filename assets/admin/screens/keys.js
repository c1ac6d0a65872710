// The keys that sign tokens: which there are, and new ones. Private parts are nowhere to be seen.

import { html } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { may } from "../me.js";
import { act, ask } from "../components/acts.js";
import { Loaded, useData } from "../components/data.js";
import { Page } from "../components/page.js";
import { Mark, When } from "../components/say.js";
import { Table } from "../components/table.js";

const PATH = "/auth/admin/keys/";

export const Keys = () => {
  const keys = useData(PATH);
  const rotate = { does: t("Rotate the keys"), method: "POST", path: `${PATH}rotate/`, cli: ["keys", "rotate"] };
  const rotateThem = async () => {
    const body = html`<p>${t("New keys sign from now on. Tokens of the old ones count until they expire, so nobody is logged out. Services that keep a copy of the public keys have to fetch them again.")}</p>`;
    if (await ask({ title: t("Rotate the keys?"), body, confirm: t("Rotate"), twins: [rotate] })) {
      act(rotate, { said: t("New keys sign from now on."), after: keys.reload });
    }
  };
  const actions = may("keys.add_signingkey") && html`<button onClick=${rotateThem}>${t("Rotate…")}</button>`;
  const twins = [{ does: t("This list"), method: "GET", path: PATH, cli: ["keys", "list"] }, may("keys.add_signingkey") && rotate];
  return html`<${Page} title=${t("Keys")} actions=${actions} twins=${twins}>
    <p class="quiet">${t("They are replaced by themselves every 90 days. Anybody may read the public ones:")} <a href="/.well-known/jwks.json">/.well-known/jwks.json</a></p>
    <${Loaded} of=${keys}>${({ results }) => html`<${Table} caption=${t("Keys")} columns=${columns} rows=${[...results].reverse()} keyOf=${(key) => key.id} />`}<//>
  <//>`;
};

const columns = [
  { head: t("Key"), class: "main", cell: (key) => html`<code>${key.id}</code>` },
  { head: t("Signs"), cell: (key) => html`${key.use === "access" ? t("access tokens") : t("refresh tokens")} <span class="hint">${key.algorithm}</span>` },
  { head: t("State"), cell: (key) => (key.signs ? html`<${Mark} kind="good">${t("signs")}<//>` : html`<${Mark}>${t("still verifies")}<//>`) },
  { head: t("Since"), class: "when", cell: (key) => html`<${When} at=${key.created_at} />` },
  { head: t("Until"), class: "when", cell: (key) => key.retires_at && html`<${When} at=${key.retires_at} />` },
  { head: t("Public part"), cell: (key) => key.jwk && html`<details class="more"><summary>${t("Show")}</summary><pre tabindex="0">${JSON.stringify(key.jwk, null, 1)}</pre></details>` },
];
