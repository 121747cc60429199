/** Elements in one call. Text is always text: nothing here reads HTML. */

type Property = string | number | boolean | null | undefined | ((event: never) => void);
export type Child = Node | string | null | false;

/** An element; a function property listens to the event that its name says after `on`, `false` and null are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Record<string, Property> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setProperties(element, properties);
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** An SVG element. */
export function svg(tag: string, properties: Record<string, Property>, ...children: Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setProperties(element, properties);
  element.append(...children);
  return element;
}

function setProperties(element: Element, properties: Record<string, Property>): void {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/** The element with this id, which the page's template must hold. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element "${id}".`);
  return element as T;
}
