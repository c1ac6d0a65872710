// A log-in that ran out, renewed by the cookies of the browser. `send(method, path)` is how the page sends.

let renewing = null;

/** Whether the log-in counts again. All that wait share one renewal: a refresh token that is used twice ends its session. */
export function isRenewed(send) {
  renewing ??= alone(() => renew(send)).finally(() => { renewing = null; });
  return renewing;
}

/** Not in two tabs at once, where the browser can tell. */
const alone = (task) => (navigator.locks ? navigator.locks.request("keystead-refresh", task) : task());

async function renew(send) {
  // Another tab may have done it while this one waited.
  const known = await send("GET", "/auth/profile/");
  if (known.status !== 401) return true;
  return (await send("POST", "/auth/token/refresh/")).ok;
}
