// Where the views of the desk are.

// "#agents/main/1001?date=2026-11-20"
export function link(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const path = parts.map(encodeURIComponent).join("/");
  return given.length ? `#${path}?${new URLSearchParams(given)}` : `#${path}`;
}

// The view stays and its address changes: for what is filtered and chosen, so that a link shows the same.
export function keepInAddress(parts, query) {
  history.replaceState(null, "", link(parts, query));
}
