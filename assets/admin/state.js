// One value that many components look at: const open = shared(false); open.set(true); open.use() in a component.

import { useEffect, useState } from "../lib/ui.js";

export function shared(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    use() {
      const [seen, see] = useState(value);
      useEffect(() => {
        // It may have changed between the drawing and now.
        see(() => value);
        const listener = (next) => see(() => next);
        listeners.add(listener);
        return () => listeners.delete(listener);
      }, []);
      return seen;
    },
  };
}
