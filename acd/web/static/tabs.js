// Who is signed in is the same in all tabs of a browser.

const KEY = "acd-signed";

// Somebody signed in or out here.
export const changed = () => localStorage.setItem(KEY, String(Date.now()));

// Somebody signed in or out in another tab.
export function whenChanged(then) {
  addEventListener("storage", ({ key }) => key === KEY && then());
}
