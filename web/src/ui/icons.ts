/** Icons drawn as strokes in a 24 by 24 box, in the colour of the text. */

import { svg } from "./dom";

const PATHS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  extent: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  info: "M12 11v6M12 7.5v.5M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18",
  layers: "M12 3l9 5-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
  folder: "M3 6h6l2 2.5h10V19H3z",
  chevron: "M9 6l6 6-6 6",
  previous: "M15 6l-6 6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  share: "M12 15V3M7.5 7.5L12 3l4.5 4.5M5 12v8h14v-8",
  upload: "M12 16V5M7.5 9.5L12 5l4.5 4.5M4 19h16",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  raster: "M4 4h16v16H4zM4 12h16M12 4v16",
  tile: "M4 6l5.5-2 5 2L20 4v14l-5.5 2-5-2L4 20zM9.5 4v14M14.5 6v14",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGElement {
  const path = svg("path", { d: PATHS[name] });
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, path);
}
