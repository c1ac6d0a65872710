// A screen: <${Page} title="Groups" actions=${html`<button>...</button>`} twins=${[...]}>...<//>
//
// title is text and goes to the tab, too; heading takes its place on the page. twins are shown as commands: see twins.js.

import { html, useEffect } from "../../lib/ui.js";
import { Twins } from "./twins.js";
import { visible } from "./say.js";

const site = document.getElementById("app").dataset.site;

export const Page = ({ title, heading, actions, twins, children }) => {
  useEffect(() => {
    document.title = `${visible(title)} · ${site}`;
  }, [title]);
  return html`
    <div class="page-head">
      <h1 tabindex="-1">${heading ?? title}</h1>
      ${actions && html`<div class="row">${actions}</div>`}
    </div>
    ${children}
    ${twins && html`<${Twins} of=${twins} />`}`;
};

/** A part of a screen with a heading. */
export const Part = ({ title, actions, children }) => html`<section class="part">
  <div class="part-head"><h2>${title}</h2>${actions && html`<div class="row">${actions}</div>`}</div>
  ${children}
</section>`;
