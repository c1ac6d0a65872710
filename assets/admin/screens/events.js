// The audit log: filtered, and followed as it grows.

import { html, useEffect, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { call, get, withQuery } from "../api.js";
import { useQuery } from "../router.js";
import { usePages } from "../components/data.js";
import { Events as Rows } from "../components/events.js";
import { Choice } from "../components/fields.js";
import { Page } from "../components/page.js";
import { Trouble } from "../components/say.js";
import { Pager } from "../components/table.js";

const PATH = "/auth/admin/events/";
const FILTERS = ["kind", "user", "since", "until"];

const KINDS = [
  "user.registered", "user.verified", "verification.requested", "verification.failed", "user.created", "user.updated",
  "login.succeeded", "login.failed", "session.ended", "session.reuse_detected", "password.changed", "password.reset_requested",
  "password.reset", "email.change_requested", "email.changed", "user.disabled", "user.enabled", "api_key.created",
  "api_key.revoked", "user.deleted", "group.created", "group.changed", "group.deleted", "permission.created",
  "permission.changed", "permission.deleted", "mail.resent", "mail.link_copied", "mail.dropped", "registration.dropped", "keys.rotated",
  "users.exported", "store.backed_up",
];

export const Events = () => {
  const [query, setQuery] = useQuery();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const events = usePages(PATH, filters);
  const [isFollowing, follow] = useState(false);
  const canFollow = !query.get("cursor") && !filters.until;
  const { fresh, problem } = useFresh(isFollowing && canFollow, filters, events);
  const filter = (changes) => setQuery({ ...changes, cursor: null });
  const twins = [
    { does: t("This list"), method: "GET", path: events.url },
    { does: t("What came after an event"), method: "GET", path: withQuery(PATH, { ...filters, after: events.data?.results[0]?.id ?? "EVENT" }) },
  ];
  const toggle = html`<button class="plain" disabled=${!canFollow}
    onClick=${() => follow(!isFollowing)}>${isFollowing && canFollow ? t("Following live: stop") : t("Follow live")}</button>`;
  return html`<${Page} title=${t("Events")} actions=${toggle} twins=${twins}>
    <${Filters} filters=${filters} filter=${filter} />
    <${Trouble} problem=${events.problem ?? problem} />
    <p class="hidden" role="status">${fresh.length > 0 && t("New events: {n}", { n: count(fresh.length) })}</p>
    ${events.data && html`<${Rows} rows=${[...fresh, ...events.data.results]} busy=${events.isLoading} />
      <${Pager} of=${{ ...events, data: { ...events.data, count: events.data.count && events.data.count + fresh.length } }} noun=${t("Events: {n}")} />`}
  <//>`;
};

const Filters = ({ filters, filter }) => html`<div class="filters" role="search">
  <${Choice} label=${t("What")} value=${filters.kind} options=${[["", t("all")], ...KINDS.map((kind) => [kind, kind])]}
    onChoose=${(kind) => filter({ kind })} />
  <label class="choice">${t("User number")}
    <input inputmode="numeric" value=${filters.user} onChange=${(event) => filter({ user: event.target.value.trim() })} /></label>
  <${Moment} label=${t("From")} value=${filters.since} onChoose=${(since) => filter({ since })} />
  <${Moment} label=${t("To")} value=${filters.until} onChoose=${(until) => filter({ until })} />
</div>`;

/** The browser's field is of the reader's zone; the API's moments are of none. */
const Moment = ({ label, value, onChoose }) => {
  const at = value ? new Date(value) : null;
  const isMoment = at && !Number.isNaN(at.getTime());
  const local = isMoment ? new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  const choose = (event) => onChoose(event.target.value && new Date(event.target.value).toISOString());
  return html`<label class="choice">${label}<input type="datetime-local" value=${local} onChange=${choose} /></label>`;
};

const PAUSE = 2_000;
const MOST = 500;

/** What happened since the list was read, the newest first, while somebody looks. */
function useFresh(isOn, filters, events) {
  const [fresh, setFresh] = useState([]);
  const [problem, setProblem] = useState(null);
  const newest = events.data?.results[0]?.id;
  useEffect(() => setFresh([]), [events.data]);
  useEffect(() => {
    if (!isOn) return undefined;
    const stop = new AbortController();
    let after = newest;
    let timer;
    const look = async () => {
      // Where nothing is yet, whatever is there is new.
      const page = await call(get(withQuery(PATH, { ...filters, after, limit: 200 })), stop.signal);
      const news = after ? page.results.reverse() : page.results;
      if (news.length) setFresh((fresh) => [...news, ...fresh].slice(0, MOST));
      after = (after && page.next) || news[0]?.id;
    };
    const again = async () => {
      // The next look may do better; what is there stays.
      if (!document.hidden) await look().then(() => setProblem(null), (problem) => stop.signal.aborted || setProblem(problem));
      if (!stop.signal.aborted) timer = setTimeout(again, PAUSE);
    };
    again();
    return () => {
      stop.abort();
      clearTimeout(timer);
      setProblem(null);
    };
  }, [isOn, events.data]);
  return { fresh, problem };
}
