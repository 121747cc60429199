import { type MapConfig, readConfig } from "../config";
import { MapScreen } from "./mapscreen";

new MapScreen(readConfig<MapConfig>());
