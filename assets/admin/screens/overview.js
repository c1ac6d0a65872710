// How the service is doing: what an administrator sees first.

import { html, useEffect, useState } from "../../lib/ui.js";
import { count, language, t } from "../../lib/texts.js";
import { may } from "../me.js";
import { Chart } from "../components/chart.js";
import { Loaded, useData } from "../components/data.js";
import { Page, Part } from "../components/page.js";
import { Ago, When } from "../components/say.js";

const PATH = "/auth/admin/overview/";
/** Whoever has none of these sees no part of it. */
const PARTS = ["users.view_user", "users.view_group", "audit.view_event", "mail.view_message"];
const PAUSE = 30_000;

export const Overview = () => {
  const seen = useData(PARTS.some(may) ? PATH : null);
  useEvery(PAUSE, seen.reload);
  const twins = [{ does: t("This overview"), method: "GET", path: PATH }];
  if (!PARTS.some(may)) return html`<${Page} title=${t("Overview")}><p>${t("Choose from the menu what you look after.")}</p><//>`;
  return html`<${Page} title=${t("Overview")} twins=${twins}>
    <${Loaded} of=${seen}>${(data) => html`
      <ul class="tiles">${tiles(data)}</ul>
      ${data.logins && html`<${Logins} logins=${data.logins} />`}
      <${Service} data=${data} />`}<//>
  <//>`;
};

/** Asks again while somebody looks. */
function useEvery(pause, ask) {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && ask(), pause);
    return () => clearInterval(timer);
  }, []);
}

const tiles = ({ users, groups, registrations, sessions, mails }) => [
  users && tile("/admin/users/", t("Users"), users.all, t("active: {active} · staff: {staff} · superusers: {superusers}", counted(users))),
  users && tile("/admin/users/?ordering=-date_joined", t("New this week"), users.joined_last_week, t("in the last day: {n}", { n: count(users.joined_last_day) })),
  sessions !== null && tile(null, t("Sessions"), sessions, t("log-ins that were not ended")),
  groups !== null && tile("/admin/groups/", t("Groups"), groups),
  registrations !== null && tile("/admin/registrations/", t("Registrations"), registrations, t("wait for their code")),
  mails && tile("/admin/outbox/", t("Mails waiting"), mails.waiting, t("given up: {n}", { n: count(mails.failed) }), mails.failed > 0),
];

const counted = (numbers) => Object.fromEntries(Object.entries(numbers).map(([name, n]) => [name, count(n)]));

const tile = (href, name, number, hint, isAlarming) => html`<li key=${name} class=${isAlarming ? "tile alarming" : "tile"}>
  ${href ? html`<a href=${href}>${name}</a>` : html`<span class="name">${name}</span>`}
  <strong>${count(number)}</strong>
  ${hint && html`<span class="hint">${hint}</span>`}
</li>`;

const hour = new Intl.DateTimeFormat(language, { weekday: "short", hour: "2-digit", minute: "2-digit" });
/** Days are counted in UTC. */
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });

const Logins = ({ logins }) => {
  const [span, choose] = useState("hours");
  const format = span === "hours" ? hour : day;
  const rows = logins[span].map(({ start, succeeded, failed }) => ({ at: start, good: succeeded, bad: failed }));
  const button = (name, text) => html`<button class="plain" aria-pressed=${span === name ? "true" : "false"} onClick=${() => choose(name)}>${text}</button>`;
  const actions = [button("hours", t("24 hours")), button("days", t("30 days"))];
  return html`<${Part} title=${t("Log-ins")} actions=${actions}>
    <${Chart} title=${t("Log-ins")} rows=${rows} good=${t("Succeeded")} bad=${t("Failed")} label=${(at) => format.format(new Date(at))} />
  <//>`;
};

const Service = ({ data: { service, backup } }) => html`<${Part} title=${t("Service")}>
  <dl class="facts">
    <dt>${t("Version")}</dt><dd>${service.version}</dd>
    <dt>${t("Started")}</dt><dd><${Ago} at=${service.started_at} /></dd>
    ${service.database_bytes !== undefined && html`<dt>${t("Database file")}</dt><dd>${bytes(service.database_bytes)}</dd>`}
    ${backup && html`<dt>${t("Last backup")}</dt><dd>${backup.last_at ? html`<${When} at=${backup.last_at} />`
      : html`${t("none known")} <span class="hint">${t("Make one with")} <code>keystead backup FILE</code></span>`}</dd>`}
  </dl>
<//>`;

/** As the reader writes a size. */
function bytes(n) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
  return new Intl.NumberFormat(language, { style: "unit", unit: units[step], maximumFractionDigits: 1 }).format(n / 1000 ** step);
}
