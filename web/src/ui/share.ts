/** The sharing dialog: open to everyone or not, code to embed the map, links to its picture. */

import { setPublic } from "../api/sharing";
import type { MapConfig } from "../config";
import { picture } from "../paths";
import { openDialog } from "./dialog";
import { h } from "./dom";

/** The HTML that shows a map within another page. */
export function embedCode(origin: string, { id, name }: { id: number; name: string }): string {
  const source = origin + picture(id, "iframe", "toolbar=true&layerlist=true&popups=true&scalebar=true");
  const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  return `<iframe src="${escape(source)}" title="${escape(name)}" width="100%" height="480" style="border:0" allowfullscreen></iframe>`;
}

export function openSharing(map: MapConfig["map"]): void {
  openDialog(
    "Share this map",
    map.can_share && publicSwitch(map),
    h("h3", {}, "Embed in a web page"),
    copyable("Embed code", embedCode(location.origin, map)),
    h("h3", {}, "As a picture"),
    pictureRow(map.id, "png"),
    pictureRow(map.id, "jpg"),
    h("p", { class: "muted" }, "Links work for everyone while the map is public, else for those who are signed in and may see it."),
  );
}

function publicSwitch(map: MapConfig["map"]): HTMLElement {
  const box = h("input", { type: "checkbox", role: "switch", checked: map.public });
  const problem = h("p", { class: "error", role: "alert", hidden: true });
  box.addEventListener("change", async () => {
    box.disabled = true;
    problem.hidden = true;
    try {
      await setPublic(map.resource_id, box.checked);
      map.public = box.checked;
    } catch (error) {
      box.checked = map.public;
      problem.textContent = (error as Error).message;
      problem.hidden = false;
    } finally {
      box.disabled = false;
    }
  });
  return h("div", {}, h("label", { class: "switch" }, box, h("span", {}, "Public: everyone may see this map without signing in")), problem);
}

function pictureRow(id: number, format: "png" | "jpg"): HTMLElement {
  const url = location.origin + picture(id, format, "width=1024&height=768");
  return copyable(`${format.toUpperCase()} picture`, url, h("a", { href: url, target: "_blank", rel: "noopener" }, format.toUpperCase()));
}

function copyable(label: string, text: string, before: HTMLElement | null = null): HTMLElement {
  const field = h("input", { type: "text", readonly: true, "aria-label": label, value: text, onfocus: () => field.select() });
  const button = h("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    field.select();
    // Without TLS a browser offers no clipboard; the text is selected for the person to copy.
    await navigator.clipboard?.writeText(text);
    button.textContent = navigator.clipboard ? "Copied" : "Press Ctrl+C";
  });
  return h("div", { class: "copyable" }, before, field, button);
}
