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

// What a <select> offers, where that is something else than before.
export function offer(select, values, chosen, textOf = (value) => value) {
  const { options } = select;
  if (options.length === values.length && values.every((value, place) => options[place].value === value)) return;
  select.replaceChildren(...values.map((value) => el("option", { value, selected: value === chosen }, textOf(value))));
}

// A list of things that come, go and move. `make(item)` gives {element, update(item)}. What keeps its place among the
// others is not touched: a moved element loses the focus and costs a layout.
export class List {
  #parts = new Map();
  #order = new Map(); // key -> place, as it is shown

  constructor(parent, key, make) {
    Object.assign(this, { parent, key, make });
  }

  show(items) {
    const keys = items.map((item) => this.key(item));
    this.#drop(new Set(keys));
    const staying = increasing(keys, this.#order);
    let place = this.parent.firstElementChild;
    items.forEach((item, number) => {
      const { element } = this.#updated(keys[number], item);
      if (staying.has(keys[number]) || element === place) place = element.nextElementSibling;
      else this.parent.insertBefore(element, place);
    });
    this.#order = new Map(keys.map((key, number) => [key, number]));
  }

  get(key) {
    return this.#parts.get(key);
  }

  parts() {
    return this.#parts.values();
  }

  #drop(wanted) {
    for (const [key, part] of this.#parts) {
      if (wanted.has(key)) continue;
      part.element.remove();
      this.#parts.delete(key);
    }
  }

  #updated(key, item) {
    if (!this.#parts.has(key)) this.#parts.set(key, this.make(item));
    const part = this.#parts.get(key);
    part.update(item);
    return part;
  }
}

// The most of these keys that stand in the same order as before.
function increasing(keys, order) {
  const ends = []; // of the chains found, by length: the key whose place before is the lowest
  const before = new Map();
  for (const key of keys) {
    const was = order.get(key);
    if (was === undefined) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order.get(ends[middle]) < was) low = middle + 1;
      else high = middle;
    }
    before.set(key, ends[low - 1]);
    ends[low] = key;
  }
  const chain = new Set();
  for (let key = ends.at(-1); key !== undefined; key = before.get(key)) chain.add(key);
  return chain;
}
