import { css, html, LitElement, svg } from 'lit';
import { announce } from '../announce.ts';
import { base, controls } from '../styles/shared.ts';

const drawings = {
  idle: svg`<path d="M5.5 5.5h8v8h-8z"/><path d="M10.5 5.5v-3h-8v8h3"/>`,
  copied: svg`<path d="m3 8.5 3.5 3.5L13 4.5"/>`,
  refused: svg`<path d="m4 4 8 8M12 4l-8 8"/>`,
} as const;

/** Copies `text`. Without the clipboard (a page that is not served securely) it says what to do instead. */
export class CopyButton extends LitElement {
  static override properties = {
    text: { type: String },
    what: { type: String },
    label: { type: String },
    compact: { type: Boolean },
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
      button.icon {
        min-width: 0;
        width: 24px;
        min-height: 24px;
        padding: 0;
      }
      svg {
        width: 14px;
        height: 14px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.4;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .copied {
        color: var(--sy-good);
      }
      .refused {
        color: var(--sy-bad);
      }
    `,
  ];

  declare text: string;
  /** Named to screen readers: `Copy the command`. */
  declare what: string;
  declare label: string;
  /** An icon alone. */
  declare compact: boolean;
  declare outcome: 'copied' | 'refused' | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.text = '';
    this.what = 'text';
    this.label = 'Copy';
    this.compact = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override render() {
    const label =
      this.outcome === 'copied' ? 'Copied' : this.outcome === 'refused' ? 'Select and copy it' : this.label;
    if (this.compact) {
      const { outcome } = this;
      return html`<button
        class="bare icon ${outcome ?? ''}"
        aria-label=${`${label}: ${this.what}`}
        title=${outcome === undefined ? `Copy ${this.what}` : label}
        @click=${this.#copy}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">${drawings[outcome ?? 'idle']}</svg>
      </button>`;
    }
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
