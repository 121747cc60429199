/** Buttons on the map. */

import { h } from "./dom";
import { type IconName, icon } from "./icons";

export interface Tool {
  name: IconName;
  label: string;
  /** Answers whether the tool is switched on now, for tools that stay on. */
  press: () => boolean | void;
  /** Set for tools that stay on: whether it is on at first. */
  on?: boolean;
}

export function toolbar(tools: readonly Tool[]): HTMLElement {
  return h("div", { class: "toolbar card", role: "toolbar", "aria-label": "Map tools", "aria-orientation": "vertical" }, ...tools.map(button));
}

function button(tool: Tool): HTMLElement {
  const pressed = tool.on === undefined ? null : String(tool.on);
  const element = h(
    "button",
    { type: "button", class: "tool", "data-tool": tool.name, title: tool.label, "aria-label": tool.label, "aria-pressed": pressed },
    icon(tool.name),
  );
  element.addEventListener("click", () => {
    const on = tool.press();
    if (typeof on === "boolean") element.setAttribute("aria-pressed", String(on));
  });
  return element;
}
