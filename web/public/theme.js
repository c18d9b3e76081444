// Sets the theme before the first paint, so that a dark room is not lit by a white flash. Kept out of index.html for a strict CSP.
(() => {
  let stored;
  try {
    stored = localStorage.getItem('fluoroscope.theme');
  } catch {
    // Storage may be forbidden; the system's preference decides then.
  }
  const dark = stored ? stored === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
