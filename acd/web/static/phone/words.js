// The phone's words, in the language of the page.

import { texts as de } from "/static/texts/phone.de.js";
import { texts as en } from "/static/texts/phone.en.js";

/** The text at "section.name", with its {places} filled in. */
export function t(key, values = {}) {
  const texts = document.documentElement.lang.startsWith("de") ? de : en;
  const found = key.split(".").reduce((part, name) => part?.[name], texts) ?? key;
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}
