/** Tells, without getting in the way, what of a map could not be loaded. */

import type { ErrorEvent, Map as MapLibreMap } from "maplibre-gl";
import type { LayerConfig } from "../config";
import { notify } from "../ui/notice";
import { layerId } from "./style";

type SourceError = ErrorEvent & { sourceId?: string };

export function watchTrouble(map: MapLibreMap, layers: () => readonly LayerConfig[]): void {
  const told = new Set<string>();
  map.on("error", (event: SourceError) => {
    if ((event.error as Error).name === "AbortError") return;
    console.warn(event.error.message);
    const key = event.sourceId ?? "style";
    if (told.has(key)) return;
    told.add(key);
    notify(`trouble-${key}`, sentence(event, nameOf(map, event.sourceId, layers())), "warning");
  });
}

function sentence(event: SourceError, name: string | null): string {
  if (event.sourceId === undefined) return `The map could not be loaded in full: ${event.error.message}`;
  return name === null ? "A part of the map could not be loaded." : `“${name}” could not be loaded in full.`;
}

function nameOf(map: MapLibreMap, source: string | undefined, layers: readonly LayerConfig[]): string | null {
  const drawing = map.getStyle()?.layers.find((layer) => "source" in layer && layer.source === source);
  const id = drawing ? layerId(drawing) : null;
  return layers.find((layer) => layer.id === id)?.name ?? null;
}
