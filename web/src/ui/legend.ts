/** The little pictures that stand for a layer's classes. */

import type { LayerType, LegendEntry, Marker } from "../config";
import { svg } from "./dom";
import { icon } from "./icons";

const WIDTH = 22;
const HEIGHT = 16;

/** The swatch of one class of a layer. */
export function swatch(type: LayerType, entry: LegendEntry): SVGElement {
  if (type === "raster" || type === "tile" || type === "folder") return icon(type);
  const shape = type === "polygon" ? area(entry) : type === "line" ? line(entry) : marker(entry);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "swatch", "aria-hidden": "true" }, shape);
}

const strokeWidth = (width: number | null, most: number): number => Math.min(width ?? 1, most);

function area({ fill, stroke, stroke_width, dash }: LegendEntry): SVGElement {
  return svg("rect", {
    x: 2,
    y: 2,
    width: WIDTH - 4,
    height: HEIGHT - 4,
    rx: 1.5,
    fill: fill ?? "none",
    stroke: stroke ?? "none",
    "stroke-width": strokeWidth(stroke_width, 3),
    "stroke-dasharray": dash?.join(" "),
  });
}

/** A line's own colour comes as its stroke, or, where a casing takes that place, as its fill. */
function line({ fill, stroke, stroke_width, dash }: LegendEntry): SVGElement {
  return svg("path", {
    d: `M2 ${HEIGHT - 4}L8 5l6 6L${WIDTH - 2} 4`,
    fill: "none",
    stroke: stroke ?? fill ?? "currentColor",
    "stroke-width": strokeWidth(stroke_width, 5),
    "stroke-dasharray": dash?.join(" "),
    "stroke-linejoin": "round",
  });
}

function marker({ marker: drawn, fill, stroke, stroke_width }: LegendEntry): SVGElement {
  const { type, color, border, bw, size }: Marker = drawn ?? {
    type: "circle",
    color: fill,
    border: stroke,
    bw: stroke_width,
    size: null,
  };
  const side = Math.max(4, Math.min(size ?? 8, 13));
  const paint = { fill: color ?? "none", stroke: border ?? "none", "stroke-width": border ? strokeWidth(bw, 2.5) : 0 };
  if (type === "circle") return svg("circle", { cx: WIDTH / 2, cy: HEIGHT / 2, r: side / 2, ...paint });
  return svg("rect", { x: (WIDTH - side) / 2, y: (HEIGHT - side) / 2, width: side, height: side, ...paint });
}
