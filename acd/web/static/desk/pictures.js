// Parts of a picture that say what they are: under the pointer, and by the arrow keys.

import { say } from "../dom.js";

// One stop for the tab key, whatever the picture holds. `marks`: [{element, text}]; `details`: shows the text of one.
export function explore(picture, marks, details) {
  marks.forEach(({ element, text }, place) => {
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", text);
    element.setAttribute("tabindex", place ? -1 : 0);
    for (const event of ["pointerenter", "focus"]) element.addEventListener(event, () => say(details, text));
  });
  picture.addEventListener("keydown", (event) => {
    const at = marks.findIndex(({ element }) => element === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (at < 0 || !marks[to]) return;
    event.preventDefault();
    marks[at].element.setAttribute("tabindex", -1);
    marks[to].element.setAttribute("tabindex", 0);
    marks[to].element.focus();
  });
}
