// Sends what the reader tries: by the cookies of their log-in, or with a token that they paste. Must never: keep a token
// anywhere but in memory.

import { isRenewed } from "../lib/renewal.js";

/** Who is signed in, or null. */
export async function whoIsIt() {
  const reply = await renewed({ method: "GET", path: "/auth/profile/" }).catch(() => null);
  return reply?.ok ? reply.json() : null;
}

/** The answer as it came: status, headers, text, and how long it took. */
export async function answerTo(request, token) {
  const began = performance.now();
  const reply = token ? await sent(request, token) : await renewed(request);
  const text = await reply.text();
  return {
    status: reply.status,
    reason: reply.statusText,
    milliseconds: Math.round(performance.now() - began),
    headers: [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n"),
    body: pretty(text),
  };
}

/** A log-in that ran out is renewed once, where a log-in is asked for at all: a wrong password is not sent twice. */
async function renewed(request) {
  const reply = await sent(request);
  if (reply.status !== 401 || request.isPublic) return reply;
  return (await isRenewed(renewing)) ? sent(request) : reply;
}

const renewing = (method, path) => sent({ method, path, type: "application/json", body: method === "GET" ? "" : "{}" });

function sent({ method, path, type, body }, token) {
  const headers = { accept: "application/json" };
  if (body) headers["content-type"] = type;
  if (token) headers.authorization = `Bearer ${token}`;
  // With a token of their own, the log-in of the browser is nobody's business.
  const credentials = token ? "omit" : "same-origin";
  return fetch(path, { method, headers, credentials, body: body || undefined, redirect: "manual" });
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
