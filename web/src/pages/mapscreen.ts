/** The map with all that lies on it, as the map page and the embedded map both show it. */

import { readFeature } from "../api/layers";
import { boundsOf } from "../api/search";
import { type Bounds, type MapConfig, readConfig } from "../config";
import { highlight } from "../map/highlight";
import { watchPointer } from "../map/hover";
import { Popups, type Subject } from "../map/popups";
import { watchTrouble } from "../map/trouble";
import { MapView, mercatorBounds } from "../map/view";
import { drawn, switchedOn } from "../map/visibility";
import { byId } from "../ui/dom";
import { LayerList } from "../ui/layerlist";
import { notify } from "../ui/notice";
import { SearchBox } from "../ui/searchbox";
import { type Tool, toolbar } from "../ui/toolbar";
// After the styles that MapLibre brings, which it overrules.
import "../styles/map.css";

const BUSY_POLL_MS = 2000;

export class MapScreen {
  readonly view: MapView;
  readonly popups: Popups;
  readonly list: LayerList | null;
  config: MapConfig;
  private on: Set<number>;
  private poll: ReturnType<typeof setTimeout> | undefined;

  constructor(config: MapConfig) {
    this.config = config;
    this.on = switchedOn(config.layers, config.options.visibility);
    const stage = byId("stage");
    this.view = new MapView(byId("map"), config, this.drawn());
    this.popups = new Popups(this.view.map, () => this.config.layers);
    this.popups.enabled = config.options.popups;
    const { noctrl, layerlist } = config.options;
    this.list = layerlist && !noctrl ? this.makeList() : null;
    if (!noctrl) stage.append(...this.controls());
    watchTrouble(this.view.map, () => this.config.layers);
    watchPointer(this.view.map, () => this.config.layers, () => this.popups.clickable());
    this.view.load(config.style_url);
    this.pollWhileBusy();
    void this.selectAsked();
    config.notices.forEach((text, index) => notify(`asked-${index}`, text, "warning"));
  }

  /** Take over what the server now says of this map: new layers, new states, a new style. */
  async refresh(): Promise<void> {
    this.take(await this.ask());
  }

  private async ask(): Promise<MapConfig> {
    const response = await fetch(location.href);
    if (!response.ok) throw new Error(`The server answered with error ${response.status}.`);
    return readConfig<MapConfig>(new DOMParser().parseFromString(await response.text(), "text/html"));
  }

  private take(config: MapConfig): void {
    const known = new Set(this.config.layers.map((layer) => layer.id));
    for (const layer of config.layers) if (!known.has(layer.id) && layer.visible) this.on.add(layer.id);
    this.config = config;
    this.list?.update(config.layers, this.on);
    this.view.show(this.drawn());
    this.view.load(config.style_url);
    this.pollWhileBusy();
  }

  private drawn(): Set<number> {
    return drawn(this.config.layers, this.on);
  }

  private controls(): HTMLElement[] {
    const { options } = this.config;
    const controls = this.list ? [this.list.element] : [];
    if (options.search) controls.push(this.searchBox());
    if (options.toolbar) controls.push(toolbar(this.tools()));
    return controls;
  }

  private searchBox(): HTMLElement {
    const box = new SearchBox(
      () => this.config.layers,
      ({ layer, feature, bounds }) => {
        if (bounds === null) return notify("selection", "This feature has no place on the map.", "warning");
        this.view.fit(mercatorBounds(bounds));
        this.select({ layer, feature }, bounds);
      },
    );
    return box.element;
  }

  private makeList(): LayerList {
    const list = new LayerList({
      expanded: this.config.options.layerlist_expanded,
      onChange: (on) => {
        this.on = on;
        this.view.show(this.drawn());
      },
    });
    list.update(this.config.layers, this.on);
    return list;
  }

  private tools(): Tool[] {
    const { map } = this.view;
    const zooming: Tool[] = [
      { name: "plus", label: "Zoom in", press: () => void map.zoomIn() },
      { name: "minus", label: "Zoom out", press: () => void map.zoomOut() },
    ];
    const extent: Tool = { name: "extent", label: "Full extent", press: () => this.view.fit(this.view.home) };
    const tools = this.config.options.lockzoom ? [extent] : [...zooming, extent];
    if (!this.config.options.popups) return tools;
    const info: Tool = { name: "info", label: "Show attributes on click", on: true, press: () => this.toggleInfo() };
    return [...tools, info];
  }

  private toggleInfo(): boolean {
    this.popups.enabled = !this.popups.enabled;
    if (!this.popups.enabled) this.popups.close();
    return this.popups.enabled;
  }

  private pollWhileBusy(): void {
    clearTimeout(this.poll);
    if (!this.config.layers.some((layer) => layer.status === "busy")) return;
    this.poll = setTimeout(() => void this.lookAgain(), BUSY_POLL_MS);
  }

  /** Take over what changed; where that is only how far things are, the list stays, with the focus that may be in it. */
  private async lookAgain(): Promise<void> {
    try {
      const config = await this.ask();
      if (standing(config) !== standing(this.config)) return this.take(config);
      this.list?.tell(config.layers);
    } catch (error) {
      console.warn(error);
    }
    this.pollWhileBusy();
  }

  /** Be where the feature is that the page's address names by its number, or those that it names by a value. */
  private async selectAsked(): Promise<void> {
    const { layer_id: layer, feature_id: id } = this.config.options;
    if (layer === null || id === null) return this.selectByValue();
    try {
      const bounds = boundsOf(await readFeature(layer, id));
      if (bounds === null) return;
      this.view.begin(mercatorBounds(bounds));
      this.select({ layer, feature: id }, bounds);
    } catch (error) {
      notify("selection", `The feature could not be shown: ${(error as Error).message}`, "warning");
    }
  }

  private selectByValue(): void {
    const { selection } = this.config;
    if (selection === null || selection.feature === null) return;
    this.select({ layer: selection.layer, feature: selection.feature }, selection.bounds);
  }

  /** Outline a feature, and show what it is where pop-ups are on. */
  private select(subject: Subject, [west, south, east, north]: Bounds): void {
    this.popups.close();
    this.view.whenDrawn(() => {
      if (this.config.options.popups) this.popups.open([subject], [(west + east) / 2, (south + north) / 2]);
      else highlight(this.view.map, subject.layer, subject.feature);
    });
  }
}

/** All of the layers but how far they are. */
function standing(config: MapConfig): string {
  return JSON.stringify(config.layers.map((layer) => ({ ...layer, percentage: null })));
}
