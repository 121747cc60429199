/** A click on the map shows the attributes of the features there, one after the other. */

import { Popup } from "maplibre-gl";
import type { LngLatLike, Map as MapLibreMap } from "maplibre-gl";
import { type Feature, readFeature } from "../api/layers";
import type { LayerConfig } from "../config";
import { h } from "../ui/dom";
import { icon } from "../ui/icons";
import { clearHighlight, highlight } from "./highlight";
import { hitsAt } from "./hits";

export interface Subject {
  layer: number;
  feature: number;
}

export class Popups {
  enabled = true;
  private popup: Popup | null = null;
  private asked = new AbortController();

  constructor(
    private readonly map: MapLibreMap,
    private readonly layers: () => readonly LayerConfig[],
  ) {
    map.on("click", (event) => {
      this.open(hitsAt(map, event.point, this.clickable()), event.lngLat);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) this.close();
    });
  }

  /** Show the first of `subjects` at a place, with a way to the others; without any, close. */
  open(subjects: readonly Subject[], at: LngLatLike): void {
    this.close();
    if (subjects.length === 0) return;
    const popup = new Popup({ maxWidth: "min(340px, 86vw)", closeOnClick: false, focusAfterOpen: true }).setLngLat(at);
    const content = h("div", { class: "popup", tabindex: "-1" });
    popup.setDOMContent(content).addTo(this.map);
    popup.on("close", () => this.popup === popup && this.forget());
    this.popup = popup;
    this.show(content, subjects, 0);
  }

  close(): void {
    const popup = this.popup;
    this.forget();
    popup?.remove();
  }

  private forget(): void {
    this.popup = null;
    this.asked.abort();
    clearHighlight(this.map);
  }

  /** The layers that a click asks. */
  clickable(): Set<number> {
    if (!this.enabled) return new Set();
    return new Set(this.layers().filter((layer) => layer.use_info_window).map((layer) => layer.id));
  }

  private show(content: HTMLElement, subjects: readonly Subject[], index: number): void {
    const subject = subjects[index]!;
    const title = this.layers().find((layer) => layer.id === subject.layer)?.name ?? "";
    const body = h("div", { class: "popup-body", "aria-live": "polite" }, h("p", { class: "muted" }, "Loading…"));
    const turn = (step: number) => () => this.show(content, subjects, (index + step + subjects.length) % subjects.length);
    content.replaceChildren(h("h2", {}, title), subjects.length > 1 ? pager(index, subjects.length, turn) : "", body);
    highlight(this.map, subject.layer, subject.feature);
    void this.fill(body, subject);
  }

  private async fill(body: HTMLElement, { layer, feature }: Subject): Promise<void> {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    try {
      body.replaceChildren(attributes(await readFeature(layer, feature, signal)));
    } catch (error) {
      if (signal.aborted) return;
      body.replaceChildren(h("p", { class: "error" }, (error as Error).message));
    }
    // The pop-up has grown, and may fit better on another side of its place.
    if (this.popup) this.popup.setLngLat(this.popup.getLngLat());
  }
}

function pager(index: number, total: number, turn: (step: number) => () => void): HTMLElement {
  return h(
    "div",
    { class: "pager" },
    h("button", { type: "button", class: "quiet", "aria-label": "Previous feature", onclick: turn(-1) }, icon("previous")),
    h("span", { "aria-live": "polite" }, `${index + 1} of ${total}`),
    h("button", { type: "button", class: "quiet", "aria-label": "Next feature", onclick: turn(1) }, icon("chevron")),
  );
}

function attributes(feature: Feature): HTMLElement {
  const rows = Object.entries(feature.data).map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", value === null ? { class: "muted" } : {}, readable(value))),
  );
  if (rows.length === 0) return h("p", { class: "muted" }, "This feature has no attributes.");
  return h("table", {}, h("tbody", {}, ...rows));
}

function readable(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
