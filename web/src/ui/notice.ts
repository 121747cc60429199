/** Short notices over the page that nothing has to wait for. */

import { h } from "./dom";
import { icon } from "./icons";

const shown = new Map<string, HTMLElement>();

function region(): HTMLElement {
  const there = document.getElementById("notices");
  if (there) return there;
  const made = h("div", { id: "notices", role: "status", "aria-live": "polite" });
  document.body.append(made);
  return made;
}

/** Show `text` until it is dismissed, once for each `key`. */
export function notify(key: string, text: string, kind: "info" | "warning" = "info"): void {
  dismiss(key);
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => dismiss(key) }, icon("close"));
  const notice = h("div", { class: `notice ${kind}` }, h("span", {}, text), close);
  shown.set(key, notice);
  region().append(notice);
}

export function dismiss(key: string): void {
  shown.get(key)?.remove();
  shown.delete(key);
}
