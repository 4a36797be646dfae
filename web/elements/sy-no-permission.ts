import { css, html, LitElement } from 'lit';
import { whoMay } from '../data/people.ts';
import type { Action } from '../permission.ts';
import { base } from '../styles/shared.ts';

/** In the place of what the reader may not see: what it is, and whom it takes. */
export class NoPermission extends LitElement {
  static override properties = {
    what: { type: String },
    needs: { type: String },
  };

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        align-content: start;
        gap: 8px;
        padding: 48px 16px;
      }
      h1 {
        font-size: 20px;
        line-height: 28px;
        font-weight: 600;
      }
      p {
        color: var(--sy-text-2);
      }
    `,
  ];

  declare what: string;
  declare needs: Action;

  constructor() {
    super();
    this.what = '';
    this.needs = 'administer';
  }

  override render() {
    return html`<h1>${this.what}</h1>
      <p>You may not see this. ${whoMay(this.needs)}: ask one for it, or for the role.</p>`;
  }
}

customElements.define('sy-no-permission', NoPermission);
