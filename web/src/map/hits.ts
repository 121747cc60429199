/** Which features of which layers lie under a point of the screen. */

import type { Map as MapLibreMap, MapGeoJSONFeature, Point } from "maplibre-gl";
import { layerId } from "./style";

export interface Hit {
  layer: number;
  feature: number;
  rendered: MapGeoJSONFeature;
}

/** Pixels around a click that still count: a line is thinner than a finger. */
const REACH = 4;

/** One hit for each feature, the topmost first; an outline and its fill are one feature. */
export function distinct(rendered: readonly MapGeoJSONFeature[], layers: ReadonlySet<number>): Hit[] {
  const hits = new Map<string, Hit>();
  for (const found of rendered) {
    const layer = layerId(found.layer);
    const feature = Number(found.id);
    if (layer === null || !layers.has(layer) || found.id === undefined || Number.isNaN(feature)) continue;
    const key = `${layer}/${feature}`;
    if (!hits.has(key)) hits.set(key, { layer, feature, rendered: found });
  }
  return [...hits.values()];
}

/** The features of `layers` at `point`; those exactly under it come before those near it. */
export function hitsAt(map: MapLibreMap, point: Point, layers: ReadonlySet<number>): Hit[] {
  const ids = map.getStyle()?.layers.filter((layer) => layers.has(layerId(layer) ?? Number.NaN)).map((layer) => layer.id) ?? [];
  if (ids.length === 0) return [];
  const near: [[number, number], [number, number]] = [
    [point.x - REACH, point.y - REACH],
    [point.x + REACH, point.y + REACH],
  ];
  const around = map.queryRenderedFeatures(near, { layers: ids });
  // Neighbours of an area are no hits; only points and lines are thin enough to miss.
  const thin = around.filter((found) => !found.geometry.type.endsWith("Polygon"));
  return distinct([...thin, ...map.queryRenderedFeatures(point, { layers: ids })], layers);
}
