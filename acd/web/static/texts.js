// The words of the pages, in the language of whoever reads them. All of them stand in texts/.

import { texts as de } from "./texts/de.js";
import { texts as en } from "./texts/en.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };
const ALL = { en, de };
const KEPT = "acd-language";

export const language = chosen();
const plurals = new Intl.PluralRules(language);
document.documentElement.lang = language;

function chosen() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages.map((each) => each.slice(0, 2))];
  return wanted.find((each) => each in ALL) ?? "en";
}

// The page is loaded again, so that no word of the other language stays.
export function choose(name) {
  localStorage.setItem(KEPT, name);
  location.reload();
}

// The text at "section.name" with its {places} filled in. Of a text with `one` and `other`, `count` picks one.
export function t(key, values = {}) {
  const found = at(key);
  if (found === undefined) {
    console.error(`no text ${key} in ${language}`);
    return key;
  }
  const text = typeof found === "string" ? found : found[plurals.select(values.count)] ?? found.other;
  return text.replace(/{(\w+)}/g, (_, name) => values[name]);
}

// Whether there is such a text: what a newer acd sends may have none yet.
export function has(key) {
  return at(key) !== undefined;
}

// A part of a key may be what somebody typed: "constructor" is no text.
function at(key) {
  const within = (part, name) => (typeof part === "object" && Object.hasOwn(part, name) ? part[name] : undefined);
  return key.split(".").reduce(within, ALL[language]);
}
