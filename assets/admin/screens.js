// Which screens there are, in the order of the navigation. Those without a title are reached from others. needs is the
// permission without which a screen would be empty.

import { t } from "../lib/texts.js";
import { Events } from "./screens/events.js";
import { Group } from "./screens/group.js";
import { Groups } from "./screens/groups.js";
import { Holders, Permissions } from "./screens/permissions.js";
import { User } from "./screens/user.js";
import { Users } from "./screens/users.js";

export const screens = [
  { path: "/admin/users/", screen: Users, title: t("Users"), needs: "users.view_user" },
  { path: "/admin/users/:id/", screen: User, needs: "users.view_user" },
  { path: "/admin/groups/", screen: Groups, title: t("Groups"), needs: "users.view_group" },
  { path: "/admin/groups/:id/", screen: Group, needs: "users.view_group" },
  { path: "/admin/permissions/", screen: Permissions, title: t("Permissions"), needs: "auth.view_permission" },
  { path: "/admin/permissions/:id/", screen: Holders, needs: "users.view_user" },
  { path: "/admin/events/", screen: Events, title: t("Events"), needs: "audit.view_event" },
];
