/** Addresses of pages and pictures, all on our own origin. */

export const mapPage = (id: number | string): string => `/map/${id}`;
export const picture = (id: number | string, format: "png" | "jpg" | "iframe", query: string): string =>
  `/1/maps/${id}/render.${format}?${query}`;
