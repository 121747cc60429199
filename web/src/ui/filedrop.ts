/** Files from a button or dropped on the page. */

import { h } from "./dom";
import { icon } from "./icons";

/** A button that opens the file chooser. */
export function fileButton(text: string, onFiles: (files: File[]) => void, kind: "primary" | null = null): HTMLElement {
  const input = h("input", { type: "file", multiple: true, hidden: true });
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length > 0) onFiles(files);
  });
  return h("span", {}, input, h("button", { type: "button", class: kind, onclick: () => input.click() }, icon("upload"), text));
}

/** Let files be dropped anywhere on `area`; it has the class `dropping` meanwhile. */
export function acceptDrops(area: HTMLElement, onFiles: (files: File[]) => void): void {
  const mark = (on: boolean): void => void area.classList.toggle("dropping", on);
  area.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  area.addEventListener("dragleave", (event) => {
    if (!area.contains(event.relatedTarget as Node | null)) mark(false);
  });
  area.addEventListener("drop", (event) => {
    mark(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  });
}
