// A part of a view, with its name above it.

import { el } from "../dom.js";
import { t } from "../texts.js";

export const section = (name, ...children) =>
  el(
    "section",
    { class: "card part", "aria-label": t(`desk.part.${name}`) },
    el("h3", {}, t(`desk.part.${name}`)),
    ...children,
  );
