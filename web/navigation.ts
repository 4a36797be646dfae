import { parseRoute } from './data/routes.ts';

/** Fired on window when the address has changed, by us or by the browser's buttons. */
export const navigatedEvent = 'sy-navigated';

/** Goes to an address of the console. `replace` where going back should not come through here again. */
export function navigate(href: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace === true) history.replaceState(history.state, '', href);
  else if (href !== location.pathname + location.search) history.pushState(null, '', href);
  window.dispatchEvent(new Event(navigatedEvent));
}

/** Goes to the list with the search ready to be typed into. */
export function goSearching(): void {
  history.pushState({ search: true }, '', '/devices');
  window.dispatchEvent(new Event(navigatedEvent));
}

/** Whether the reader came here to search. */
export function isSearchWanted(): boolean {
  return (history.state as { search?: boolean } | null)?.search === true;
}

/** What the server answers itself is no page of the console. */
function isConsolePath(pathname: string): boolean {
  return parseRoute(pathname, '').name !== 'not-found';
}

/**
 * Follows links inside the console without loading the page anew. Modified clicks, other origins and
 * the API's own pages stay the browser's.
 */
export function followLinks(root: EventTarget): void {
  root.addEventListener('click', (event) => {
    const click = event as MouseEvent;
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
    const link = click.composedPath().find((target) => target instanceof HTMLAnchorElement);
    if (link === undefined || link.target !== '' || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !isConsolePath(link.pathname)) return;
    // A place on the same page is the browser's to find.
    if (link.hash !== '') return;
    click.preventDefault();
    navigate(link.pathname + link.search);
  });
  window.addEventListener('popstate', () => window.dispatchEvent(new Event(navigatedEvent)));
}

/** Whether a key belongs to a field that the reader writes in, or to an open dialog. */
export function isTyping(event: Event): boolean {
  return event
    .composedPath()
    .some((target) => target instanceof HTMLElement && target.matches('input, textarea, select, dialog'));
}
