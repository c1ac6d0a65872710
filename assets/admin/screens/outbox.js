// Mails that are not delivered: why, once more, or not at all. What is in them nobody sees; the link in one is handed on
// by a superuser where no mail arrives.

import { html, useState } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";
import { call } from "../api.js";
import { may, me } from "../me.js";
import { act, ask } from "../components/acts.js";
import { usePages } from "../components/data.js";
import { Dialog } from "../components/dialog.js";
import { Page } from "../components/page.js";
import { Ago, Mark, Name, Trouble, When, visible } from "../components/say.js";
import { Pager, Table } from "../components/table.js";
import { toast } from "../components/toasts.js";

const PATH = "/auth/admin/outbox/";
const WITH_LINK = ["verify_email", "reset_password"];

export const Outbox = () => {
  const mails = usePages(PATH);
  const [link, showLink] = useState(null);
  const copy = async (mail) => {
    try {
      const { link } = await call(requests(mail).link);
      showLink({ link, mail });
    } catch (problem) {
      toast(problem.message, { kind: "alarm" });
    }
  };
  const twins = [{ does: t("This list"), method: "GET", path: mails.url }, ...Object.values(requests({ id: "MAIL" }))];
  return html`<${Page} title=${t("Outbox")} twins=${twins} actions=${html`<button class="plain" onClick=${mails.reload}>${t("Look again")}</button>`}>
    <p class="quiet">${t("What is delivered is not here any more.")}</p>
    <${Trouble} problem=${mails.problem} />
    ${mails.data && html`<${Table} caption=${t("Outbox")} columns=${columns(mails, copy)} rows=${mails.data.results} keyOf=${(mail) => mail.id}
      busy=${mails.isLoading} empty=${t("No mail is waiting.")} /><${Pager} of=${mails} noun=${t("Mails: {n}")} />`}
    ${link && html`<${Link} of=${link} onClose=${() => showLink(null)} />`}
  <//>`;
};

const requests = ({ id }) => ({
  resend: { does: t("Send again"), method: "POST", path: `${PATH}${id}/resend/` },
  link: { does: t("Copy the link"), method: "POST", path: `${PATH}${id}/link/` },
  drop: { does: t("Drop"), method: "DELETE", path: `${PATH}${id}/` },
});

const columns = (mails, copy) => [
  { head: t("To"), class: "main", cell: (mail) => html`<${Name}>${mail.to}<//><span class="hint"><${Name}>${mail.subject}<//></span>` },
  { head: t("State"), cell: state },
  { head: t("Why"), cell: (mail) => mail.last_error && html`<${Name}>${mail.last_error}<//>` },
  { head: t("Made"), class: "when", cell: (mail) => html`<${Ago} at=${mail.created_at} />` },
  { head: t("Actions"), class: "end", quiet: true, cell: (mail) => html`<${Acts} mail=${mail} mails=${mails} copy=${copy} />` },
];

const state = (mail) => html`<span class="marks">${mail.status === "failed" ? html`<${Mark} kind="alarm">${t("given up")}<//>` : html`<${Mark}>${t("waiting")}<//>`}</span>
  <span class="hint">${mail.kind} · ${t("attempts: {n}", { n: count(mail.attempts) })}</span>
  ${mail.next_attempt_at && mail.attempts > 0 && html`<span class="hint">${t("next")} <${When} at=${mail.next_attempt_at} /></span>`}`;

const Acts = ({ mail, mails, copy }) => {
  const { resend, drop } = requests(mail);
  const isDead = mail.is_gone || (mail.useful_until && new Date(mail.useful_until) <= new Date());
  const to = visible(mail.to);
  const dropIt = async () => {
    const body = html`<p>${t("{to} does not get this mail, and the code or link in it reaches nobody. This cannot be undone.", { to })}</p>`;
    if (await ask({ title: t("Drop the mail?"), body, confirm: t("Drop"), twins: [drop] })) {
      act(drop, { said: t("The mail is dropped."), after: mails.reload });
    }
  };
  return html`<div class="row">
    ${may("mail.change_message") && !isDead && html`<button class="link" onClick=${() => act(resend, { said: t("The mail to {to} is tried again now.", { to }), after: mails.reload })}>${t("Send again")}</button>`}
    ${me().is_superuser && !isDead && WITH_LINK.includes(mail.kind) && html`<button class="link" onClick=${() => copy(mail)}>${t("Copy the link")}</button>`}
    ${may("mail.delete_message") && html`<button class="link" onClick=${dropIt}>${t("Drop…")}</button>`}
  </div>`;
};

const Link = ({ of: { link, mail }, onClose }) => {
  const [isCopied, say] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(link);
    say(true);
  };
  return html`<${Dialog} title=${t("The link in the mail")} onClose=${onClose}>
    <p>${t("Whoever opens it has the account of {to}. Give it to nobody else. The audit log says that you took it.", { to: visible(mail.to) })}</p>
    <label>${t("Link")} <input readonly value=${link} onFocus=${(event) => event.target.select()} /></label>
    <div class="row end">
      ${navigator.clipboard && html`<button type="button" onClick=${copy}>${isCopied ? t("Copied") : t("Copy")}</button>`}
      <button type="button" class="plain" onClick=${onClose}>${t("Close")}</button>
    </div>
  <//>`;
};
