// Requests to the API.

import { t } from "./texts.js";

const WITHIN = 20_000; // milliseconds for an answer; what Asterisk has to confirm takes some seconds at most

// The API said no, or nothing. `status` 0: no answer came. `code`: as docs/api.md lists them.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `${status}`);
    this.name = "Refused";
    Object.assign(this, { status, code: problem.code ?? "", errors: problem.errors ?? [] });
  }
}

// The body of the answer; null where there is none. Throws Refused.
export const ask = async (method, path, body, options) => (await answered(method, path, body, options)).content;

// What is at a path, and its ETag, by which a change is meant for just that. Throws Refused.
export async function tagged(path) {
  const { content, answer } = await answered("GET", path);
  return { content, mark: answer.headers.get("ETag") };
}

async function answered(method, path, body, { headers = {}, within = WITHIN } = {}) {
  const options = { method, headers: { Accept: "application/json", ...headers }, signal: AbortSignal.timeout(within) };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    throw new Refused(0, { code: "no-answer", detail: error.message });
  }
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  const content = json ? await answer.json() : null;
  if (!answer.ok) throw new Refused(answer.status, content ?? { title: answer.statusText });
  return { content, answer };
}

export const get = (path, query = {}) => ask("GET", withQuery(path, query));

// Done once, however often it is sent: who presses twice, or whose line breaks, does nothing twice.
export const command = (method, path, body) =>
  ask(method, path, body, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) } });

export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

// handlerPath("main", "agents", "PJSIP/1"): each part is one, whatever it holds.
export const handlerPath = (handler, ...parts) =>
  ["/api/v1/handlers", ...[handler, ...parts].map(encodeURIComponent)].join("/");

// Every page of a list.
export async function all(path, query = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(path, { ...query, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return items;
}

// Why something was refused, for people.
export function reasonOf(error) {
  if (error.status === 0) return t("common.noAnswer");
  const fields = (error.errors ?? []).map((each) => `${each.loc.slice(1).join(".")}: ${each.msg}`);
  return fields.length ? fields.join("; ") : error.message;
}
