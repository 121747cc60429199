import { publish } from "../api/publish";
import { type MapConfig, readConfig } from "../config";
import { byId, h } from "../ui/dom";
import { acceptDrops, fileButton } from "../ui/filedrop";
import { icon } from "../ui/icons";
import { ProgressBox } from "../ui/progress";
import { openSharing } from "../ui/share";
import { MapScreen } from "./mapscreen";

const FORMATS = "shapefile, GeoJSON, GeoPackage, KML, GPX, CSV, GeoTIFF …, zipped or not";

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
  const hint = h("p", { class: "muted" }, `Or drop files on the map: ${FORMATS}.`);
  screen.list?.append(h("div", { class: "upload" }, fileButton("Add a layer from a file", add), hint, progress.element));
  acceptDrops(byId("stage"), add);
  if (screen.config.layers.length === 0) welcome(add);
}

/** What to do next, on a map that has nothing on it. */
function welcome(add: (files: File[]) => void): void {
  byId("stage").append(
    h(
      "section",
      { id: "welcome", class: "card", "aria-labelledby": "welcome-title" },
      icon("layers"),
      h("h2", { id: "welcome-title" }, "Your map is ready for its first layer"),
      h("p", {}, `Choose a file from your computer, or drop it here: ${FORMATS}.`),
      fileButton("Choose files", add, "primary"),
      h("p", { class: "muted" }, "Files that belong together, such as .shp, .dbf and .prj, are chosen together or sent as a zip."),
    ),
  );
}

async function addLayers(files: File[], progress: ProgressBox): Promise<void> {
  const wasEmpty = screen.config.layers.length === 0;
  const { layers, problems } = await publish(files, screen.config.map.id, (state) => progress.tell(state));
  progress.clear();
  if (problems.length > 0) progress.fail(problems);
  if (layers.length === 0) return;
  document.getElementById("welcome")?.remove();
  // An empty map has no extent to keep: the new page finds that of its first layers.
  if (wasEmpty && problems.length === 0) location.reload();
  else await screen.refresh();
}
