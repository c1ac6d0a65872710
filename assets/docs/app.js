// The API docs: reads /openapi.json as it is served, and lets every call be tried.
//
//   document.js    the document as a list of operations, and what a body looks like
//   caller.js      sends a request by the reader's own log-in, or with a token that is kept in memory alone
//   main.js        the page: the list, and the operation that the address names
//   operation.js   one operation: who may call it, what goes in, what comes out
//   try_it.js      the form that sends it

import { loadTexts } from "../lib/texts.js";

const texts = [new URL("../pages/es.json", import.meta.url), new URL("es.json", import.meta.url)];
await Promise.all(texts.map(loadTexts));
// Only now: modules may say words while they are loaded.
const { start } = await import("./main.js");
start(document.getElementById("app"));
