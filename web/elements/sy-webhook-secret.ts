import { css, html, LitElement } from 'lit';
import { base, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';

/** A secret that is shown this once. Fires `kept` when the reader has it. */
export class WebhookSecret extends LitElement {
  static override properties = {
    secret: { type: String },
    rotated: { type: Boolean },
  };

  static override styles = [
    base,
    controls,
    css`
      .panel {
        display: grid;
        gap: 8px;
        max-width: 880px;
        padding: 16px;
        border-left: 3px solid var(--sy-waiting);
        background: var(--sy-waiting-weak);
      }
      .line {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      code {
        overflow-wrap: anywhere;
      }
      .panel > button {
        justify-self: start;
        margin-top: 4px;
      }
    `,
  ];

  declare secret: string;
  declare rotated: boolean;

  constructor() {
    super();
    this.secret = '';
    this.rotated = false;
  }

  override render() {
    return html`<section class="panel" aria-label="Secret of the webhook">
      <h2>Keep this secret: it is not shown again</h2>
      <div class="line">
        <code class="mono">${this.secret}</code>
        <sy-copy-button .text=${this.secret} what="the secret"></sy-copy-button>
      </div>
      <p>
        Messages are signed with it, so that the receiver knows that they come from here.
        ${this.rotated ? 'For a day they are signed with the one before, too.' : ''}
      </p>
      <button class="small" @click=${() => this.dispatchEvent(new CustomEvent('kept'))}>I have kept it</button>
    </section>`;
  }
}

customElements.define('sy-webhook-secret', WebhookSecret);
