// Who is logged in, and what they may: may("users.view_user"). What they may not is not offered; the API decides.

import { call, get } from "./api.js";

let profile = null;
let held = new Set();

export async function loadMe() {
  profile = await call(get("/auth/profile/"));
  if (!profile.is_staff) return;
  try {
    held = new Set((await call(get("/auth/profile/permissions/"))).permissions);
  } catch (problem) {
    // The page says what is missing; without permissions nothing else is shown.
    if (problem.code !== "password_change_required") throw problem;
  }
}

export const me = () => profile;

export const may = (permission) => profile.is_staff && (profile.is_superuser || held.has(permission));
