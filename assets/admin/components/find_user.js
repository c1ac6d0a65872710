// Finds a user while one types: <${FindUser} label="Add a user" act="Add" onFound=${(user) => ...} />

import { html, useState } from "../../lib/ui.js";
import { t } from "../../lib/texts.js";
import { withQuery } from "../api.js";
import { useData } from "./data.js";
import { Search } from "./fields.js";
import { Name, labelOf, visible } from "./say.js";

const SHOWN = 8;

export const FindUser = ({ label, act, onFound }) => {
  const [text, setText] = useState("");
  const users = useData(text.trim() ? withQuery("/auth/admin/users/", { search: `^${text}`, limit: SHOWN }) : null);
  const found = text.trim() ? users.data?.results ?? [] : [];
  const choose = (user) => {
    setText("");
    onFound(user);
  };
  return html`<div role="search">
    <${Search} label=${label} value=${text} onSearch=${setText} />
    <ul class="plain-list found">${found.map((user) => html`<li key=${user.id}>
      <span><${Name}>${labelOf(user)}<//> ${user.full_name && html`<span class="quiet"><${Name}>${user.full_name}<//></span>`}</span>
      <button class="plain" aria-label=${`${act} ${visible(labelOf(user))}`} onClick=${() => choose(user)}>${act}</button>
    </li>`)}</ul>
    <p class="hint" role="status">${text.trim() && users.data && !users.isLoading && !found.length && t("Nobody begins like that.")}</p>
  </div>`;
};
