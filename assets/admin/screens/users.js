// All users: searched, filtered, sorted, a page at a time, and one act upon many of them.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { useQuery } from "../router.js";
import { get, withQuery } from "../api.js";
import { may } from "../me.js";
import { act } from "../components/acts.js";
import { everyRow, useData, usePages } from "../components/data.js";
import { Choice, Search } from "../components/fields.js";
import { Page } from "../components/page.js";
import { Pager, Table } from "../components/table.js";
import { Ago, Marks, Name, Trouble, When, labelOf, visible } from "../components/say.js";
import { Bulk } from "../components/bulk.js";
import { NewUser } from "../components/new_user.js";

const PATH = "/auth/admin/users/";
const FILTERS = ["search", "is_active", "is_staff", "is_superuser", "group", "ordering"];

export const Users = () => {
  const [query, setQuery] = useQuery();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const users = usePages(PATH, filters);
  const [picked, pick] = useState(new Map());
  const [isAdding, setAdding] = useState(false);
  const filter = (changes, options) => {
    pick(new Map());
    setQuery({ ...changes, cursor: null }, options);
  };
  const add = may("users.add_user") && html`<button onClick=${() => setAdding(true)}>${t("New user")}</button>`;
  return html`<${Page} title=${t("Users")} actions=${html`<${Export} filters=${filters} />${add}`} twins=${twins(users.url, filters)}>
    <${Filters} filters=${filters} filter=${filter} />
    <${Trouble} problem=${users.problem} />
    ${users.data && html`<${Table} caption=${t("Users")} columns=${columns} rows=${users.data.results} keyOf=${(user) => user.id}
      ordering=${filters.ordering || "id"} onOrder=${(ordering) => filter({ ordering })} busy=${users.isLoading}
      empty=${t("Nobody is like that.")} nameOf=${(user) => visible(labelOf(user))}
      picked=${canAct() ? picked : undefined} onPick=${pick} />
      <${Pager} of=${users} noun=${t("Users: {n}")} />`}
    ${picked.size > 0 && html`<${Bulk} picked=${picked} clear=${() => pick(new Map())} after=${users.reload} />`}
    ${isAdding && html`<${NewUser} onClose=${() => setAdding(false)} />`}
  <//>`;
};

const canAct = () => may("users.change_user") || may("users.delete_user");

const columns = [
  {
    head: t("Email address"), sort: "email", class: "main",
    cell: (user) => html`<a href=${`/admin/users/${user.id}/`}><${Name}>${labelOf(user)}<//></a>`,
  },
  { head: t("Username"), sort: "username", cell: (user) => user.username && html`<${Name}>${user.username}<//>` },
  { head: t("Name"), cell: (user) => user.full_name && html`<${Name}>${user.full_name}<//>` },
  { head: t("State"), cell: (user) => html`<${Marks} user=${user} />` },
  { head: t("Last log-in"), sort: "last_login", class: "when", cell: (user) => html`<${Ago} at=${user.last_login} none=${t("never")} />` },
  { head: t("Joined"), sort: "date_joined", class: "when spare", cell: (user) => html`<${When} at=${user.date_joined} />` },
];

const yesNo = (yes, no) => [["", t("all")], ["true", yes], ["false", no]];

const Filters = ({ filters, filter }) => {
  // Not everybody who may see users may see groups.
  const groups = useData(may("users.view_group") ? "/auth/admin/groups/" : null, everyRow);
  const names = (groups.data ?? []).map((group) => [group.name, visible(group.name)]);
  const known = names.some(([name]) => name === filters.group) || !filters.group;
  return html`<div class="filters" role="search">
    <${Search} label=${t("Search")} value=${filters.search} onSearch=${(search) => filter({ search }, { replace: true })}
      hint=${t("In addresses and names. ^ before it: they begin with it.")} />
    <${Choice} label=${t("State")} value=${filters.is_active} options=${yesNo(t("active"), t("disabled"))}
      onChoose=${(is_active) => filter({ is_active })} />
    <${Choice} label=${t("Rank")} value=${filters.is_superuser ? "superuser" : filters.is_staff} options=${[
      ["", t("all")], ["true", t("staff")], ["superuser", t("superuser")], ["false", t("not staff")],
    ]} onChoose=${(rank) => filter(rank === "superuser" ? { is_superuser: "true", is_staff: null } : { is_staff: rank, is_superuser: null })} />
    ${(groups.data || filters.group) && html`<${Choice} label=${t("Group")} value=${filters.group}
      options=${[["", t("all")], ...(known ? [] : [[filters.group, visible(filters.group)]]), ...names]}
      onChoose=${(group) => filter({ group })} />`}
  </div>`;
};

/** The file has what the list has on all its pages. */
const Export = ({ filters }) => html`<button class="plain" onClick=${() => download(exportOf(filters))}>${t("Export")}</button>`;

const exportOf = (filters) => withQuery("/auth/admin/users/export/", { ...filters, format: "csv" });

/** The browser fetches it by itself: the log-in has to be fresh. */
async function download(path) {
  if (await act(get("/auth/profile/"), { said: t("The file is on its way.") })) location.assign(path);
}

function twins(url, filters) {
  // The command line knows the search alone.
  const { search, ...others } = filters;
  const isPlain = !Object.values(others).some(Boolean);
  const cli = ["users", "list", ...(search ? [`--search=${search}`] : [])];
  return [
    { does: t("This list"), method: "GET", path: url, cli: isPlain && cli },
    { does: t("Export"), method: "GET", path: exportOf(filters) },
  ];
}
