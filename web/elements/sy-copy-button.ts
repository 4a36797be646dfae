import { css, html, LitElement } from 'lit';
import { announce } from '../announce.ts';
import { base, controls } from '../styles/shared.ts';

/** Copies `text`. Without the clipboard (a page that is not served securely) it says what to do instead. */
export class CopyButton extends LitElement {
  static override properties = {
    text: { type: String },
    what: { type: String },
    label: { type: String },
    outcome: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: inline-block;
      }
      button {
        min-width: 72px;
      }
    `,
  ];

  declare text: string;
  /** Named to screen readers: `Copy the command`. */
  declare what: string;
  declare label: string;
  declare outcome: 'copied' | 'refused' | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = '';
    this.what = 'text';
    this.label = 'Copy';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override render() {
    const label =
      this.outcome === 'copied' ? 'Copied' : this.outcome === 'refused' ? 'Select and copy it' : this.label;
    return html`<button class="small" aria-label=${`${label}: ${this.what}`} @click=${this.#copy}>
      ${label}
    </button>`;
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.text);
      this.outcome = 'copied';
      announce('Copied');
    } catch {
      // No clipboard here, or the reader forbade it: both are told, not hidden.
      this.outcome = 'refused';
      announce('The browser does not allow copying; select the text and copy it');
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.outcome = undefined;
    }, 2500);
  }
}

customElements.define('sy-copy-button', CopyButton);
