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

// The scale of MapLibre's zoom level 0 at the equator, whose pixel is 0.28 mm (OGC 05-078r4) and whose world is 512 wide.
const DENOMINATOR_OF_ZOOM_0 = 559_082_264.028_717_8 / 2;

setWorkerUrl(workerUrl);

/** The zoom level of the scale 1:`denominator`, as pictures of the map have it. */
export function zoomOfScale(denominator: number): number {
  return Math.log2(DENOMINATOR_OF_ZOOM_0 / denominator);
}

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
  private readonly numscale: number | null;
  private readonly lockzoom: boolean;

  constructor(container: HTMLElement, config: MapConfig, visible: ReadonlySet<number>) {
    this.visible = visible;
    const { no3d, numscale, lockzoom } = config.options;
    this.numscale = numscale;
    this.lockzoom = lockzoom;
    this.home = mercatorBounds(config.options.bounds ?? config.map.bounds ?? WORLD);
    this.map = new MapLibreMap({
      container,
      style: EMPTY,
      attributionControl: false,
      transformRequest: (url) => ({ url, headers: keyHeaders(url, location) }),
      dragRotate: !no3d,
      pitchWithRotate: !no3d,
      touchPitch: !no3d,
      maxPitch: no3d ? 0 : 60,
      locale: { "Map.Title": config.map.name },
    });
    if (no3d) this.forbidTurning();
    this.begin(config.selection ? mercatorBounds(config.selection.bounds) : this.home);
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

  /** Go somewhere, with north up; where zooming is locked the scale stays. */
  fit(bounds: LngLatBoundsLike, maxZoom = 16): void {
    this.map.fitBounds(bounds, { padding: 24, maxZoom, pitch: 0, bearing: 0, linear: this.lockzoom });
  }

  /** Be somewhere from the start, at the scale that was asked for. */
  begin(bounds: LngLatBoundsLike): void {
    if (this.lockzoom) this.allowZooms(null);
    this.map.fitBounds(bounds, { padding: 16, maxZoom: 16, animate: false });
    if (this.numscale !== null) this.map.setZoom(zoomOfScale(this.numscale));
    if (this.lockzoom) this.lockZoom();
  }

  /** Call `then` once the map's own style is drawn. */
  whenDrawn(then: () => void): void {
    const look = (): void => {
      if (!this.arrived) return;
      this.map.off("idle", look);
      then();
    };
    this.map.on("idle", look);
    this.map.triggerRepaint();
  }

  private forbidTurning(): void {
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
  }

  /** Whatever asks for another zoom level gets this one; and the wheel is left to the page around the map. */
  private lockZoom(): void {
    this.allowZooms(this.map.getZoom());
    const { scrollZoom, boxZoom, doubleClickZoom, touchZoomRotate } = this.map;
    for (const handler of [scrollZoom, boxZoom, doubleClickZoom, touchZoomRotate]) handler.disable();
  }

  private allowZooms(only: number | null): void {
    this.map.setMinZoom(null);
    this.map.setMaxZoom(only);
    this.map.setMinZoom(only);
  }

  private addControls({ map, options }: MapConfig): void {
    if (!options.noattrib) this.addAttribution(map);
    if (options.scalebar && !options.noctrl) this.map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  }

  private addAttribution(map: MapConfig["map"]): void {
    // MapLibre cleans the markup of attributions; a map's copyright line is plain text.
    const copyright = document.createElement("span");
    copyright.textContent = map.copyright ?? "";
    this.map.addControl(new AttributionControl(copyright.textContent ? { customAttribution: copyright.innerHTML } : {}));
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
