import "../styles/maps.css";
import { type MapItem, type MapList, PER_PAGE, createMap, deleteMap, listMaps } from "../api/maps";
import { publish, stem } from "../api/publish";
import { type MapsConfig, readConfig } from "../config";
import { mapPage, picture } from "../paths";
import { confirmed, openDialog } from "../ui/dialog";
import { byId, h } from "../ui/dom";
import { acceptDrops, fileButton } from "../ui/filedrop";
import { icon } from "../ui/icons";
import { ProgressBox } from "../ui/progress";

const TYPING_PAUSE_MS = 250;

const { user } = readConfig<MapsConfig>();
const grid = byId("maps");
const status = byId("status");
const pager = byId("pager");
const search = byId<HTMLInputElement>("search");
const progress = new ProgressBox();
let page = 1;
let asked = new AbortController();

async function load(): Promise<void> {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  grid.setAttribute("aria-busy", "true");
  try {
    show(await listMaps(page, search.value.trim(), signal));
  } catch (error) {
    if (signal.aborted) return;
    grid.replaceChildren();
    tell((error as Error).message, "error");
  }
  grid.setAttribute("aria-busy", "false");
}

function tell(text: string, kind = "muted"): void {
  status.className = kind;
  status.textContent = text;
}

function show({ total, data }: MapList): void {
  const query = search.value.trim();
  const empty = query ? `No map is named like “${query}”.` : "You have no maps yet. Make one, or drop a file here.";
  tell(total === 0 ? empty : `${total} ${total === 1 ? "map" : "maps"}`);
  grid.replaceChildren(...data.map(card));
  const pages = Math.ceil(total / PER_PAGE);
  pager.hidden = pages < 2;
  pager.replaceChildren(turn("Previous", -1, page > 1), h("span", {}, `Page ${page} of ${pages}`), turn("Next", 1, page < pages));
}

function turn(text: string, step: number, enabled: boolean): HTMLElement {
  const go = (): void => {
    page += step;
    void load();
    scrollTo({ top: 0 });
  };
  return h("button", { type: "button", disabled: !enabled, onclick: go }, text);
}

function card(map: MapItem): HTMLElement {
  const mine = Number(map.owner.id) === user.id;
  const url = picture(map.id, "png", "width=320&height=200");
  const image = h("img", { loading: "lazy", src: url, alt: "", width: 320, height: 200 });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "no-picture" }, icon("layers"))));
  const when = new Date(map.modified * 1000);
  const changed = h("time", { datetime: when.toISOString() }, when.toLocaleDateString("en-GB", { dateStyle: "medium" }));
  const about = h("p", { class: "muted" }, changed, mine ? null : ` · shared by ${map.owner.username}`);
  const link = h("a", { href: mapPage(map.id) }, h("span", { class: "picture" }, image), h("span", { class: "name" }, map.name));
  return h("li", { class: "card map-card" }, link, h("div", { class: "about" }, about, mine && removeButton(map)));
}

function removeButton(map: MapItem): HTMLElement {
  const remove = async (): Promise<void> => {
    const text = `“${map.name}” and its layers will be deleted. The data they show stays.`;
    if (!(await confirmed("Delete this map?", text, "Delete"))) return;
    try {
      await deleteMap(map.id);
      await load();
    } catch (error) {
      progress.fail([(error as Error).message]);
    }
  };
  return h("button", { type: "button", class: "quiet", "aria-label": `Delete ${map.name}`, title: "Delete", onclick: remove }, icon("trash"));
}

function askName(): void {
  const name = h("input", { type: "text", name: "name", required: true, maxlength: 200, autocomplete: "off", autofocus: true });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  const form = h(
    "form",
    { method: "dialog" },
    h("label", { class: "field" }, h("span", {}, "Name"), name),
    problem,
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Create")),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      location.assign(mapPage((await createMap(name.value.trim())).id));
    } catch (error) {
      problem.textContent = (error as Error).message;
      problem.hidden = false;
    }
  });
  openDialog("New map", form);
}

/** A new map of the files. */
async function mapOf(files: File[]): Promise<void> {
  try {
    const map = await createMap(stem(files[0]!.name));
    const { layers, problems } = await publish(files, map.id, (state) => progress.tell(state)).catch(async (error: Error) => {
      await deleteMap(map.id);
      throw error;
    });
    if (layers.length > 0 && problems.length === 0) return location.assign(mapPage(map.id));
    if (layers.length === 0) await deleteMap(map.id);
    progress.fail(problems);
    await load();
  } catch (error) {
    progress.fail([(error as Error).message]);
  }
}

let typing: ReturnType<typeof setTimeout> | undefined;
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    page = 1;
    void load();
  }, TYPING_PAUSE_MS);
});
byId("new").append(
  fileButton("Upload files", mapOf),
  h("button", { type: "button", class: "primary", onclick: askName }, icon("plus"), "New map"),
);
byId("progress").append(progress.element);
acceptDrops(document.body, mapOf);
void load();
