// A page of which a part did not come, because the network changed or acd was just starting, is loaded again: nobody
// stands before a screen on a wall to do it. No module, so that it is there when a module is not.

addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLScriptElement) setTimeout(() => location.reload(), 1_000);
  },
  true,
);
