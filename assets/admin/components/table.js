// A table that is a list of cards where there is no room.
//
//     const columns = [{ head: "Name", cell: (row) => html`...`, sort: "name" }, ...];
//     html`<${Table} caption="Users" columns=${columns} rows=${rows} keyOf=${(row) => row.id} ordering="-name"
//       onOrder=${(ordering) => ...} busy=${isLoading} empty="Nobody" />`
//
// picked (a Map from key to row) and onPick give each row a box; nameOf says what the box is called.

import { html } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";

export const Table = ({ caption, columns, rows, keyOf, ordering, onOrder, picked, onPick, nameOf, busy, empty }) => {
  const isWhole = rows.length > 0 && rows.every((row) => picked?.has(keyOf(row)));
  const pickAll = () => {
    const next = new Map(picked);
    for (const row of rows) isWhole ? next.delete(keyOf(row)) : next.set(keyOf(row), row);
    onPick(next);
  };
  const pick = (row) => {
    const next = new Map(picked);
    if (!next.delete(keyOf(row))) next.set(keyOf(row), row);
    onPick(next);
  };
  const box = (name, checked, onChange) => html`<label class="box"><input type="checkbox" aria-label=${name} checked=${checked}
    onChange=${onChange} /></label>`;
  if (!rows.length) return html`<p class="quiet empty" role="status" aria-busy=${busy}>${empty}</p>`;
  return html`<div class="table" aria-busy=${busy}><table>
    <caption class="hidden">${caption}</caption>
    <thead><tr>
      ${picked && html`<td class="pick">${box(t("Pick all on this page"), isWhole, pickAll)}</td>`}
      ${columns.map((column) => html`<${Head} key=${column.head} column=${column} ordering=${ordering} onOrder=${onOrder} />`)}
    </tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)} class=${picked?.has(keyOf(row)) ? "picked" : ""}>
      ${picked && html`<td class="pick">${box(t("Pick {name}", { name: nameOf(row) }), picked.has(keyOf(row)), () => pick(row))}</td>`}
      ${columns.map((column) => html`<${Cell} key=${column.head} column=${column} row=${row} />`)}
    </tr>`)}</tbody>
  </table></div>`;
};

/** One that has nothing in it takes no room where there is little. */
const Cell = ({ column, row }) => {
  const content = column.cell(row);
  const isEmpty = [null, undefined, false, ""].includes(content);
  return html`<td class=${`${column.class ?? ""} ${isEmpty ? "none" : ""}`} data-head=${column.head}>
    <div>${isEmpty && !column.quiet ? "–" : content}</div></td>`;
};

const Head = ({ column: { head, sort, class: kind, quiet }, ordering, onOrder }) => {
  if (!sort) return html`<th scope="col" class=${kind ?? ""}>${quiet ? html`<span class="hidden">${head}</span>` : head}</th>`;
  const isUp = ordering === sort;
  const direction = isUp ? "ascending" : ordering === `-${sort}` ? "descending" : "none";
  return html`<th scope="col" class=${kind ?? ""} aria-sort=${direction}>
    <button class="sort" onClick=${() => onOrder(isUp ? `-${sort}` : sort)}>${head}</button></th>`;
};

/** The way through the pages of usePages. */
export const Pager = ({ of, noun }) => {
  const total = of.data?.count;
  const hasMore = Boolean(of.next || of.previous);
  return html`<div class="pager">
    <p class="quiet" role="status">
      ${total !== null && total !== undefined && (noun ?? t("In all: {n}")).replace("{n}", count(total))}
      ${hasMore && of.page && html` · ${t("page {n}", { n: count(of.page) })}`}
    </p>
    ${hasMore && html`<nav class="row" aria-label=${t("Pages")}>
      <button class="plain" disabled=${!of.previous} onClick=${of.previous}>${t("Previous")}</button>
      <button class="plain" disabled=${!of.next} onClick=${of.next}>${t("Next")}</button>
    </nav>`}
  </div>`;
};
