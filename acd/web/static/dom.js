// Elements, made and kept up to date. No text ever becomes markup.

// el("button", {class: "big", disabled: true, on: {click}}, "Ready"): null and false leave an attribute or child out.
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) set(element, name, value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Sets an attribute where it is another one; null and false take it away.
export function set(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

// Sets a text where it is another one: what does not change costs no layout, and a screen reader does not say it again.
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// A list of things that come, go and move. `make(item)` gives {element, update(item)}.
export class List {
  #parts = new Map();

  constructor(parent, key, make) {
    Object.assign(this, { parent, key, make });
  }

  show(items) {
    const left = new Set(this.#parts.keys());
    let place = this.parent.firstElementChild;
    for (const item of items) {
      const part = this.#part(item);
      left.delete(this.key(item));
      part.update(item);
      if (part.element === place) place = place.nextElementSibling;
      else this.parent.insertBefore(part.element, place);
    }
    for (const key of left) {
      this.#parts.get(key).element.remove();
      this.#parts.delete(key);
    }
  }

  get(key) {
    return this.#parts.get(key);
  }

  parts() {
    return this.#parts.values();
  }

  #part(item) {
    const key = this.key(item);
    if (!this.#parts.has(key)) this.#parts.set(key, this.make(item));
    return this.#parts.get(key);
  }
}
