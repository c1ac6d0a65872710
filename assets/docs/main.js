// The page: the list of operations, and the one that the address names.

import { html, render, useEffect, useMemo, useState } from "../lib/ui.js";
import { t } from "../lib/texts.js";
import { whoIsIt } from "./caller.js";
import { load } from "./document.js";
import { Operation } from "./operation.js";

export function start(place) {
  place.replaceChildren();
  render(html`<${Docs} site=${place.dataset.site} hasCookies=${place.dataset.hasCookies === "yes"} />`, place);
}

const Docs = ({ site, hasCookies }) => {
  const [loaded, setLoaded] = useState(null);
  const [failed, fail] = useState(false);
  const [me, setMe] = useState(hasCookies ? undefined : null);
  const [filter, setFilter] = useState("");
  const [token, setToken] = useState("");
  const id = useHash();
  useEffect(() => {
    load().then(setLoaded, () => fail(true));
    if (hasCookies) whoIsIt().then(setMe);
  }, []);
  const groups = useMemo(() => filtered(loaded?.groups ?? [], filter), [loaded, filter]);
  const operation = loaded?.groups.flatMap((group) => group.operations).find((one) => one.id === id);
  useEffect(() => {
    if (operation) document.getElementById("operation")?.focus();
  }, [operation]);
  return html`
    <a class="skip" href="#main">${t("To the content")}</a>
    <header class="top">
      <p class="home">${site} <span class="quiet">${t("API")}</span></p>
      <${Who} me=${me} token=${token} setToken=${setToken} />
    </header>
    <div class="two">
      <nav aria-label=${t("Operations")} class=${operation ? "has-operation" : ""}>
        <label for="filter">${t("Filter")}</label>
        <input id="filter" type="search" value=${filter} onInput=${(event) => setFilter(event.target.value)} />
        ${groups.map((group) => html`<${Group} key=${group.name} group=${group} id=${id} isOpen=${Boolean(filter)} />`)}
        ${loaded && !groups.length && html`<p class="quiet">${t("Nothing has this in it.")}</p>`}
      </nav>
      <main id="main" tabindex="-1">
        ${failed && html`<p class="error" role="alert">${t("The document did not come. Is the network there?")}</p>`}
        ${operation
          ? html`<${Operation} key=${operation.id} document=${loaded.document} operation=${operation} token=${token} isSignedIn=${Boolean(me)} />`
          : html`<${Welcome} loaded=${loaded} />`}
      </main>
    </div>`;
};

const Welcome = ({ loaded }) => html`<h1>${t("API")}</h1>
  <p>${t("Choose an operation: each says who may call it, and can be tried here with your own log-in.")}</p>
  ${loaded && html`<p class="quiet">${loaded.document.info.title} ${loaded.document.info.version} · <a href="/openapi.json">openapi.json</a></p>`}`;

const Group = ({ group, id, isOpen }) => {
  const has = group.operations.some((operation) => operation.id === id);
  return html`<details open=${isOpen || has}>
    <summary>${group.name} <span class="quiet">${group.operations.length}</span></summary>
    <ul>${group.operations.map((operation) => html`<li key=${operation.id}>
      <a href=${`#${operation.id}`} aria-label=${`${operation.method} ${operation.path}`} aria-current=${operation.id === id ? "page" : undefined}>
        <span class=${`method ${operation.method}`}>${operation.method}</span> <span>${operation.path}</span></a>
    </li>`)}</ul>
  </details>`;
};

/** By whose right things are tried. */
const Who = ({ me, token, setToken }) => html`<div class="who">
  ${me === undefined ? "" : me
    ? html`<p>${t("Signed in as")} <bdi>${me.email ?? me.username}</bdi></p>`
    : html`<p><a href=${`/account/login/?next=${encodeURIComponent(`/docs/${location.hash}`)}`}>${t("Log in")}</a></p>`}
  <details><summary>${t("Use a token")}</summary>
    <label for="token">${t("Access token or API key")}</label>
    <input id="token" type="password" autocomplete="off" value=${token} onInput=${(event) => setToken(event.target.value.trim())} />
    <p class="hint">${t("It is kept nowhere, and gone with this page.")}</p>
  </details>
</div>`;

function filtered(groups, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (one) => words.every((word) => `${one.method} ${one.path} ${one.summary}`.toLowerCase().includes(word));
  return groups.map((group) => ({ ...group, operations: group.operations.filter(has) })).filter((group) => group.operations.length);
}

function useHash() {
  const read = () => {
    try {
      return decodeURIComponent(location.hash.slice(1));
    } catch {
      return "";
    }
  };
  const [hash, set] = useState(read);
  useEffect(() => {
    const follow = () => set(read());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return hash;
}
