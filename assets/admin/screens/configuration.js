// The effective configuration, to be read: what counts, and where it was said. Secrets are masked by the service.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { Loaded, useData } from "../components/data.js";
import { Search, Tick } from "../components/fields.js";
import { Page } from "../components/page.js";
import { Mark, Name } from "../components/say.js";
import { Table } from "../components/table.js";

const PATH = "/auth/admin/config/";

export const Configuration = () => {
  const settings = useData(PATH);
  const [search, setSearch] = useState("");
  const [isBrief, beBrief] = useState(false);
  const twins = [{ does: t("The configuration"), method: "GET", path: PATH, cli: ["config"] }];
  const isShown = ({ name, value, source }) => (!isBrief || source !== "default")
    && [name, shown(value), source].some((text) => text.toLowerCase().includes(search.trim().toLowerCase()));
  return html`<${Page} title=${t("Configuration")} twins=${twins}>
    <p class="quiet">${t("It is changed in the file or the environment of the service, which is then started anew.")}</p>
    <div class="filters" role="search">
      <${Search} label=${t("Filter")} value=${search} onSearch=${setSearch} />
      <div class="line" onChange=${(event) => beBrief(event.target.checked)}><${Tick} name="brief" label=${t("Only what is not a default")} /></div>
    </div>
    <${Loaded} of=${settings}>${({ results }) => html`<${Table} caption=${t("Configuration")} columns=${columns} rows=${results.filter(isShown)}
      keyOf=${(setting) => setting.name} empty=${t("Nothing is like this.")} />`}<//>
  <//>`;
};

const columns = [
  { head: t("Name"), class: "main", cell: ({ name }) => html`<code>${name}</code>` },
  { head: t("Value"), cell: ({ value }) => html`<code><${Name}>${shown(value) || t("empty")}<//></code>` },
  { head: t("Source"), cell: ({ source }) => (source === "default" ? html`<span class="quiet">${t("default")}</span>` : html`<${Mark} kind="warm long"><${Name}>${source}<//><//>`) },
  { head: t("Variable"), cell: ({ variable }) => variable && html`<code class="quiet">${variable}</code>` },
];

/** A value as a file would have it; a list by its items. */
function shown(value) {
  if (Array.isArray(value)) return value.map(shown).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
