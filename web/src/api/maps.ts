import { call } from "./http";

export interface MapItem {
  id: string;
  name: string;
  /** Seconds since 1970. */
  modified: number;
  owner: { id: string | number; username: string };
}

export interface MapList {
  total: number;
  page: number;
  data: MapItem[];
}

export const PER_PAGE = 24;

/** One page of the maps that are mine or shared with me, the last changed first. */
export function listMaps(page: number, query: string, signal: AbortSignal): Promise<MapList> {
  const parameters = new URLSearchParams({
    type: "private,shared",
    order_by: "modified:desc",
    expand: "owner",
    perpage: String(PER_PAGE),
    page: String(page),
  });
  if (query) parameters.set("query", query);
  return call("GET", `/1/maps.json?${parameters}`, undefined, signal);
}

export const createMap = (name: string): Promise<MapItem> => call("POST", "/1/maps.json", { name });

export const deleteMap = (id: string): Promise<unknown> => call("DELETE", `/1/maps/${id}.json`);
