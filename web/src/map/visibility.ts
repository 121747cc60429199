/** Which layers are drawn: a layer is, when it and every folder around it are switched on. */

import type { LayerConfig } from "../config";

type Node = Pick<LayerConfig, "id" | "parent" | "visible">;

/** The folders around a layer, the innermost first; ends where parents run in a circle or are unknown. */
export function ancestors(layer: Node, layers: readonly Node[]): number[] {
  const parents = new Map(layers.map(({ id, parent }) => [id, parent]));
  const path: number[] = [];
  for (let at = layer.parent; at !== null && parents.has(at) && !path.includes(at); at = parents.get(at) ?? null) path.push(at);
  return path;
}

/** What is switched on at first: `only` and the folders around it where a page's address says so, else as saved. */
export function switchedOn(layers: readonly Node[], only: readonly number[] | null): Set<number> {
  if (only === null) return new Set(layers.filter((layer) => layer.visible).map((layer) => layer.id));
  const wanted = layers.filter((layer) => only.includes(layer.id) || ancestors(layer, layers).some((id) => only.includes(id)));
  return new Set(wanted.flatMap((layer) => [layer.id, ...ancestors(layer, layers)]));
}

/** The layers that are drawn when those of `on` are switched on. */
export function drawn(layers: readonly Node[], on: ReadonlySet<number>): Set<number> {
  const seen = layers.filter((layer) => on.has(layer.id) && ancestors(layer, layers).every((id) => on.has(id)));
  return new Set(seen.map((layer) => layer.id));
}
