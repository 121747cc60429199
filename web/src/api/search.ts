import type { Bounds } from "../config";
import { call } from "./http";

/** A feature that was found; its place is null where it has none. */
export interface Finding {
  layer: number;
  feature: number;
  /** The value that holds the text. */
  text: string;
  bounds: Bounds | null;
}

interface Found {
  layerId: number;
  __id: number;
  result: string;
  __xmin: number | null;
  __ymin: number | null;
  __xmax: number | null;
  __ymax: number | null;
}

const MOST = 10;

/** The first features of `layers` with an attribute that holds `text`. */
export async function findFeatures(text: string, layers: readonly number[], signal: AbortSignal): Promise<Finding[]> {
  const asked = new URLSearchParams({ query: text, fields: layers.join(";"), perpage: String(MOST), nototal: "1", replace_special_chars: "1", epsg: "4326" });
  const answer = await call<{ data: Found[] }>("GET", `/1/search.json?${asked}`, undefined, signal);
  return answer.data.map((found) => ({ layer: Number(found.layerId), feature: found.__id, text: found.result, bounds: boundsOf(found) }));
}

/** The extent that an answer of the API tells, in degrees. */
export function boundsOf(found: Pick<Found, "__xmin" | "__ymin" | "__xmax" | "__ymax">): Bounds | null {
  const { __xmin: west, __ymin: south, __xmax: east, __ymax: north } = found;
  if (west === null || south === null || east === null || north === null) return null;
  return [west, south, east, north];
}
