/** A bright outline around the feature whose pop-up is open. */

import type { FilterSpecification, LayerSpecification, Map as MapLibreMap, StyleSpecification } from "maplibre-gl";
import { layerId } from "./style";

const LINE = "graticule-selected-line";
const POINT = "graticule-selected-point";
const COLOUR = "#ff8a00";

/** `style` with the outline that is drawn in `before`: a new style must not end a selection. */
export function keepHighlight(before: StyleSpecification | undefined, style: StyleSpecification): StyleSpecification {
  const outlines = before?.layers.filter((layer) => layer.id === LINE || layer.id === POINT) ?? [];
  const alive = outlines.filter((layer) => "source" in layer && typeof layer.source === "string" && layer.source in style.sources);
  return { ...style, layers: [...style.layers, ...alive] };
}

export function clearHighlight(map: MapLibreMap): void {
  for (const id of [LINE, POINT]) if (map.getLayer(id)) map.removeLayer(id);
}

/** Outline one feature of a layer, drawn from the tiles that the layer itself is drawn from. */
export function highlight(map: MapLibreMap, layer: number, feature: number): void {
  clearHighlight(map);
  const drawing = map.getStyle()?.layers.find((style) => layerId(style) === layer && "source-layer" in style);
  if (!drawing || !("source" in drawing) || typeof drawing.source !== "string") return;
  const isFeature: FilterSpecification = ["==", ["id"], feature];
  const from = { source: drawing.source, "source-layer": (drawing as { "source-layer": string })["source-layer"] };
  const line: LayerSpecification = {
    id: LINE,
    type: "line",
    ...from,
    filter: ["all", isFeature, ["!=", ["geometry-type"], "Point"]],
    layout: { "line-join": "round" },
    paint: { "line-color": COLOUR, "line-width": 3 },
  };
  const point: LayerSpecification = {
    id: POINT,
    type: "circle",
    ...from,
    filter: ["all", isFeature, ["==", ["geometry-type"], "Point"]],
    paint: { "circle-radius": 9, "circle-opacity": 0, "circle-stroke-color": COLOUR, "circle-stroke-width": 3 },
  };
  map.addLayer(line);
  map.addLayer(point);
}
