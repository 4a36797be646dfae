/** Fired on window with words that a screen reader should say. */
export const announcedEvent = 'sy-announced';

export function announce(text: string): void {
  window.dispatchEvent(new CustomEvent<string>(announcedEvent, { detail: text }));
}
