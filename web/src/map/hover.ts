/** What the pointer says of the features below it: a hand where a click tells more, a layer's tooltip column. */

import type { Map as MapLibreMap } from "maplibre-gl";
import type { LayerConfig } from "../config";
import { h } from "../ui/dom";
import { type Hit, hitsAt } from "./hits";

/** The value of `column` among `properties`, the case of its name aside; null where there is none to show. */
export function columnValue(properties: Record<string, unknown>, column: string): string | null {
  const name = Object.hasOwn(properties, column) ? column : Object.keys(properties).find((key) => key.toLowerCase() === column.toLowerCase());
  const value = name === undefined ? null : properties[name];
  return value === null || value === undefined || value === "" ? null : String(value);
}

export function watchPointer(map: MapLibreMap, layers: () => readonly LayerConfig[], clickable: () => Set<number>): void {
  const tip = h("div", { class: "tooltip", "aria-hidden": "true", hidden: true });
  map.getContainer().append(tip);
  const hide = (): void => void (tip.hidden = true);
  map.on("mouseout", hide);
  map.on("movestart", hide);
  map.on("mousemove", (event) => {
    const columns = tooltipColumns(layers());
    const click = clickable();
    const hits = hitsAt(map, event.point, new Set([...click, ...columns.keys()]));
    map.getCanvas().style.cursor = hits.some((hit) => click.has(hit.layer)) ? "pointer" : "";
    const text = tipText(hits, columns);
    tip.hidden = text === null;
    tip.textContent = text;
    tip.style.transform = `translate(${event.point.x + 14}px, ${event.point.y + 14}px)`;
  });
}

function tooltipColumns(layers: readonly LayerConfig[]): Map<number, string> {
  return new Map(layers.flatMap((layer) => (layer.tooltip ? [[layer.id, layer.tooltip] as const] : [])));
}

function tipText(hits: readonly Hit[], columns: ReadonlyMap<number, string>): string | null {
  for (const { layer, rendered } of hits) {
    const column = columns.get(layer);
    const text = column === undefined ? null : columnValue(rendered.properties, column);
    if (text !== null) return text;
  }
  return null;
}
