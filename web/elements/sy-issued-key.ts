import { css, html, LitElement, nothing } from 'lit';
import type { ApiIssuedCredential } from '../data/api-types.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';

/** A key that the server has made, shown this once. Fires `kept` when the reader has it. */
export class IssuedKey extends LitElement {
  static override properties = {
    issued: { attribute: false },
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
      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 4px 16px;
        align-items: center;
      }
      dt {
        color: var(--sy-text-2);
      }
      dd {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 8px;
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

  declare issued: ApiIssuedCredential | undefined;
  declare rotated: boolean;

  constructor() {
    super();
    this.issued = undefined;
    this.rotated = false;
  }

  override render() {
    const { issued } = this;
    if (issued?.key === undefined) return nothing;
    const line = (name: string, value: string, what: string) =>
      html`<dt>${name}</dt>
        <dd>
          <code class="mono">${value}</code>
          <sy-copy-button .text=${value} .what=${what}></sy-copy-button>
        </dd>`;
    return html`<section class="panel" aria-label="Key of the device">
      <h2>Keep this key: it is not shown again</h2>
      <dl>
        ${line('Identity', issued.identity, 'the identity')} ${line('Key', issued.key, 'the key')}
      </dl>
      <p>
        ${
          this.rotated
            ? `Bring both to ${issued.endpoint}. What it has now is good until it has used them, for a week at the most.`
            : `Bring both to ${issued.endpoint}: with them it registers over DTLS.`
        }
      </p>
      <button class="small" @click=${() => this.dispatchEvent(new CustomEvent('kept'))}>I have kept it</button>
    </section>`;
  }
}

customElements.define('sy-issued-key', IssuedKey);
