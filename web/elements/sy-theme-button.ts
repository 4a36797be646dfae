import { css, html, LitElement, svg } from 'lit';
import { announce } from '../announce.ts';
import { base, controls } from '../styles/shared.ts';
import { chooseTheme, chosenTheme, type Theme } from '../theme.ts';

const following: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const drawings: Readonly<Record<Theme, unknown>> = {
  system: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor"/>`,
  light: svg`<circle cx="8" cy="8" r="3.5" fill="currentColor"/><path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6 13 13M3 13l1.4-1.4M11.6 4.4 13 3" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>`,
  dark: svg`<path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z" fill="currentColor"/>`,
};

/** Goes through the themes: as the system wishes, light, dark. */
export class ThemeButton extends LitElement {
  static override styles = [
    base,
    controls,
    css`
      button {
        width: 32px;
        padding: 0;
      }
      svg {
        width: 16px;
        height: 16px;
      }
    `,
  ];

  override render() {
    const theme = chosenTheme();
    const label = `Theme: ${theme}. Change to ${following[theme]}`;
    return html`<button class="bare" aria-label=${label} title=${label} @click=${this.#change}>
      <svg viewBox="0 0 16 16" aria-hidden="true">${drawings[theme]}</svg>
    </button>`;
  }

  #change(): void {
    const theme = following[chosenTheme()];
    chooseTheme(theme);
    announce(`Theme: ${theme}`);
    this.requestUpdate();
  }
}

customElements.define('sy-theme-button', ThemeButton);
