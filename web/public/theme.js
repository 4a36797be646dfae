// Before the first paint, so that a remembered theme does not flash the other one.
// A file of its own and not in the page: the content policy allows no inline script.
try {
  const theme = localStorage.getItem('simyard.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
