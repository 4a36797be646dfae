export type Theme = 'system' | 'light' | 'dark';

const key = 'simyard.theme';

/** Fired on window when another theme was chosen; what draws on a canvas must draw anew. */
export const themedEvent = 'sy-themed';

export function chosenTheme(): Theme {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

/** Chooses and remembers. public/theme.js reads it at the next load. */
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, theme);
  } catch {
    // Storage is blocked: the choice holds until the page is left.
  }
  window.dispatchEvent(new Event(themedEvent));
}
