// What can be done to one user, as requests and as commands: screens do them, and show them.

import { t } from "../../lib/texts.js";
import { visible, labelOf } from "./say.js";

export const pathOf = (user) => `/auth/admin/users/${user.id}/`;

/** Whom the command line means. A name that begins with a dash is no option. */
const who = (user) => {
  const name = user.email ?? user.username;
  return name?.startsWith("-") ? ["--", name] : [name];
};

const cli = (user, ...words) => (user.email ?? user.username ? [...words, ...who(user)] : undefined);

export const requests = (user) => {
  const path = pathOf(user);
  return {
    show: { does: t("This user"), method: "GET", path, cli: cli(user, "users", "show") },
    change: { does: t("Change the profile"), method: "PATCH", path, body: { first_name: user.first_name, last_name: user.last_name } },
    disable: { does: t("Disable"), method: "DELETE", path, cli: cli(user, "users", "disable") },
    enable: { does: t("Enable"), method: "POST", path: `${path}activate/`, cli: cli(user, "users", "enable") },
    purge: { does: t("Purge"), method: "DELETE", path: `${path}?purge=true` },
    password: { does: t("Set a password"), method: "PUT", path: `${path}password/`, body: { password: "PASSWORD", temporary: true } },
    reset: { does: t("Send a reset link"), method: "POST", path: `${path}send_reset/` },
    sessions: { does: t("Sessions"), method: "GET", path: `${path}sessions/`, cli: cli(user, "users", "sessions") },
    endSessions: { does: t("End all sessions"), method: "DELETE", path: `${path}sessions/` },
    endSession: { does: t("End one session"), method: "DELETE", path: `${path}sessions/SESSION/` },
    apiKeys: { does: t("API keys"), method: "GET", path: `${path}api-keys/` },
    groups: { does: t("Groups"), method: "PUT", path: `${path}groups/`, body: { groups: user.groups.filter((name) => name !== "Root") } },
    permissions: { does: t("Permissions of their own"), method: "GET", path: `${path}permissions/` },
  };
};

/** What a toast or a dialog calls them. */
export const named = (user) => ({ name: visible(labelOf(user)) });
