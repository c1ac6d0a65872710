// One act upon all users who are picked, up to 500. Each is answered for by itself: what was refused is said.

import { html, useState } from "../../lib/ui.js";
import { count, say, t } from "../../lib/texts.js";
import { call } from "../api.js";
import { may, me } from "../me.js";
import { ask } from "./acts.js";
import { everyRow, forget, useData } from "./data.js";
import { Dialog } from "./dialog.js";
import { Choice, Form } from "./fields.js";
import { Name, labelOf, visible } from "./say.js";
import { toast } from "./toasts.js";
import { Twins } from "./twins.js";

const MOST = 500;
const SHOWN = 10;

const requestOf = (action, ids, groups) => ({
  method: "POST", path: "/auth/admin/users/bulk/", body: groups ? { action, ids, groups } : { action, ids },
});

export const Bulk = ({ picked, clear, after }) => {
  const [grouping, setGrouping] = useState(null);
  const ids = [...picked.keys()];
  const users = [...picked.values()];
  const n = count(ids.length);

  const act = async (action, said, back, groups) => {
    try {
      const { results } = await call(requestOf(action, ids, groups));
      const done = results.filter((one) => one.result === "done");
      // Who was so already stays so when it is taken back.
      const changed = done.filter((one) => one.changed).map((one) => one.id);
      forget();
      clear();
      after();
      tellRefused(results, picked);
      if (!done.length) return;
      const undo = back && changed.length > 0 && (async () => {
        try {
          tellRefused((await call(requestOf(back, changed, groups))).results, picked, t("That is taken back."));
        } catch (problem) {
          toast(problem.message, { kind: "alarm" });
        }
        forget();
        after();
      });
      toast(said.replace("{n}", count(done.length)), { undo });
    } catch (problem) {
      toast(problem.beside(), { kind: "alarm" });
    }
  };
  const disable = async () => {
    // Whoever shuts themselves out cannot take it back.
    const body = html`<p>${t("This is you: you are logged out at once, and somebody else has to enable you again.")}</p>`;
    const twins = [{ does: t("Disable"), ...requestOf("disable", ids) }];
    if (ids.includes(me().id) && !await ask({ title: t("Disable yourself?"), body, confirm: t("Disable"), twins })) return;
    act("disable", t("Disabled: {n}."), "enable");
  };
  const endSessions = async () => {
    const title = t("End all sessions of these users ({n})?", { n });
    const body = html`<p>${t("They are logged out everywhere, and may log in again.")}</p><${Names} users=${users} />`;
    const twins = [{ does: t("End sessions"), ...requestOf("end_sessions", ids) }];
    if (await ask({ title, body, confirm: t("End sessions"), twins })) act("end_sessions", t("Sessions ended, of users: {n}."));
  };
  const purge = async () => {
    const title = t("Purge these users ({n}) for good?", { n });
    const body = html`<p>${t("They and everything that is theirs are removed: sessions, API keys, codes. This cannot be undone.")}</p>
      <${Names} users=${users} />`;
    const twins = [{ does: t("Purge"), ...requestOf("purge", ids) }];
    const type = t("purge {n}", { n: ids.length });
    if (await ask({ title, body, confirm: t("Purge"), type, twins })) act("purge", t("Purged: {n}."));
  };
  const isTooMany = ids.length > MOST;
  return html`<div class="bar" role="region" aria-label=${t("Picked users")}>
    <strong>${t("Picked: {n}", { n })}</strong>
    ${isTooMany && html`<span>${t("500 at most at a time.")}</span>`}
    ${!isTooMany && html`
      ${may("users.delete_user") && html`<button class="plain" onClick=${disable}>${t("Disable")}</button>`}
      ${may("users.change_user") && html`
        <button class="plain" onClick=${() => act("enable", t("Enabled: {n}."))}>${t("Enable")}</button>
        <button class="plain" onClick=${() => setGrouping("add_to_groups")}>${t("Add to a group…")}</button>
        <button class="plain" onClick=${() => setGrouping("remove_from_groups")}>${t("Remove from a group…")}</button>
        <button class="plain" onClick=${endSessions}>${t("End sessions…")}</button>`}
      ${me().is_superuser && html`<button class="danger" onClick=${purge}>${t("Purge…")}</button>`}`}
    <button class="link" onClick=${clear}>${t("Pick none")}</button>
    ${!isTooMany && html`<${Twins} of=${[
      may("users.delete_user") && { does: t("Disable"), ...requestOf("disable", ids) },
      may("users.change_user") && { does: t("Enable"), ...requestOf("enable", ids) },
    ]} />`}
    ${grouping && html`<${Grouping} action=${grouping} ids=${ids} onClose=${() => setGrouping(null)} act=${act} />`}
  </div>`;
};

/** Some of them by name, and how many more. */
const Names = ({ users }) => html`<p>
  ${users.slice(0, SHOWN).map((user, at) => html`${at > 0 && ", "}<${Name}>${labelOf(user)}<//>`)}
  ${users.length > SHOWN && t(" and {n} more", { n: count(users.length - SHOWN) })}
</p>`;

const Grouping = ({ action, ids, onClose, act }) => {
  const groups = useData("/auth/admin/groups/", everyRow);
  const [chosen, choose] = useState("");
  const isAdding = action === "add_to_groups";
  // Root is every superuser's, and not given here.
  const names = (groups.data ?? []).filter((group) => group.id !== 0).map((group) => [group.name, visible(group.name)]);
  const save = () => {
    onClose();
    if (isAdding) act(action, t("Put into the group: {n}."), "remove_from_groups", [chosen]);
    else act(action, t("Taken out of the group: {n}."), "add_to_groups", [chosen]);
  };
  const title = isAdding ? t("Add to a group") : t("Remove from a group");
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <${Form} save=${title} onSave=${() => chosen && save()} onCancel=${onClose}>
      <${Choice} label=${t("Group")} value=${chosen} options=${[["", "–"], ...names]} onChoose=${choose} />
      ${chosen && html`<${Twins} of=${[{ does: title, ...requestOf(action, ids, [chosen]) }]} />`}
    <//>
  <//>`;
};

function tellRefused(results, users, otherwise) {
  const refused = results.filter((one) => one.result === "refused");
  if (!refused.length) {
    if (otherwise) toast(otherwise);
    return;
  }
  const first = refused[0];
  const user = users.get(first.id);
  const said = t("Refused: {n}. {name}: {why}", { n: count(refused.length), name: user ? visible(labelOf(user)) : first.id, why: say(first.detail ?? "") });
  toast(said, { kind: "alarm" });
}
