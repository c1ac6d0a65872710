// The words of the pages in the reader's language. The English text is the key, so that the code can be read.
//
//     await loadTexts(new URL("es.json", import.meta.url));
//     t("Log in"); t("{n} users", { n: 3 });

export const language = document.documentElement.lang || "en";

const texts = new Map();

/** Loads a file of texts, unless the reader reads English. Without it everything is said in English. */
export async function loadTexts(url) {
  if (language === "en") return;
  try {
    const reply = await fetch(url);
    if (reply.ok) for (const [key, text] of Object.entries(await reply.json())) texts.set(key, text);
  } catch {
    // The network is gone: English is better than nothing.
  }
}

/** The text in the reader's language, with `{name}` filled in. */
export function t(key, values = {}) {
  const text = texts.get(key) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** What the API says, in the reader's language. The numbers in it are whatever they are. */
export function say(message) {
  const numbers = message.match(/\d+/g) ?? [];
  const text = texts.get(message.replace(/\d+/g, "{n}"));
  return text ? text.replaceAll("{n}", () => numbers.shift()) : message;
}

const date = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const number = new Intl.NumberFormat(language);

/** `2026-11-23T01:02:03Z` as the reader writes a time, in their own zone. */
export const time = (text) => (text ? date.format(new Date(text)) : "");

/** `3` as the reader writes a number. */
export const count = (n) => number.format(n);

/** How long ago or ahead a time is: "3 minutes ago". */
export function ago(text, now = Date.now()) {
  const seconds = (new Date(text).getTime() - now) / 1000;
  const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}
