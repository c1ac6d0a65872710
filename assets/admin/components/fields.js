// Fields with their labels, hints and what is wrong with them, and the form around them.
//
//     <${Form} onSave=${async (values) => ...} save="Save">
//       <${Field} name="email" label="Email address" value=${user.email} type="email" />
//       <${Tick} name="is_staff" label="Staff" value=${user.is_staff} />
//     <//>
//
// onSave gets what stands in the fields by name, and may throw a Problem: what is wrong is said at its field.

import { createContext, html, useContext, useEffect, useId, useRef, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { Trouble } from "./say.js";

const Wrong = createContext(null);

export const Form = ({ onSave, save, onCancel, isAlarming, children }) => {
  const [problem, see] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef();
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    see(null);
    try {
      await onSave(valuesOf(form.current));
    } catch (error) {
      see(error);
    }
    setBusy(false);
  };
  useEffect(() => {
    if (problem) form.current?.querySelector("[aria-invalid=true]")?.focus();
  }, [problem]);
  return html`<${Wrong.Provider} value=${problem}><form ref=${form} onSubmit=${submit} novalidate>
    <${Trouble} problem=${problem} fields=${problem && Object.keys(valuesOf(form.current))} />
    ${children}
    <div class="row end">
      ${onCancel && html`<button type="button" class="plain" onClick=${onCancel}>${t("Cancel")}</button>`}
      <button disabled=${isBusy} class=${isAlarming ? "alarm" : ""}>${save}</button>
    </div>
  </form><//>`;
};

/** What stands in the fields: texts, and for boxes whether they are ticked. */
function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (field.name) values[field.name] = field.type === "checkbox" ? field.checked : field.value;
  }
  return values;
}

/** What is there may change while somebody looks: the field shows it, whatever was typed. */
function useFollowing(value, show) {
  const shown = useRef(value);
  useEffect(() => {
    if (shown.current !== value) show(value);
    shown.current = value;
  }, [value]);
}

export const Field = ({ name, label, value = "", hint, type = "text", rows, ...rest }) => {
  const id = useId();
  const wrong = useContext(Wrong)?.of?.(name);
  const about = [hint && `${id}h`, wrong && `${id}w`].filter(Boolean).join(" ") || undefined;
  const field = useRef();
  useFollowing(value ?? "", (value) => { field.current.value = value; });
  const common = { ref: field, id, name, "aria-describedby": about, "aria-invalid": wrong ? "true" : undefined, dir: "auto", ...rest };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${rows ? html`<textarea rows=${rows} defaultValue=${value ?? ""} ...${common}></textarea>`
      : html`<input type=${type} defaultValue=${value ?? ""} ...${common} />`}
    ${hint && html`<p class="hint" id=${`${id}h`}>${hint}</p>`}
    ${wrong && html`<p class="field-error" id=${`${id}w`}>${wrong}</p>`}
  </div>`;
};

export const Tick = ({ name, label, value = false, hint, disabled }) => {
  const id = useId();
  const field = useRef();
  useFollowing(value, (value) => { field.current.checked = value; });
  return html`<div class="tick">
    <input ref=${field} type="checkbox" id=${id} name=${name} defaultChecked=${value} disabled=${disabled}
      aria-describedby=${hint ? `${id}h` : undefined} />
    <label for=${id}>${label}</label>
    ${hint && html`<p class="hint" id=${`${id}h`}>${hint}</p>`}
  </div>`;
};

/** A list to choose from, as a filter: options are [value, text]. */
export const Choice = ({ label, value, options, onChoose }) => html`<label class="choice">${label}
  <select value=${value ?? ""} onChange=${(event) => onChoose(event.target.value)}>
    ${options.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
  </select></label>`;

const PAUSE = 200;

/** A search: tells what was typed once there is a pause. */
export const Search = ({ label, value, onSearch, hint }) => {
  const [text, setText] = useState(value ?? "");
  const told = useRef(value ?? "");
  const timer = useRef();
  const id = useId();
  useEffect(() => {
    // The browser went back or forth.
    if ((value ?? "") !== told.current) {
      told.current = value ?? "";
      setText(told.current);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (event) => {
    const typed = event.target.value;
    setText(typed);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      told.current = typed;
      onSearch(typed);
    }, PAUSE);
  };
  return html`<label class="search">${label}
    <input type="search" dir="auto" autocomplete="off" spellcheck=${false} value=${text} onInput=${type}
      aria-describedby=${hint ? id : undefined} />
    ${hint && html`<span class="hint" id=${id}>${hint}</span>`}
  </label>`;
};
