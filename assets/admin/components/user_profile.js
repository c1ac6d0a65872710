// Who a user is: names, address and flags, to be changed and changed back.

import { html } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { call } from "../api.js";
import { me } from "../me.js";
import { act } from "./acts.js";
import { forget } from "./data.js";
import { Field, Form, Tick } from "./fields.js";
import { Part } from "./page.js";
import { named, pathOf } from "./requests.js";
import { Name } from "./say.js";
import { toast } from "./toasts.js";

const OPTIONAL = ["email", "username", "avatar"];

export const Profile = ({ user, canChange, changed }) => {
  if (!canChange) return html`<${Part} title=${t("Profile")}><${Facts} user=${user} /><//>`;
  const path = pathOf(user);
  const save = async (values) => {
    const body = changesIn(values, user);
    if (!Object.keys(body).length) return;
    const before = Object.fromEntries(Object.keys(body).map((name) => [name, user[name]]));
    const saved = await call({ method: "PATCH", path, body });
    forget();
    changed();
    toast(t("{name} is saved.", named(saved)), {
      undo: () => act({ method: "PATCH", path, body: before }, { said: t("That is taken back."), after: changed }),
    });
  };
  return html`<${Part} title=${t("Profile")}>
    <${Form} save=${t("Save")} onSave=${save}>
      <div class="fields">
        <${Field} name="email" type="email" label=${t("Email address")} value=${user.email} autocomplete="off" />
        <${Field} name="username" label=${t("Username")} value=${user.username} autocomplete="off" autocapitalize="off" />
        <${Field} name="first_name" label=${t("First name")} value=${user.first_name} autocomplete="off" />
        <${Field} name="last_name" label=${t("Last name")} value=${user.last_name} autocomplete="off" />
      </div>
      <${Field} name="avatar" type="url" label=${t("Picture (URL)")} value=${user.avatar} autocomplete="off" />
      <fieldset>
        <legend class="hidden">${t("Flags")}</legend>
        <${Tick} name="email_verified" label=${t("The email address is verified")} value=${user.email_verified} />
        ${me().is_superuser && html`
          <${Tick} name="is_staff" label=${t("Staff: may administer what their permissions say")} value=${user.is_staff} />
          <${Tick} name="is_superuser" label=${t("Superuser: may do everything")} value=${user.is_superuser} />`}
      </fieldset>
    <//>
  <//>`;
};

/** What differs from what is there; what may be missing and was emptied is taken away. */
function changesIn(values, user) {
  const changes = {};
  for (const [name, value] of Object.entries(values)) {
    const wanted = value === "" && OPTIONAL.includes(name) ? null : value;
    if (wanted !== (user[name] ?? (OPTIONAL.includes(name) ? null : ""))) changes[name] = wanted;
  }
  return changes;
}

const Facts = ({ user }) => {
  const facts = [
    [t("Email address"), user.email], [t("Username"), user.username], [t("First name"), user.first_name], [t("Last name"), user.last_name],
  ];
  return html`<dl class="facts">${facts.map(([name, fact]) => html`<dt>${name}</dt><dd>${fact ? html`<${Name}>${fact}<//>` : "–"}</dd>`)}</dl>`;
};
