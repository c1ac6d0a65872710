// The form for another user.

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { call } from "../api.js";
import { me } from "../me.js";
import { navigate } from "../router.js";
import { forget } from "./data.js";
import { Dialog } from "./dialog.js";
import { Field, Form, Tick } from "./fields.js";
import { labelOf, visible } from "./say.js";
import { toast } from "./toasts.js";
import { Twins } from "./twins.js";

const example = { email: "ada@example.com", first_name: "Ada", password: "PASSWORD", temporary: true };

export const NewUser = ({ onClose }) => {
  const [isByMail, setByMail] = useState(false);
  const save = async (values) => {
    const user = await call({ method: "POST", path: "/auth/admin/users/", body: bodyOf(values) });
    forget();
    toast(t("{name} is there.", { name: visible(labelOf(user)) }));
    onClose();
    navigate(`/admin/users/${user.id}/`);
  };
  return html`<${Dialog} title=${t("New user")} onClose=${onClose} wide>
    <${Form} save=${t("Make the user")} onSave=${save} onCancel=${onClose}>
      <p class="hint">${t("An email address or a username is needed.")}</p>
      <div class="fields">
        <${Field} name="email" type="email" label=${t("Email address")} autocomplete="off" />
        <${Field} name="username" label=${t("Username")} autocomplete="off" autocapitalize="off" />
        <${Field} name="first_name" label=${t("First name")} autocomplete="off" />
        <${Field} name="last_name" label=${t("Last name")} autocomplete="off" />
      </div>
      <${Field} name="password" type="password" label=${t("Password")} autocomplete="new-password"
        hint=${t("Without one, no password opens the account: send a link to set one afterwards.")} />
      <fieldset>
        <legend class="hidden">${t("What it may")}</legend>
        <${Tick} name="temporary" label=${t("They choose another password at their first log-in")} value=${true} />
        <div onChange=${(event) => setByMail(event.target.checked)}>
          <${Tick} name="send_mail" label=${t("Mail them a code; the account opens when they confirm the address")} />
        </div>
        ${me().is_superuser && html`
          <${Tick} name="is_staff" label=${t("Staff: may administer what their permissions say")} />
          <${Tick} name="is_superuser" label=${t("Superuser: may do everything")} />`}
      </fieldset>
      <${Twins} of=${[{
        does: t("New user"), method: "POST", path: "/auth/admin/users/", body: isByMail ? { ...example, is_active: false, send_mail: true } : example,
        cli: ["createuser", "--email", "ada@example.com", ...(isByMail ? [] : ["--active"])],
      }]} />
    <//>
  <//>`;
};

/** What is empty is not sent. */
function bodyOf({ temporary, send_mail, ...values }) {
  const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== false));
  if (body.password) body.temporary = temporary;
  if (body.is_superuser) body.is_staff = true;
  return send_mail ? { ...body, is_active: false, send_mail } : body;
}
