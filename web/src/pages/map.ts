import { publish } from "../api/publish";
import { type MapConfig, readConfig } from "../config";
import { byId, h } from "../ui/dom";
import { acceptDrops, fileButton } from "../ui/filedrop";
import { ProgressBox } from "../ui/progress";
import { openSharing } from "../ui/share";
import { MapScreen } from "./mapscreen";

const config = readConfig<MapConfig>();
// On a phone the list would hide the map.
config.options.layerlist_expanded &&= matchMedia("(min-width: 640px)").matches;
const screen = new MapScreen(config);
// The button is there for those who may share.
document.getElementById("share")?.addEventListener("click", () => openSharing(screen.config.map));
if (screen.config.map.can_edit) addUpload();

function addUpload(): void {
  const progress = new ProgressBox();
  let busy = false;
  const add = async (files: File[]): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await addLayers(files, progress);
    } catch (error) {
      progress.fail([(error as Error).message]);
    } finally {
      busy = false;
    }
  };
  const hint = h("p", { class: "muted" }, "Or drop files on the map: shapefile, GeoJSON, GeoPackage, KML, CSV, GeoTIFF …, zipped or not.");
  screen.list?.append(h("div", { class: "upload" }, fileButton("Add a layer from a file", add), hint, progress.element));
  acceptDrops(byId("stage"), add);
}

async function addLayers(files: File[], progress: ProgressBox): Promise<void> {
  const wasEmpty = screen.config.layers.length === 0;
  const { layers, problems } = await publish(files, screen.config.map.id, (state) => progress.tell(state));
  progress.clear();
  if (problems.length > 0) progress.fail(problems);
  if (layers.length === 0) return;
  // An empty map has no extent to keep: the new page finds that of its first layers.
  if (wasEmpty && problems.length === 0) location.reload();
  else await screen.refresh();
}
