/** The one owner of the MapLibre instance. */

import "maplibre-gl/dist/maplibre-gl.css";
import "../styles/fonts.css";
import { AttributionControl, Map as MapLibreMap, ScaleControl, setWorkerUrl } from "maplibre-gl";
import type { LngLatBoundsLike, StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { keyHeaders } from "../api/key";
import type { Bounds, MapConfig } from "../config";
import { keepHighlight } from "./highlight";
import { absolute, layerId, withVisible } from "./style";

declare global {
  interface Window {
    graticuleMap?: MapLibreMap;
  }
}

const WORLD: Bounds = [-180, -65, 180, 78];
// The Mercator square ends here.
const NORTH = 85.05;
const EMPTY: StyleSpecification = { version: 8, sources: {}, layers: [] };

setWorkerUrl(workerUrl);

/** `bounds` as MapLibre takes them: within the Mercator square. */
export function mercatorBounds([west, south, east, north]: Bounds): LngLatBoundsLike {
  const clamp = (latitude: number): number => Math.max(-NORTH, Math.min(NORTH, latitude));
  return [
    [west, clamp(south)],
    [east < west ? east + 360 : east, clamp(north)],
  ];
}

export class MapView {
  readonly map: MapLibreMap;
  readonly home: LngLatBoundsLike;
  private visible: ReadonlySet<number>;
  /** Whether the style has come, or is known not to come. */
  private arrived = false;

  constructor(container: HTMLElement, config: MapConfig, visible: ReadonlySet<number>) {
    this.visible = visible;
    this.home = mercatorBounds(config.options.bounds ?? config.map.bounds ?? WORLD);
    this.map = new MapLibreMap({
      container,
      style: EMPTY,
      bounds: this.home,
      fitBoundsOptions: { padding: 16, maxZoom: 16 },
      attributionControl: false,
      transformRequest: (url) => ({ url, headers: keyHeaders(url, location) }),
      // Pictures of the map know no tilt and no turn.
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: { "Map.Title": config.map.name },
    });
    this.map.touchZoomRotate.disableRotation();
    this.addControls(config);
    this.tellState();
    window.graticuleMap = this.map;
  }

  /** Load the style, or load it anew; what is unchanged stays on the screen. */
  load(url: string): void {
    this.arrived = false;
    document.documentElement.dataset["mapState"] = "loading";
    this.map.setStyle(new URL(url, location.href).href, {
      transformStyle: (before, style) => {
        this.arrived = true;
        // A style that is as it was draws nothing anew, and so would bring no "idle".
        this.map.triggerRepaint();
        return keepHighlight(before, withVisible(absolute(style, location.href), this.visible));
      },
    });
  }

  /** Draw the layers of `visible` and no others. */
  show(visible: ReadonlySet<number>): void {
    this.visible = visible;
    document.documentElement.dataset["mapState"] = "loading";
    for (const layer of this.map.getStyle()?.layers ?? []) {
      const id = layerId(layer);
      if (id !== null) this.map.setLayoutProperty(layer.id, "visibility", visible.has(id) ? "visible" : "none");
    }
    this.map.triggerRepaint();
  }

  fit(bounds: LngLatBoundsLike, maxZoom = 16): void {
    this.map.fitBounds(bounds, { padding: 24, maxZoom });
  }

  private addControls({ map, options }: MapConfig): void {
    // MapLibre cleans the markup of attributions; a map's copyright line is plain text.
    const copyright = document.createElement("span");
    copyright.textContent = map.copyright ?? "";
    this.map.addControl(new AttributionControl(copyright.textContent ? { customAttribution: copyright.innerHTML } : {}));
    if (options.scalebar) this.map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  }

  /** The page's root says whether the map is still at work: for the loading bar, and for tests. */
  private tellState(): void {
    const { dataset } = document.documentElement;
    dataset["mapState"] = "loading";
    this.map.on("dataloading", () => (dataset["mapState"] = "loading"));
    this.map.on("movestart", () => (dataset["mapState"] = "loading"));
    this.map.on("idle", () => (dataset["mapState"] = this.arrived ? "idle" : "loading"));
    this.map.on("error", (event) => {
      if (!("sourceId" in event)) this.arrived = true;
      // After something that failed nothing is drawn, and so no "idle" would follow.
      this.map.triggerRepaint();
    });
  }
}
