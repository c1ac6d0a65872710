// Which screens there are, in the order of the navigation. Those without a title are reached from others. needs is the
// permission without which a screen would be empty.

import { t } from "../lib/texts.js";
import { Users } from "./screens/users.js";

export const screens = [
  { path: "/admin/users/", screen: Users, title: t("Users"), needs: "users.view_user" },
];
