import { type MapConfig, readConfig } from "../config";
import { byId } from "../ui/dom";
import { MapScreen } from "./mapscreen";

const config = readConfig<MapConfig>();
const { width, height } = config.options;
const stage = byId("stage");
if (width) stage.style.width = width;
// Otherwise the map takes what height there is.
if (height) Object.assign(stage.style, { height, flex: "none" });
if (width || height) document.body.style.overflow = "auto";
new MapScreen(config);
