// Real paths: /admin/users/12/. Links are plain <a href>; what a screen shows stands in the query, so that it can be
// gone back to, and sent to somebody.
//
//     const [query, setQuery] = useQuery();      // query.get("search")
//     setQuery({ search: "ada", cursor: null }); // null takes away
//     navigate("/admin/users/");

import { shared } from "./state.js";

const here = () => ({ path: location.pathname, search: location.search, state: history.state });
const place = shared(here());

/** Listens to the browser's own buttons, and takes over the links that lead to other screens. */
export function follow() {
  addEventListener("popstate", () => place.set(here()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    const isOurs = url.origin === location.origin && url.pathname.startsWith("/admin/");
    if (!isOurs || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    navigate(url.pathname + url.search);
  });
}

export function navigate(url, { replace = false, state = null } = {}) {
  history[replace ? "replaceState" : "pushState"](state, "", url);
  place.set(here());
}

export const useLocation = () => place.use();

/** The query of this screen, and how to change parts of it. */
export function useQuery() {
  const { path, search } = useLocation();
  const set = (changes, options) => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    navigate(text ? `${path}?${text}` : path, options);
  };
  return [new URLSearchParams(search), set];
}

/** The screen of a path, with what stands in its places: "/admin/users/:id/". */
export function matched(path, screens) {
  const parts = path.split("/").filter(Boolean);
  for (const screen of screens) {
    const pattern = screen.path.split("/").filter(Boolean);
    const params = {};
    const fits = pattern.length === parts.length && pattern.every((one, at) => {
      if (!one.startsWith(":")) return one === parts[at];
      params[one.slice(1)] = decoded(parts[at]);
      return params[one.slice(1)] !== null;
    });
    if (fits) return { screen, params };
  }
  return null;
}

/** A number, which is all that paths name. */
const decoded = (part) => (/^\d{1,20}$/.test(part) ? part : null);
