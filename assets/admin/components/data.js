// What the API has, as a component sees it.
//
//     const user = useData("/auth/admin/users/12/");        // { data, problem, isLoading, reload }
//     html`<${Loaded} of=${user}>${(data) => html`...`}<//>`
//
//     const users = usePages("/auth/admin/users/", { search });   // the same, for <${Pager} of=${users} />
//
// While something new is on its way, what was there stays. An answer that comes too late is dropped.

import { html, useEffect, useRef, useState } from "../../lib/ui.js";
import { call, get, withQuery } from "../api.js";
import { navigate, useLocation, useQuery } from "../router.js";
import { Trouble, Waiting } from "./say.js";

const plainly = (path, signal) => call(get(path), signal);

/** A service that does not answer is asked again after this. */
const UNREACHABLE = 0;
const PAUSE = 3_000;

/** What a path answers; `null` asks nothing. It is asked again when `since` is another. */
export function useData(path, ask = plainly, since = null) {
  const [seen, see] = useState({ data: null, problem: null, path: null });
  const [round, setRound] = useState(0);
  const newest = useRef(0);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    const own = ++newest.current;
    const isNewest = () => own === newest.current && !stop.signal.aborted;
    let timer;
    const miss = (problem) => {
      if (!isNewest()) return;
      see((before) => ({ data: before.path === path ? before.data : null, problem, path }));
      if (problem.status === UNREACHABLE) timer = setTimeout(() => setRound((round) => round + 1), PAUSE);
    };
    ask(path, stop.signal).then(
      (data) => isNewest() && see({ data, problem: null, path }),
      miss,
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path, round, since]);
  return {
    ...seen,
    isLoading: path !== null && seen.path !== path,
    reload: () => setRound((round) => round + 1),
    /** Shows what an act answered, without asking again. */
    put: (data) => see({ data, problem: null, path }),
  };
}

/** Draws what is there: the data, or why there is none, or that it is on its way. */
export const Loaded = ({ of, children }) => {
  const draw = [children].flat()[0];
  return html`<${Trouble} problem=${of.problem} />
    ${of.data ? html`<div aria-busy=${of.isLoading}>${draw(of.data)}</div>` : !of.problem && html`<${Waiting} />`}`;
};

/** Pages that were fetched before anybody asked for them. */
const ahead = new Map();
const FRESH = 20_000;
const MOST = 8;

function fetchAhead(url) {
  if (ahead.has(url)) return;
  const answer = call(get(url));
  // Whoever asks for it is told; nobody else has to be.
  answer.catch(() => ahead.delete(url));
  ahead.set(url, { at: Date.now(), answer });
  if (ahead.size > MOST) ahead.delete(ahead.keys().next().value);
}

function fetched(url, signal) {
  const known = ahead.get(url);
  ahead.delete(url);
  return known && Date.now() - known.at < FRESH ? known.answer : call(get(url), signal);
}

/** What was fetched before something changed is worth nothing. */
export const forget = () => ahead.clear();

/** A list, a page at a time. The next page is fetched before it is asked for. */
export function usePages(path, filters = {}, limit = 50, since = null) {
  const [query, setQuery] = useQuery();
  const { state } = useLocation();
  const cursor = query.get("cursor");
  const at = (cursor) => withQuery(path, { ...filters, limit, cursor });
  const list = useData(at(cursor), fetched, since);
  const trail = state?.trail ?? [];
  const next = list.isLoading ? null : list.data?.next;
  useEffect(() => {
    if (!next) return undefined;
    const timer = setTimeout(() => fetchAhead(at(next)), 100);
    return () => clearTimeout(timer);
  }, [path, next, JSON.stringify(filters)]);
  return {
    ...list,
    url: at(cursor),
    page: cursor ? (trail.length || null) && trail.length + 1 : 1,
    next: next && (() => setQuery({ cursor: next }, { state: { trail: [...trail, cursor] } })),
    previous: cursor && (() => setQuery({ cursor: trail.at(-1) ?? null }, { state: { trail: trail.slice(0, -1) } })),
    reload() {
      forget();
      list.reload();
    },
  };
}

/** All rows of a list that is not long: groups, permissions. */
export async function everyRow(path, signal) {
  const rows = [];
  let cursor = null;
  do {
    const page = await call(get(withQuery(path, { limit: 500, cursor })), signal);
    rows.push(...page.results);
    cursor = page.next;
  } while (cursor);
  return rows;
}

/** Leaves the screen of something that is no more. */
export const leaveTo = (path) => navigate(path, { replace: true });
