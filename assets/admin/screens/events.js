// The audit log: filtered, and followed as it grows.

import { html, useEffect, useRef, useState } from "../../lib/ui.js";
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
  "permission.changed", "permission.deleted", "mail.resent", "mail.dropped", "registration.dropped", "keys.rotated",
  "users.exported", "store.backed_up",
];

export const Events = () => {
  const [query, setQuery] = useQuery();
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const events = usePages(PATH, filters);
  const [isFollowing, follow] = useState(false);
  const canFollow = !query.get("cursor") && !filters.until;
  const fresh = useFresh(isFollowing && canFollow, filters, events);
  const filter = (changes) => setQuery({ ...changes, cursor: null });
  const twins = [
    { does: t("This list"), method: "GET", path: events.url },
    { does: t("What is new since a moment"), method: "GET", path: withQuery(PATH, { ...filters, since: "2026-01-01T00:00:00Z" }) },
  ];
  const toggle = html`<button class="plain" aria-pressed=${isFollowing && canFollow} disabled=${!canFollow}
    onClick=${() => follow(!isFollowing)}>${isFollowing && canFollow ? t("Following live: stop") : t("Follow live")}</button>`;
  return html`<${Page} title=${t("Events")} actions=${toggle} twins=${twins}>
    <${Filters} filters=${filters} filter=${filter} />
    <${Trouble} problem=${events.problem} />
    <p class="hidden" role="status">${fresh.length > 0 && t("New events: {n}", { n: count(fresh.length) })}</p>
    ${events.data && html`<${Rows} rows=${[...fresh, ...events.data.results]} busy=${events.isLoading} /><${Pager} of=${events} noun=${t("Events: {n}")} />`}
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
/** A write that took long may bring an event that is older than the newest. */
const OVERLAP = 60_000;
const MOST = 500;

/** What happened since the list was read, the newest first, while somebody looks. */
function useFresh(isOn, filters, events) {
  const [fresh, setFresh] = useState([]);
  const known = useRef([]);
  known.current = [...fresh, ...(events.data?.results ?? [])];
  useEffect(() => setFresh([]), [events.data]);
  useEffect(() => {
    if (!isOn) return undefined;
    const stop = new AbortController();
    const look = async () => {
      if (document.hidden) return;
      const newest = known.current[0]?.time;
      const since = newest ? new Date(Date.parse(newest) - OVERLAP).toISOString() : filters.since;
      try {
        const page = await call(get(withQuery(PATH, { ...filters, since, limit: 200 })), stop.signal);
        if (stop.signal.aborted) return;
        if (page.next && newest) return events.reload();
        const ids = new Set(known.current.map((event) => event.id));
        const news = page.results.filter((event) => !ids.has(event.id));
        if (news.length) setFresh((fresh) => [...news, ...fresh].slice(0, MOST));
      } catch {
        // The next look may do better; what is there stays.
      }
    };
    let timer;
    const again = async () => {
      await look();
      if (!stop.signal.aborted) timer = setTimeout(again, PAUSE);
    };
    again();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [isOn, JSON.stringify(filters)]);
  return fresh;
}
