/** Modal dialogs, by the browser's own element: Escape closes them and the focus returns. */

import { type Child, h } from "./dom";
import { icon } from "./icons";

export function openDialog(title: string, ...content: Child[]): HTMLDialogElement {
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h("header", {}, h("h2", { id: "dialog-title" }, title), close),
    ...content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask before something that cannot be undone. */
export function confirmed(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const yes = h("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, action);
    const no = h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel");
    const dialog = openDialog(title, h("p", {}, text), h("div", { class: "actions" }, no, yes));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}
