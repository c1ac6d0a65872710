// Another password for a user, made up here so that nobody has to think of one.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { call } from "../api.js";
import { Dialog } from "./dialog.js";
import { Field, Form, Tick } from "./fields.js";
import { named } from "./requests.js";
import { toast } from "./toasts.js";
import { Twins } from "./twins.js";

/** Without what is mistaken for something else: 32 of them, so that each byte falls on one of them evenly. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const LENGTH = 20;

const madeUp = () => Array.from(crypto.getRandomValues(new Uint8Array(LENGTH)), (byte) => LETTERS[byte % LETTERS.length]).join("");

export const SetPassword = ({ user, twin, onClose, changed }) => {
  const [suggested] = useState(madeUp);
  const save = async (body) => {
    await call({ ...twin, body });
    toast(t("{name} has another password. Their sessions and API keys have ended.", named(user)));
    onClose();
    changed();
  };
  return html`<${Dialog} title=${t("Set a password")} onClose=${onClose}>
    <p>${t("All sessions and API keys of {name} end.", named(user))}</p>
    <${Form} save=${t("Set the password")} onSave=${save} onCancel=${onClose}>
      <${Field} name="password" label=${t("Password")} value=${suggested} autocomplete="off" autocapitalize="off" spellcheck=${false}
        hint=${t("Tell it to them in a way that nobody else reads.")} />
      <${Tick} name="temporary" label=${t("They choose another password at their first log-in")} value=${true} />
      <${Twins} of=${[twin]} />
    <//>
  <//>`;
};
