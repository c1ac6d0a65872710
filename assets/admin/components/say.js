// How things are said: what a user wrote, moments, marks, and what went wrong.

import { html } from "../../lib/ui.js";
import { ago, t, time } from "../../lib/texts.js";

/** What would turn the direction of the text around it, or is not seen at all. */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

export const visible = (text) => String(text ?? "").replace(UNSEEN, "\ufffd");

/** Text that somebody else wrote: `<${Name}>${user.email}<//>`. It changes nothing around it. */
export const Name = ({ children }) => html`<bdi>${visible([children].flat().join(""))}</bdi>`;

/** What a user is called. */
export const labelOf = (user) => user.email ?? user.username ?? t("user {id}", { id: user.id });

/** A moment, as the reader writes it, in their zone. */
export const When = ({ at, none = "–" }) => {
  if (!at) return html`<span class="quiet">${none}</span>`;
  return html`<time datetime=${at} title=${ago(at)}>${time(at)}</time>`;
};

/** How long ago. */
export const Ago = ({ at, none = "–" }) => {
  if (!at) return html`<span class="quiet">${none}</span>`;
  return html`<time datetime=${at} title=${time(at)}>${ago(at)}</time>`;
};

/** A small word with a colour: kind is "good", "alarm", "warm" or nothing. */
export const Mark = ({ kind = "", children }) => html`<span class=${`mark ${kind}`}>${children}</span>`;

/** What is to be known of a user at a glance. */
export const Marks = ({ user }) => html`<span class="marks">
  ${user.is_active ? html`<${Mark} kind="good">${t("active")}<//>` : html`<${Mark} kind="alarm">${t("disabled")}<//>`}
  ${user.is_superuser ? html`<${Mark} kind="warm">${t("superuser")}<//>` : user.is_staff && html`<${Mark}>${t("staff")}<//>`}
  ${user.email && !user.email_verified && html`<${Mark} kind="warm">${t("not verified")}<//>`}
</span>`;

/** What went wrong, with the number that the log knows it by. What is wrong with one of the fields is said there. */
export const Trouble = ({ problem, fields }) => problem && html`<div class="error" role="alert">
  ${problem.beside?.(fields) ?? problem.message}
  ${problem.id && html`<span class="hint">${t("Request")} ${problem.id}</span>`}
</div>`;

/** The same for a screen that cannot be shown at all. */
export const Waiting = () => html`<p class="quiet" role="status">${t("Loading…")}</p>`;
