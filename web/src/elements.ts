/** Elements of the page, by their id. */

/** Return the element of an id and a kind; throws where the page has none. */
export function get<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} of id ${id}`);
  return found;
}

/** Set the text of an element. */
export function write(id: string, text: string): void {
  get(id, HTMLElement).textContent = text;
}
