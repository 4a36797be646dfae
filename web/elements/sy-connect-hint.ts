import { ContextConsumer } from '@lit/context';
import { css, html, LitElement } from 'lit';
import { serverContext } from '../contexts.ts';
import { base } from '../styles/shared.ts';
import './sy-copy-button.ts';

/** What to do while no device has ever registered: the command that connects one. */
export class ConnectHint extends LitElement {
  static override styles = [
    base,
    css`
      :host {
        display: grid;
        justify-items: center;
        gap: 12px;
        padding: 64px 24px;
        text-align: center;
      }
      h2 {
        font-size: 16px;
      }
      .command {
        display: flex;
        align-items: center;
        gap: 12px;
        max-width: 100%;
        padding: 8px 8px 8px 16px;
        border: 1px solid var(--sy-rule);
        border-radius: var(--sy-radius);
        background: var(--sy-surface);
        text-align: left;
      }
      code {
        font-family: var(--sy-mono);
        font-size: 13px;
        overflow-wrap: anywhere;
      }
      p {
        max-width: 56ch;
        color: var(--sy-text-2);
      }
    `,
  ];

  readonly #server = new ContextConsumer(this, { context: serverContext, subscribe: true });

  override render() {
    const { coapUri, coapsUri } = this.#server.value ?? {};
    const uri = coapUri ?? coapsUri ?? 'coap://127.0.0.1:5683';
    // Without a key of its own no device gets in by DTLS.
    const secrets = uri.startsWith('coaps:') ? ' --identity IDENTITY --key KEY' : '';
    const command = `npm run modem -- --server ${uri} --endpoint my-first-modem${secrets}`;
    return html`<h2>No device yet</h2>
      <p>A device appears here as soon as it registers. To connect a simulated modem, run this:</p>
      <div class="command">
        <code>${command}</code>
        <sy-copy-button .text=${command} what="the command"></sy-copy-button>
      </div>
      <p class="quiet">Any LwM2M client will do: point it at <span class="mono">${uri}</span>.</p>`;
  }
}

customElements.define('sy-connect-hint', ConnectHint);
