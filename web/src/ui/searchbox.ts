/** A box on the map to look for features by what their attributes say. */

import { type Finding, findFeatures } from "../api/search";
import type { LayerConfig } from "../config";
import { h } from "./dom";

const PAUSE_MS = 250;
const OF_FEATURES = new Set(["polygon", "line", "point", "wfs"]);

export class SearchBox {
  readonly element: HTMLElement;
  private readonly input = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the map", autocomplete: "off", maxlength: 200 });
  private readonly results = h("div", { class: "results", "aria-live": "polite", hidden: true });
  private asked = new AbortController();
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly layers: () => readonly LayerConfig[],
    private readonly onChoose: (finding: Finding) => void,
  ) {
    this.element = h("form", { class: "search card", role: "search", onsubmit: (event: Event) => this.submit(event) }, this.input, this.results);
    this.input.addEventListener("input", () => this.later());
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  private submit(event: Event): void {
    event.preventDefault();
    clearTimeout(this.pause);
    void this.find();
  }

  private later(): void {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.find(), PAUSE_MS);
  }

  private async find(): Promise<void> {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    const text = this.input.value.trim();
    const layers = this.layers().filter((layer) => OF_FEATURES.has(layer.type ?? "") && layer.status === "ready");
    if (text === "") return this.close();
    try {
      const found = layers.length > 0 ? await findFeatures(text, layers.map((layer) => layer.id), signal) : [];
      if (!signal.aborted) this.show(found);
    } catch (error) {
      if (!signal.aborted) this.tell(h("p", { class: "error" }, (error as Error).message));
    }
  }

  private show(found: readonly Finding[]): void {
    if (found.length === 0) return this.tell(h("p", { class: "muted" }, "Nothing was found."));
    this.tell(h("ul", {}, ...found.map((finding) => h("li", {}, this.row(finding)))));
  }

  private row(finding: Finding): HTMLElement {
    const layer = this.layers().find(({ id }) => id === finding.layer)?.name ?? "";
    const choose = (): void => {
      this.close();
      this.onChoose(finding);
    };
    return h("button", { type: "button", class: "quiet", onclick: choose }, h("span", {}, finding.text), h("span", { class: "muted" }, layer));
  }

  private tell(content: HTMLElement): void {
    this.results.replaceChildren(content);
    this.results.hidden = false;
  }

  private close(): void {
    this.asked.abort();
    clearTimeout(this.pause);
    this.results.replaceChildren();
    this.results.hidden = true;
  }
}
