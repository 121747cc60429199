/** The little pictures that stand for a layer's classes. */

import type { LegendEntry } from "../config";
import { svg } from "./dom";

const WIDTH = 22;
const HEIGHT = 16;
const MOST = { outline: 3, line: 6, casing: 9, marker: 13 };

/** The swatch of one class of a layer of features. */
export function swatch(entry: LegendEntry): SVGElement {
  const shapes = entry.family === "polygon" ? area(entry) : entry.family === "line" ? line(entry) : marker(entry);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "swatch", "aria-hidden": "true" }, ...shapes);
}

function area({ fill, stroke, stroke_width, dash }: LegendEntry): SVGElement[] {
  const paint = { fill: fill ?? "none", ...outline(stroke, stroke_width), "stroke-dasharray": dash?.join(" ") };
  return [svg("rect", { x: 2, y: 2, width: WIDTH - 4, height: HEIGHT - 4, rx: 1.5, ...paint })];
}

function outline(stroke: string | null, width: number): { stroke: string; "stroke-width": number } {
  return { stroke: stroke ?? "none", "stroke-width": stroke ? Math.min(width, MOST.outline) : 0 };
}

function line({ stroke, stroke_width, casing, casing_width, dash }: LegendEntry): SVGElement[] {
  const below = casing ? [stretch(casing, Math.min(casing_width, MOST.casing), null)] : [];
  return stroke ? [...below, stretch(stroke, Math.min(stroke_width, MOST.line), dash)] : below;
}

function stretch(stroke: string, width: number, dash: number[] | null): SVGElement {
  return svg("path", {
    d: `M1 ${HEIGHT - 4}L8 5l6 6L${WIDTH - 1} 4`,
    fill: "none",
    stroke,
    "stroke-width": width,
    "stroke-dasharray": dash?.join(" "),
    "stroke-linejoin": "round",
  });
}

function marker({ marker: drawn, fill, stroke, stroke_width }: LegendEntry): SVGElement[] {
  if (!drawn) return [];
  const side = Math.max(4, Math.min(drawn.size, MOST.marker));
  const paint = { fill: fill ?? "none", ...outline(stroke, stroke_width) };
  if (drawn.type === "circle") return [svg("circle", { cx: WIDTH / 2, cy: HEIGHT / 2, r: side / 2, ...paint })];
  return [svg("rect", { x: (WIDTH - side) / 2, y: (HEIGHT - side) / 2, width: side, height: side, ...paint })];
}
