// A dialog of the browser: <${Dialog} title="New group" onClose=${close}>...<//>. Escape closes it, the focus stays
// in it, and goes back to where it was.

import { html, useEffect, useId, useRef } from "../../lib/ui.js";

export const Dialog = ({ title, onClose, wide, children }) => {
  const dialog = useRef();
  const id = useId();
  useEffect(() => {
    const own = dialog.current;
    own.showModal();
    return () => own.close();
  }, []);
  return html`<dialog ref=${dialog} aria-labelledby=${id} class=${wide ? "wide" : ""}
    onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <h2 id=${id}>${title}</h2>
    ${children}
  </dialog>`;
};
