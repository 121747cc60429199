import { call } from "./http";

export interface Feature {
  __id: number;
  __xmin: number | null;
  __ymin: number | null;
  __xmax: number | null;
  __ymax: number | null;
  data: Record<string, unknown>;
}

/** Make a layer on a map from a file in the caller's storage; `src` begins with a slash. */
export const createFileLayer = (map: number | string, name: string, src: string): Promise<unknown> =>
  call("POST", "/1/layers.json", { mid: map, name, source: { type: "file", src } });

/** A feature with its attributes; its extent in degrees. */
export const readFeature = (layer: number, feature: number, signal?: AbortSignal): Promise<Feature> =>
  call("GET", `/1/layers/${layer}/features/${feature}.json?epsg=4326`, undefined, signal);
