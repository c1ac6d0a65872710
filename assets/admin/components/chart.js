// Columns over time, two kinds of things on top of each other, with the same as a table for who cannot see it:
//
//     <${Chart} title="Log-ins" rows=${[{ at: "2026-11-23T01:00:00Z", good: 3, bad: 1 }]} good="Succeeded" bad="Failed"
//       label=${(at) => ...} />

import { html } from "../../lib/ui.js";
import { count, t } from "../../lib/texts.js";

const WIDTH = 600;
const HEIGHT = 120;
const GAP = 0.25;

export const Chart = ({ title, rows, good, bad, label }) => {
  const most = Math.max(1, ...rows.map((row) => row.good + row.bad));
  const [goods, bads] = [sum(rows, "good"), sum(rows, "bad")];
  const step = WIDTH / rows.length;
  const tall = (n) => (n ? Math.max(2, (n / most) * HEIGHT) : 0);
  const column = (row, at) => {
    const [above, below] = [tall(row.bad), tall(row.good)];
    // Both together fit, however small one of them is.
    const scale = Math.min(1, HEIGHT / Math.max(1, above + below));
    const box = (kind, y, height) => height > 0 && html`<rect class=${kind} x=${(at + GAP / 2) * step} y=${y} width=${step * (1 - GAP)} height=${height} rx="1" />`;
    return html`<g key=${row.at}>
      <title>${`${label(row.at)}: ${good} ${count(row.good)}, ${bad} ${count(row.bad)}`}</title>
      <rect class="space" x=${at * step} y="0" width=${step} height=${HEIGHT} />
      ${box("good", HEIGHT - below * scale, below * scale)}
      ${box("bad", HEIGHT - (above + below) * scale, above * scale)}
    </g>`;
  };
  return html`<figure class="chart">
    <figcaption><span class="good">${good}: ${count(goods)}</span> <span class="bad">${bad}: ${count(bads)}</span>
      <span class="quiet">${t("peak: {n}", { n: count(most) })}</span></figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${`${title}. ${good}: ${count(goods)}. ${bad}: ${count(bads)}.`}>
      ${rows.map(column)}
    </svg>
    <div class="ends quiet"><span>${label(rows[0].at)}</span><span>${label(rows.at(-1).at)}</span></div>
    <details class="more"><summary>${t("As a table")}</summary>
      <div class="scroll" tabindex="0" role="group" aria-label=${title}><table>
        <caption class="hidden">${title}</caption>
        <thead><tr><th scope="col">${t("When")}</th><th scope="col">${good}</th><th scope="col">${bad}</th></tr></thead>
        <tbody>${rows.map((row) => html`<tr key=${row.at}><th scope="row">${label(row.at)}</th><td>${count(row.good)}</td><td>${count(row.bad)}</td></tr>`)}</tbody>
      </table></div>
    </details>
  </figure>`;
};

const sum = (rows, kind) => rows.reduce((sum, row) => sum + row[kind], 0);
