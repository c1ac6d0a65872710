// Permissions to pick from: filtered while one types, those of one label together.
//
//     <${Picker} chosen=${new Set(["users.view_user"])} onChoose=${(set) => ...} />
//
// What one does not hold oneself cannot be given, nor taken away.

import { html, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { may } from "../me.js";
import { Loaded, everyRow, useData } from "./data.js";
import { visible } from "./say.js";

export const nameOf = ({ label, codename }) => `${label}.${codename}`;

export const Picker = ({ chosen, onChoose }) => {
  const all = useData("/auth/admin/permissions/", everyRow);
  const [text, setText] = useState("");
  const [isShort, setShort] = useState(false);
  const toggle = (name) => {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    onChoose(next);
  };
  return html`<${Loaded} of=${all}>${(permissions) => {
    const wanted = text.trim().toLowerCase();
    const fits = (one) => `${nameOf(one)} ${one.name}`.toLowerCase().includes(wanted);
    const shown = permissions.filter((one) => fits(one) && (!isShort || chosen.has(nameOf(one))));
    return html`<div class="picker">
      <div class="filters">
        <label class="search">${t("Filter permissions")}
          <input type="search" autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)} /></label>
        <div class="tick"><input type="checkbox" id="short" checked=${isShort} onChange=${() => setShort(!isShort)} />
          <label for="short">${t("Only the chosen ones")}</label></div>
      </div>
      <p class="quiet" role="status">${t("{chosen} chosen, {shown} of {all} shown", { chosen: count(chosen.size), shown: count(shown.length), all: count(permissions.length) })}</p>
      <div class="choices" tabindex="0" role="group" aria-label=${t("Permissions")}>
        ${[...labelled(shown)].map(([label, ones]) => html`<fieldset key=${label}><legend><code>${label}</code></legend>
          ${ones.map((one) => html`<${One} key=${one.id} one=${one} isChosen=${chosen.has(nameOf(one))} toggle=${toggle} />`)}
        </fieldset>`)}
      </div>
    </div>`;
  }}<//>`;
};

const One = ({ one, isChosen, toggle }) => {
  const name = nameOf(one);
  const id = `permission-${one.id}`;
  return html`<div class="tick">
    <input type="checkbox" id=${id} checked=${isChosen} disabled=${!may(name)} onChange=${() => toggle(name)} />
    <label for=${id}><code>${name}</code> <span class="quiet"><bdi>${visible(one.name)}</bdi></span></label>
  </div>`;
};

function labelled(permissions) {
  const labels = new Map();
  for (const one of permissions) labels.set(one.label, [...(labels.get(one.label) ?? []), one]);
  return labels;
}
