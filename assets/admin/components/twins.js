// Every action as what it is to the API and to the command line:
//
//     <${Twins} of=${[{ does: "Disable", method: "DELETE", path: "/auth/admin/users/12/", cli: ["users", "disable", "ada"] }]} />
//
// cli is a list of words: ["users", "disable", "ada"]; not every action has one. What a shell or a terminal would take
// for something else is quoted.

import { plain, quoted } from "../../lib/shell.js";
import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";

export const Twins = ({ of, open = false }) => html`<details class="twins" open=${open}>
  <summary>${t("The same from a terminal")}</summary>
  ${of.filter(Boolean).map((twin) => html`<div key=${twin.does} class="twin">
    <h3>${twin.does}</h3>
    <${Command} text=${curl(twin)} name=${`${twin.does}: curl`} />
    ${twin.cli && html`<${Command} text=${line(twin.cli)} name=${`${twin.does}: keystead`} />`}
  </div>`)}
</details>`;

const Command = ({ text, name }) => {
  const [isCopied, say] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    say(true);
    setTimeout(() => say(false), 2_000);
  };
  return html`<div class="command">
    <pre tabindex="0" role="group" aria-label=${name}><code>${text}</code></pre>
    ${navigator.clipboard && html`<button class="plain" onClick=${copy} aria-label=${t("Copy {name}", { name })}>
      ${isCopied ? t("Copied") : t("Copy")}</button>`}
  </div>`;
};

/** The request as a command of curl. The token is whoever's runs it. */
export function curl({ method, path, body }) {
  const parts = ["curl"];
  if (method !== "GET") parts.push("-X", method);
  parts.push(quoted(location.origin + path), "-H", '"Authorization: Bearer $TOKEN"');
  if (body !== undefined) parts.push("-H", "'Content-Type: application/json'", "-d", quoted(plain(JSON.stringify(body))));
  return parts.join(" ");
}

const line = (words) => ["keystead", ...words.map((word) => quoted(String(word)))].join(" ");
