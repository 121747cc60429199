import { expect, test } from "vitest";
import { errorText } from "../src/api/http";
import { keyHeaders } from "../src/api/key";
import { dataFiles, stem, uploadFolder } from "../src/api/publish";
import { encodePath } from "../src/api/storage";

const page = { href: "https://maps.example/1/maps/5/render.iframe?api_key=k1", origin: "https://maps.example", search: "?api_key=k1" };

test.each([
  ["/1/maps/5/style.json", { "API-Key": "k1" }],
  ["https://maps.example/1/layers/7/tiles/0/0/0.mvt", { "API-Key": "k1" }],
  ["https://tiles.other.example/0/0/0.png", {}],
  ["https://maps.example.evil.example/1/maps", {}],
  ["http://maps.example/1/maps", {}],
  ["//other.example/1/maps", {}],
])("the key in the page's address goes to our origin only: %s", (url, headers) => {
  expect(keyHeaders(url, page)).toEqual(headers);
});

test("a page without a key sends none", () => {
  expect(keyHeaders("/1/maps.json", { ...page, search: "" })).toEqual({});
});

test.each([
  [404, '{"code":"RESOURCE_NOT_FOUND","msg":"Resource not found","nested":{"msg":"There is no map 5."}}', "There is no map 5."],
  [400, '{"msg":"Bad request","nested":{"msg":"Wrong page.","field":"page","expected":"1 or more"}}', "Wrong page. (expected: 1 or more)"],
  [400, '{"msg":"Bad request","nested":{"msg":"page must be 1 or more.","expected":"1 or more"}}', "page must be 1 or more."],
  [403, '{"msg":"Forbidden"}', "Forbidden"],
  [502, "<html>Bad gateway</html>", "The server answered with error 502."],
  [0, "", "The server cannot be reached."],
])("an error answer is told as a sentence (%i)", (status, body, sentence) => {
  expect(errorText(status, body)).toBe(sentence);
});

test("a layer is made of each data file, of nothing else", () => {
  const stored = ["u/roads.shp", "u/roads.dbf", "u/roads.PRJ", "u/README.txt", "u/__MACOSX/._roads.shp", "u/.hidden.csv", "u/a.b.GeoJSON"];
  expect(dataFiles(stored)).toEqual(["u/roads.shp", "u/a.b.GeoJSON"]);
});

test("a layer is named after its file", () => {
  expect(stem("/uploads/2026/ne.110m lakes.shp")).toBe("ne.110m lakes");
});

test("uploads have folders of their own", () => {
  expect(uploadFolder(new Date("2026-03-01T09:05:07.123Z"))).toBe("uploads/2026-03-01_090507123");
});

test("paths are encoded part by part", () => {
  expect(encodePath("my files/50% ü?.csv")).toBe("my%20files/50%25%20%C3%BC%3F.csv");
});
