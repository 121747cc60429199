/** What we read from, and change in, the style that the server made. */

import type { LayerSpecification, StyleSpecification } from "maplibre-gl";

/** The id of the map layer that a style layer draws, or null. */
export function layerId(layer: { metadata?: unknown }): number | null {
  const id = (layer.metadata as { layer_id?: unknown } | undefined)?.layer_id;
  return id === undefined || id === null ? null : Number(id);
}

/** Tile addresses as full addresses; MapLibre's workers know no page to resolve them against. */
export function absolute(style: StyleSpecification, page: string): StyleSpecification {
  // Not URL.href, which would encode the braces of {z}/{x}/{y}.
  const resolve = (url: string): string => (url.startsWith("/") && !url.startsWith("//") ? new URL(page).origin + url : url);
  const sources = Object.entries(style.sources).map(([id, source]) => {
    const changed = { ...source } as { tiles?: string[]; url?: string };
    if (changed.tiles) changed.tiles = changed.tiles.map(resolve);
    if (typeof changed.url === "string") changed.url = resolve(changed.url);
    return [id, changed];
  });
  const { sprite } = style;
  return {
    ...style,
    ...(typeof sprite === "string" ? { sprite: resolve(sprite) } : {}),
    sources: Object.fromEntries(sources) as StyleSpecification["sources"],
  };
}

/** `style` with only the layers of `visible` drawn; style layers that belong to no map layer stay as they are. */
export function withVisible(style: StyleSpecification, visible: ReadonlySet<number>): StyleSpecification {
  const layers = style.layers.map((layer) => {
    const id = layerId(layer);
    if (id === null) return layer;
    return { ...layer, layout: { ...layer.layout, visibility: visible.has(id) ? "visible" : "none" } } as LayerSpecification;
  });
  return { ...style, layers };
}
