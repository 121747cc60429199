/** What the server writes into a page for its script. `api/pages_html.py` embeds it as `#config`. */

export type Bounds = [west: number, south: number, east: number, north: number];

export type LayerType = "polygon" | "line" | "point" | "raster" | "tile" | "wms" | "wfs" | "folder";

/** One class of a layer, as `style/legend.py` tells it: colours as `#rrggbb`, lengths in pixels. */
export interface LegendEntry {
  label: string | null;
  family: "polygon" | "line" | "point";
  fill: string | null;
  stroke: string | null;
  stroke_width: number;
  /** The wider line below a line. */
  casing: string | null;
  casing_width: number;
  marker: { type: "circle" | "box"; size: number } | null;
  dash: number[] | null;
}

export interface LayerConfig {
  id: number;
  name: string;
  /** Null while the file is read for the first time. */
  type: LayerType | null;
  parent: number | null;
  visible: boolean;
  lock: boolean;
  tooltip: string | null;
  use_info_window: boolean;
  status: "ready" | "busy" | "error";
  status_text: string | null;
  /** How much of a busy layer is read, of 100; null where nobody knows. */
  percentage: number | null;
  legend: LegendEntry[];
}

export interface MapConfig {
  map: {
    id: number;
    name: string;
    description: string | null;
    copyright: string | null;
    bounds: Bounds | null;
    can_edit: boolean;
    can_share: boolean;
    resource_id: string;
    public: boolean;
  };
  style_url: string;
  /** The top layer first. */
  layers: LayerConfig[];
  options: {
    toolbar: boolean;
    layerlist: boolean;
    layerlist_expanded: boolean;
    popups: boolean;
    scalebar: boolean;
    search: boolean;
    /** No attribution, no controls at all. */
    noattrib: boolean;
    noctrl: boolean;
    /** No tilt and no turn. */
    no3d: boolean;
    /** The scale that the map begins with is the only one. */
    lockzoom: boolean;
    /** The denominator of the scale to begin with. */
    numscale: number | null;
    visibility: number[] | null;
    bounds: Bounds | null;
    layer_id: number | null;
    feature_id: number | null;
    /** CSS lengths; null is all there is. */
    width: string | null;
    height: string | null;
  };
  /** The features that the page's address names by a value; `feature` is set where it is one alone. */
  selection: { layer: number; feature: number | null; bounds: Bounds } | null;
  /** Sentences on what of the address came to nothing. */
  notices: string[];
}

export interface MapsConfig {
  user: { id: number; username: string };
}

/** The configuration of this page, or of another page's HTML. */
export function readConfig<T>(page: Document = document): T {
  const element = page.getElementById("config");
  if (!element?.textContent) throw new Error("This page carries no configuration.");
  return JSON.parse(element.textContent) as T;
}
