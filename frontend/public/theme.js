// Runs before the first paint, so that a dark page never flashes white. Kept apart from the app: it may not wait.
(() => {
  let theme = 'system';
  try {
    theme = JSON.parse(localStorage.getItem('sre-copilot.prefs') || '{}').theme || 'system';
  } catch {
    // No storage, or damaged: follow the system.
  }
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
