// What is asked of the API: one thing once at a time, and what came of it as a sentence.

import { Refused, reasonOf } from "../api.js";
import { t } from "../texts.js";

// "change": something is under way, or no longer.
export class Commands extends EventTarget {
  #underWay = new Set();

  constructor(live, outcomes) {
    super();
    Object.assign(this, { live, outcomes });
  }

  isUnderWay(key) {
    return this.#underWay.has(key);
  }

  // Whether anything is under way whose key begins so.
  isAnyUnderWay(beginning) {
    return [...this.#underWay].some((key) => key.startsWith(beginning));
  }

  // Resolves with whether it was done. The API answers when Asterisk has confirmed it.
  async carryOut(key, run, tell) {
    if (this.#underWay.has(key) || !this.live.isUp) return false;
    this.#mark(key, true);
    try {
      this.outcomes.good(tell(await run()));
      return true;
    } catch (error) {
      this.refused(error);
      return false;
    } finally {
      this.#mark(key, false);
    }
  }

  // Says why not. What is no refusal is a fault of this page, and has to be seen as one.
  refused(error) {
    if (!(error instanceof Refused)) throw error;
    const changed = error.code === "precondition-failed";
    this.outcomes.bad(changed ? t("desk.changedMeanwhile") : t("common.failed", { reason: reasonOf(error) }));
  }

  #mark(key, isUnderWay) {
    if (isUnderWay) this.#underWay.add(key);
    else this.#underWay.delete(key);
    this.dispatchEvent(new Event("change"));
  }
}
