/** The list of a map's layers, the top one first: a check box each, folders, legends, states. */

import type { LayerConfig } from "../config";
import { ancestors } from "../map/visibility";
import { h } from "./dom";
import { icon } from "./icons";
import { swatch } from "./legend";

export interface LayerListOptions {
  expanded: boolean;
  /** Told the layers that are switched on, after each change. */
  onChange: (on: Set<number>) => void;
}

export class LayerList {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly closed = new Set<number>();
  private layers: readonly LayerConfig[] = [];
  private on = new Set<number>();

  constructor(private readonly options: LayerListOptions) {
    this.body = h("div", { class: "layerlist-body", id: "layerlist-body" });
    const button = h(
      "button",
      { type: "button", class: "layerlist-head", "aria-controls": "layerlist-body", onclick: () => this.expand(!this.element.classList.contains("open")) },
      icon("layers"),
      h("span", {}, "Layers"),
      icon("chevron"),
    );
    this.element = h("section", { class: "layerlist card", "aria-label": "Layers" }, button, this.body);
    this.expand(options.expanded);
  }

  /** Show these layers, those of `on` switched on. */
  update(layers: readonly LayerConfig[], on: ReadonlySet<number>): void {
    this.layers = layers;
    this.on = new Set(on);
    const empty = h("p", { class: "muted empty" }, "This map has no layers yet.");
    this.body.replaceChildren(layers.length > 0 ? this.branch(null) : empty);
  }

  /** Say how far those layers are that are being read; all else stays as it is. */
  tell(layers: readonly LayerConfig[]): void {
    for (const layer of layers) {
      const state = this.body.querySelector(`[data-state="${layer.id}"]`);
      if (state) state.textContent = stateText(layer);
    }
  }

  /** Put something below the list. */
  append(element: HTMLElement): void {
    this.element.append(element);
  }

  private expand(open: boolean): void {
    this.body.hidden = !open;
    this.element.classList.toggle("open", open);
    this.element.querySelector("button")?.setAttribute("aria-expanded", String(open));
  }

  private branch(parent: number | null): HTMLElement {
    const known = new Set(this.layers.map((layer) => layer.id));
    const inside = this.layers.filter((layer) => (layer.parent !== null && known.has(layer.parent) ? layer.parent : null) === parent);
    return h("ul", parent === null ? {} : { id: `folder-${parent}`, hidden: this.closed.has(parent) }, ...inside.map((layer) => this.row(layer)));
  }

  private row(layer: LayerConfig): HTMLElement {
    const box = h("input", { type: "checkbox", "data-layer": layer.id, checked: this.on.has(layer.id) });
    box.addEventListener("change", () => this.toggle(layer.id, box.checked));
    const single = layer.legend.length === 1 && !layer.legend[0]!.label;
    const mark = single ? swatch(layer.legend[0]!) : plainMark(layer);
    const label = h("label", {}, box, mark, h("span", { class: "name" }, layer.name), stateOf(layer));
    const head = h("div", { class: "row" }, layer.type === "folder" && this.folderButton(layer), label);
    const item = h("li", { "data-type": layer.type, class: this.dimmed(layer) ? "dimmed" : null }, head);
    if (!single && layer.legend.length > 0) item.append(classes(layer));
    if (layer.type === "folder") item.append(this.branch(layer.id));
    return item;
  }

  private folderButton(layer: LayerConfig): HTMLElement {
    const button = h(
      "button",
      { type: "button", class: "quiet fold", "aria-label": `Fold ${layer.name}`, "aria-expanded": String(!this.closed.has(layer.id)) },
      icon("chevron"),
    );
    button.addEventListener("click", () => {
      const list = this.body.querySelector<HTMLElement>(`#folder-${layer.id}`);
      if (!list) return;
      list.hidden = !list.hidden;
      button.setAttribute("aria-expanded", String(!list.hidden));
      if (list.hidden) this.closed.add(layer.id);
      else this.closed.delete(layer.id);
    });
    return button;
  }

  private dimmed(layer: LayerConfig): boolean {
    return ancestors(layer, this.layers).some((id) => !this.on.has(id));
  }

  private toggle(id: number, on: boolean): void {
    if (on) this.on.add(id);
    else this.on.delete(id);
    for (const layer of this.layers) {
      const item = this.body.querySelector(`input[data-layer="${layer.id}"]`)?.closest("li");
      item?.classList.toggle("dimmed", this.dimmed(layer));
    }
    this.options.onChange(new Set(this.on));
  }
}

function plainMark(layer: LayerConfig): SVGElement | null {
  if (layer.type === "wms") return icon("tile");
  return layer.type === "raster" || layer.type === "tile" ? icon(layer.type) : null;
}

function classes(layer: LayerConfig): HTMLElement {
  const items = layer.legend.map((entry) => h("li", {}, swatch(entry), h("span", {}, entry.label ?? "")));
  return h("ul", { class: "classes", "aria-label": `Legend of ${layer.name}` }, ...items);
}

function stateOf(layer: LayerConfig): HTMLElement | null {
  if (layer.status === "ready") return null;
  return h("span", { class: `state ${layer.status}`, title: layer.status_text, "data-state": layer.id }, stateText(layer));
}

function stateText(layer: LayerConfig): string {
  if (layer.status !== "busy") return "error";
  return layer.percentage === null ? "being read…" : `being read… ${layer.percentage} %`;
}
