import { css, html, LitElement } from 'lit';
import { base, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';

/** A secret that was made just now, and that nobody is shown again. Fires `kept`. */
export class ShownOnce extends LitElement {
  static override properties = {
    heading: { type: String },
    secret: { type: String },
    what: { type: String },
  };

  static override styles = [
    base,
    controls,
    css`
      section {
        display: grid;
        gap: 8px;
        padding: 12px 16px;
        border-left: 3px solid var(--sy-accent);
        background: var(--sy-accent-weak);
      }
      .secret {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      code {
        font-family: var(--sy-mono);
        overflow-wrap: anywhere;
        user-select: all;
      }
      button {
        justify-self: start;
      }
    `,
  ];

  declare heading: string;
  declare secret: string;
  /** What is to be done with it. */
  declare what: string;

  constructor() {
    super();
    this.heading = '';
    this.secret = '';
    this.what = '';
  }

  override render() {
    return html`<section aria-label=${this.heading}>
      <strong>${this.heading}</strong>
      <div class="secret"><code>${this.secret}</code><sy-copy-button .text=${this.secret}></sy-copy-button></div>
      <span>${this.what} It is not shown again.</span>
      <button @click=${() => this.dispatchEvent(new Event('kept'))}>I have kept it</button>
    </section>`;
  }
}

customElements.define('sy-shown-once', ShownOnce);
