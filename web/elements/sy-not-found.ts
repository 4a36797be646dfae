import { css, html, LitElement } from 'lit';
import { base } from '../styles/shared.ts';

/** There is nothing at this address. */
export class NotFound extends LitElement {
  static override properties = {
    what: { type: String },
    heading: { type: String },
  };

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        justify-items: center;
        gap: 8px;
        padding: 96px 24px;
        text-align: center;
      }
      h1 {
        font-size: var(--sy-large);
        line-height: 28px;
      }
      p {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      a {
        margin-top: 16px;
      }
    `,
  ];

  declare what: string;
  declare heading: string;

  constructor() {
    super();
    this.what = '';
    this.heading = 'There is no such page';
  }

  override render() {
    return html`<h1>${this.heading}</h1>
      <p class="mono">${this.what}</p>
      <a href="/devices">All devices</a>`;
  }
}

customElements.define('sy-not-found', NotFound);
