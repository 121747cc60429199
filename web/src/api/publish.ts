/** From files on a person's disk to layers on a map. */

import { createFileLayer } from "./layers";
import { listFiles, removeFolder, upload } from "./storage";

const DATA = new Set(
  "shp geojson json geojsonl gpkg kml kmz gpx csv tsv xlsx ods tab mif fgb gml dxf sqlite parquet tif tiff jpg jpeg png".split(" "),
);

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

export const stem = (path: string): string => base(path).replace(/\.[^.]+$/, "");

const suffix = (path: string): string => base(path).split(".").slice(1).pop()?.toLowerCase() ?? "";

/** Those of `paths` that make a layer each; the rest goes with them (`.dbf`, `.prj`), or is no data (`README`). */
export function dataFiles(paths: string[]): string[] {
  return paths.filter((path) => DATA.has(suffix(path)) && !/(^|\/)(__MACOSX\/|\.)/.test(path));
}

/** A folder of its own for each upload, so that a second file of the same name replaces nothing. */
export function uploadFolder(now: Date): string {
  const [day, time] = now.toISOString().split("T") as [string, string];
  return `uploads/${day}_${time.slice(0, 12).replace(/[:.]/g, "")}`;
}

export interface Progress {
  text: string;
  /** 0 to 1, or null while nobody knows. */
  part: number | null;
}

/** What came of an upload: the names of the layers made, and a sentence for each file that made none. */
export interface Outcome {
  layers: string[];
  problems: string[];
}

/** Upload `files` and make a layer of each data file among them. */
export async function publish(files: File[], map: number | string, tell: (progress: Progress) => void): Promise<Outcome> {
  const folder = uploadFolder(new Date());
  const label = files.length === 1 ? files[0]!.name : `${files.length} files`;
  tell({ text: `Uploading ${label}`, part: 0 });
  await upload(folder, files, (part) => tell({ text: `Uploading ${label}`, part }));
  const outcome = await makeLayers(await chooseFiles(folder), map, tell);
  if (outcome.layers.length === 0) await removeFolder(folder);
  return outcome;
}

/** What nobody knows is for the server to judge, and to say what is wrong with it. */
async function chooseFiles(folder: string): Promise<string[]> {
  const stored = await listFiles(folder);
  const known = dataFiles(stored);
  return known.length > 0 ? known : stored.slice(0, 1);
}

async function makeLayers(paths: string[], map: number | string, tell: (progress: Progress) => void): Promise<Outcome> {
  const outcome: Outcome = { layers: [], problems: [] };
  for (const path of paths) {
    tell({ text: `Reading ${base(path)}`, part: null });
    try {
      await createFileLayer(map, stem(path), `/${path}`);
      outcome.layers.push(stem(path));
    } catch (error) {
      outcome.problems.push(`${base(path)}: ${(error as Error).message}`);
    }
  }
  return outcome;
}
