import type { MapGeoJSONFeature, StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import { keepHighlight } from "../src/map/highlight";
import { distinct } from "../src/map/hits";
import { columnValue } from "../src/map/hover";
import { absolute, layerId, withVisible } from "../src/map/style";
import { ancestors, drawn, switchedOn } from "../src/map/visibility";

const layers = [
  { id: 1, parent: null, visible: true },
  { id: 2, parent: 1, visible: true },
  { id: 3, parent: 2, visible: false },
  { id: 4, parent: null, visible: false },
  { id: 5, parent: 4, visible: true },
  { id: 6, parent: 99, visible: true },
];

test("a layer is drawn when it and all folders around it are on", () => {
  expect([...drawn(layers, switchedOn(layers, null))]).toEqual([1, 2, 6]);
});

test.each([
  [[3], [1, 2, 3]],
  [[4], [4, 5]],
  [[], []],
])("the layers %j that an address names are on, with the folders around and the layers inside", (only, on) => {
  const shown = switchedOn(layers, only);
  expect([...shown].sort()).toEqual(on);
  expect([...drawn(layers, shown)].sort()).toEqual(on);
});

test("folders in a circle end", () => {
  const circle = [
    { id: 1, parent: 2, visible: true },
    { id: 2, parent: 1, visible: true },
  ];
  expect(ancestors(circle[0]!, circle)).toEqual([2, 1]);
});

const style: StyleSpecification = {
  version: 8,
  sources: {
    own: { type: "vector", tiles: ["/1/layers/7/tiles/{z}/{x}/{y}.mvt?v=2"] },
    other: { type: "raster", tiles: ["https://tile.example/{z}/{x}/{y}.png"] },
  },
  layers: [
    { id: "ground", type: "background" },
    { id: "a", type: "fill", source: "own", "source-layer": "x", metadata: { layer_id: 7 }, layout: { "fill-sort-key": 1 } },
    { id: "b", type: "raster", source: "other", metadata: { layer_id: "8" } },
  ],
};

test("tile addresses become full ones and keep their braces", () => {
  const { sources } = absolute(style, "https://maps.example/map/5?x=1");
  expect(sources["own"]).toMatchObject({ tiles: ["https://maps.example/1/layers/7/tiles/{z}/{x}/{y}.mvt?v=2"] });
  expect(sources["other"]).toEqual(style.sources["other"]);
});

test("style layers follow their map layer, others stay", () => {
  const [ground, a, b] = withVisible(style, new Set([8])).layers;
  expect(ground).toEqual(style.layers[0]);
  expect(a?.layout).toEqual({ "fill-sort-key": 1, visibility: "none" });
  expect(b?.layout).toEqual({ visibility: "visible" });
});

test("style layers without a map layer have no layer id", () => {
  expect(style.layers.map(layerId)).toEqual([null, 7, 8]);
});

test("an outline and its fill are one hit, the topmost first", () => {
  const rendered = (id: number | undefined, layer: number): MapGeoJSONFeature =>
    ({ id, layer: { metadata: { layer_id: layer } } }) as unknown as MapGeoJSONFeature;
  const found = distinct([rendered(3, 7), rendered(3, 7), rendered(3, 8), rendered(undefined, 7), rendered(4, 9)], new Set([7, 8]));
  expect(found.map(({ layer, feature }) => [layer, feature])).toEqual([
    [7, 3],
    [8, 3],
  ]);
});

test.each([
  [{ NAME: "Ghana" }, "name", "Ghana"],
  [{ name: "a", NAME: "b" }, "NAME", "b"],
  [{ n: 0 }, "n", "0"],
  [{ n: "" }, "n", null],
  [{ n: 1 }, "toString", null],
])("the tooltip of %j by column %s", (properties, column, text) => {
  expect(columnValue(properties, column)).toBe(text);
});

test("a selection outlives a new style while its source is there", () => {
  const outline = { id: "graticule-selected-line", type: "line", source: "own", "source-layer": "x" } as const;
  const before: StyleSpecification = { ...style, layers: [...style.layers, outline] };
  expect(keepHighlight(before, style).layers).toEqual(before.layers);
  const without = { ...style, sources: {}, layers: [] };
  expect(keepHighlight(before, without).layers).toEqual([]);
  expect(keepHighlight(undefined, style)).toEqual(style);
});
