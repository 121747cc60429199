/** How far an upload has come, and what went wrong. */

import type { Progress } from "../api/publish";
import { h } from "./dom";
import { icon } from "./icons";

export class ProgressBox {
  readonly element = h("div", { class: "progress", role: "status", hidden: true });
  private readonly text = h("span", {});
  private readonly bar = h("progress", { max: 1, "aria-label": "Progress" });

  tell({ text, part }: Progress): void {
    this.element.hidden = false;
    this.text.textContent = part === null ? `${text}…` : `${text}: ${Math.round(part * 100)} %`;
    if (part === null) this.bar.removeAttribute("value");
    else this.bar.value = part;
    if (!this.bar.isConnected) this.element.replaceChildren(this.text, this.bar);
  }

  fail(problems: readonly string[]): void {
    this.element.hidden = false;
    const close = h("button", { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: () => this.clear() }, icon("close"));
    const lines = problems.map((problem) => h("p", { class: "error" }, problem));
    this.element.replaceChildren(h("div", { class: "problems", role: "alert" }, h("div", {}, ...lines), close));
  }

  clear(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
