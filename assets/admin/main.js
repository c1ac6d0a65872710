// What surrounds every screen: the way to the content, the navigation, who is logged in, and what is said to them.

import { html, render, useEffect, useErrorBoundary, useRef, useState } from "../lib/ui.js";
import { t } from "../lib/texts.js";
import { call, gate } from "./api.js";
import { loadMe, may, me } from "./me.js";
import { follow, matched, useLocation } from "./router.js";
import { screens } from "./screens.js";
import { Asked } from "./components/acts.js";
import { Name, Trouble } from "./components/say.js";
import { Toasts } from "./components/toasts.js";

/** Finds out who is here, and shows them what they may see. */
export async function start(root) {
  const facts = root.dataset;
  try {
    await loadMe();
  } catch (problem) {
    root.replaceChildren();
    return render(html`<main class="card" id="main"><h1>${t("Administration")}</h1><${Trouble} problem=${problem} /></main>`, root);
  }
  follow();
  root.replaceChildren();
  render(html`<${Everything} facts=${facts} />`, root);
}

const Everything = ({ facts }) => {
  const closed = gate.use();
  if (closed === "password") return html`<${OwnPassword} />`;
  if (!me().is_staff) return html`<${NotStaff} />`;
  return html`<${Frame} facts=${facts} />`;
};

const Frame = ({ facts }) => {
  const { path } = useLocation();
  const found = matched(path, screens.filter((screen) => !screen.needs || may(screen.needs)));
  const main = useRef();
  const first = useRef(true);
  const [isOpen, open] = useState(false);
  useEffect(() => {
    open(false);
    // Whoever listens to the page is told where they are; the first page is read by itself.
    if (first.current) first.current = false;
    else {
      scrollTo(0, 0);
      main.current?.querySelector("h1")?.focus({ preventScroll: true });
    }
  }, [path]);
  return html`
    <a class="skip" href="#main">${t("Skip to the content")}</a>
    <div class="frame">
      <header class="top">
        <a class="home" href="/admin/">
          ${facts.logo && html`<img src="/account/logo" alt="" height="28" />`}<span>${facts.site}</span>
        </a>
        <button class="plain menu" aria-expanded=${isOpen} aria-controls="nav" onClick=${() => open(!isOpen)}>${t("Menu")}</button>
      </header>
      <nav id="nav" aria-label=${t("Administration")} class=${isOpen ? "open" : ""}>
        <div class="inner">
          <${Links} path=${path} />
          <div class="whoami">
            <a href="/account/"><${Name}>${me().email ?? me().username}<//></a>
            <button class="link" onClick=${logOut}>${t("Log out")}</button>
          </div>
        </div>
      </nav>
      <main id="main" tabindex="-1" ref=${main}>
        ${found ? html`<${Guarded} key=${path} found=${found} />` : html`<${Nothing} />`}
      </main>
    </div>
    <${Asked} />
    <${Toasts} />`;
};

const Links = ({ path }) => {
  const shown = screens.filter((screen) => screen.title && (!screen.needs || may(screen.needs)));
  const isHere = (screen) => (screen.path === "/admin/" ? path === screen.path : path.startsWith(screen.path));
  return html`<ul>
    ${shown.map((screen) => html`<li key=${screen.path}>
      <a href=${screen.path} aria-current=${isHere(screen) ? "page" : undefined}>${screen.title}</a></li>`)}
    <li><a href="/docs/">${t("API documentation")}</a></li>
  </ul>`;
};

/** A mistake in one screen takes nothing else down. */
const Guarded = ({ found: { screen, params } }) => {
  const [error, reset] = useErrorBoundary((error) => console.error(error));
  if (!error) return html`<${screen.screen} ...${params} />`;
  return html`<h1 tabindex="-1">${t("This screen broke")}</h1>
    <p>${t("That is a mistake of ours. The rest still works.")}</p>
    <button onClick=${reset}>${t("Try again")}</button>`;
};

const Nothing = () => html`<h1 tabindex="-1">${t("There is nothing here")}</h1>
  <p>${t("Either there is no such page, or you may not see it.")}</p>
  <p><a href="/admin/">${t("To the beginning")}</a></p>`;

const NotStaff = () => html`<main class="card" id="main">
  <h1>${t("This is for staff")}</h1>
  <p>${t("You are logged in as")} <${Name}>${me().email ?? me().username}<//>. ${t("This account does not administer anything.")}</p>
  <p><a class="button" href="/account/">${t("Your account")}</a> <button class="plain" onClick=${logOut}>${t("Log out")}</button></p>
</main>`;

const OwnPassword = () => {
  const next = encodeURIComponent(location.pathname + location.search);
  return html`<main class="card" id="main">
    <h1>${t("Choose your own password first")}</h1>
    <p>${t("Yours was set by an administrator, who knows it. Until you choose another one, nothing else is open to you.")}</p>
    <p><a class="button" href=${`/account/password/?next=${next}`}>${t("Choose a password")}</a></p>
  </main>`;
};

async function logOut() {
  try {
    await call({ method: "POST", path: "/auth/logout/", body: {} });
  } finally {
    location.assign(`/account/login/?next=${encodeURIComponent("/admin/")}`);
  }
}
