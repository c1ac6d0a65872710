// Speaks to the API by the cookies of the browser. A request is a value, so that it can also be shown as a command:
//
//     const user = await call(get("/auth/admin/users/12/"));
//     await call({ method: "PATCH", path: "/auth/admin/users/12/", body: { first_name: "Ada" } });
//
// Whatever the API refuses is thrown as a Problem. Must never: keep a token, or put one where scripts can read it.

import { isRenewed } from "../lib/renewal.js";
import { say, t } from "../lib/texts.js";
import { shared } from "./state.js";

/** Why a request was refused. */
export class Problem extends Error {
  constructor({ status = 0, code = "", detail = "", errors = null, request_id = "" }) {
    super(say(detail));
    Object.assign(this, { status, code, errors, id: request_id });
  }

  /** What is wrong with a member of the body. */
  of(member) {
    return (this.errors?.[member] ?? []).map((error) => say(error.message)).join(" ");
  }

  /** What is to be told beside what stands at the fields of these names. */
  beside(fields = []) {
    const members = Object.keys(this.errors ?? {});
    if (!members.length) return this.message;
    const others = members.filter((member) => !fields.includes(member));
    return others.length ? others.map((member) => `${member}: ${this.of(member)}`).join(" ") : t("Not everything is accepted: see the fields.");
  }
}

/** What keeps everything closed: "password" if the user has to choose one first. */
export const gate = shared(null);

export const get = (path) => ({ method: "GET", path });

/** A path with those of the parameters that have a value. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(given).toString();
  return query ? `${path}?${query}` : path;
}

/** What the API answers; a log-in that ran out is renewed once. */
export async function call(request, signal) {
  let reply = await sent(request, signal);
  if (reply.status === 401 && (await isRenewed(renewing))) reply = await sent(request, signal);
  if (reply.status === 401) return logIn();
  if (!reply.ok) throw await problemOf(reply);
  return reply.status === 204 ? null : reply.json().catch(() => null);
}

/** Goes to the log-in and back here. */
export function logIn() {
  location.assign(`/account/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  // Nothing on this page happens any more.
  return new Promise(() => {});
}

async function sent({ method, path, body }, signal) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ code: "network", detail: t("The service does not answer. Is the network there?") });
  }
}

const renewing = (method, path) => sent({ method, path, body: method === "GET" ? undefined : {} });

async function problemOf(reply) {
  const told = await reply.json().catch(() => ({}));
  const problem = new Problem({ status: reply.status, ...told, detail: wordsOf(told.code) ?? told.detail ?? t("The request was refused.") });
  problem.retryAfter = Number(reply.headers.get("retry-after")) || 0;
  if (problem.code === "password_change_required") gate.set("password");
  return problem;
}

/** What is said often, in the reader's language. The rest is said as the API says it. */
function wordsOf(code) {
  const words = {
    permission_denied: t("You may not do this."),
    not_found: t("There is no such thing any more."),
    last_superuser: t("This is the last active superuser: make another one first."),
    rate_limited: t("That was too often. Wait a moment."),
    overloaded: t("There is too much to do right now. Try again."),
    unavailable: t("Nothing can be saved at the moment. Try again."),
    internal: t("Something went wrong in the service. Its log says what."),
  };
  return words[code];
}
