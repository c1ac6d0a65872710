// What a component is written with: Preact, its hooks, and htm in the place of JSX.
//
//     import { html, render, useState } from "../lib/ui.js";
//     const Counter = () => { const [n, set] = useState(0); return html`<button onClick=${() => set(n + 1)}>${n}</button>`; };

import htm from "./htm.js";
import { h } from "./preact.js";

export const html = htm.bind(h);
export { Component, Fragment, createContext, createRef, render } from "./preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./hooks.js";
