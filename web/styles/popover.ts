import { css } from 'lit';

/** Of what opens beside its button: native popovers, placed by `placeBeside`. */
export const popovers = css`
  [popover] {
    position: fixed;
    inset: auto;
    width: min(288px, calc(100vw - 16px));
    max-height: min(420px, calc(100vh - 32px));
    margin: 0;
    padding: 8px;
    overflow: auto;
    border: 1px solid var(--sy-rule);
    border-radius: 8px;
    background: var(--sy-raised);
    color: var(--sy-text);
    box-shadow: 0 8px 32px var(--sy-shadow);
  }
`;

/** Puts an open popover under its button, or above it where there is more room, within the window. */
export function placeBeside(popover: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = Math.max(8, Math.min(at.left, window.innerWidth - width - 8));
  const below = at.bottom + 4;
  const fits = below + height + 8 <= window.innerHeight || at.top < window.innerHeight / 2;
  const top = fits ? below : Math.max(8, at.top - height - 4);
  popover.style.left = `${left}px`;
  popover.style.top = `${top}px`;
}
