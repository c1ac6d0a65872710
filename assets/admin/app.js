// The admin page: one page over the public admin API. What it does, any client of the API can do.
//
// The frame, for whoever writes a screen:
//   screens.js        which screens there are: a line each
//   api.js            call(request): what the API says, or a Problem
//   me.js             me(), may("users.view_user")
//   router.js         useQuery(), navigate(path); links are plain <a href="/admin/...">
//   components/page.js    Page: heading, actions, what is shown, and the same as commands
//   components/data.js    useData(path), usePages(path, filters), Loaded
//   components/table.js   Table, Pager
//   components/acts.js    act(request, {...}): does it and says so, with a way back; ask({...}): asks before
//   components/dialog.js  Dialog, for forms
//   components/fields.js  Field, Choice, Tick, Search, Form
//   components/say.js     Name (what a user wrote), When, Mark, Trouble
//   components/twins.js   the curl and the command line of each action
//
// Words are said with t() of ../lib/texts.js, and es.json has them in Spanish.

import { loadTexts } from "../lib/texts.js";

const texts = ["../pages/es.json", "../pages/messages.es.json", "es.json"];
await Promise.all(texts.map((name) => loadTexts(new URL(name, import.meta.url))));
// Only now: modules may say words while they are loaded.
const { start } = await import("./main.js");
start(document.getElementById("app"));
