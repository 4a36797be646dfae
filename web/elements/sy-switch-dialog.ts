import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { apiContext } from '../contexts.ts';
import { newIdempotencyKey } from '../data/api-client.ts';
import type { ApiProblem } from '../data/api-types.ts';
import { asProblem } from '../data/problem.ts';
import { isDisconnect } from '../data/switch-progress.ts';
import { Permission } from '../permission.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-problem-panel.ts';

/** A switch that the reader thinks about. */
export interface SwitchQuestion {
  readonly endpoint: string;
  readonly slot: number;
  /** The id of an offered carrier, which tells apart those of one name or none; or `Disconnect`. */
  readonly carrier: string | number;
  /** What the page calls it. */
  readonly label: string;
  /** What it does, in a sentence or two. */
  readonly effect: string;
  /** Why it will not go out at once; undefined where it will. */
  readonly waits: string | undefined;
}

/** Names a switch and its effect, and gives the command when the reader confirms. Fires `command-given`. */
export class SwitchDialog extends LitElement {
  static override properties = {
    question: { state: true },
    sending: { state: true },
    problem: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      dialog {
        width: min(440px, calc(100vw - 32px));
        padding: 24px;
        border: 1px solid var(--sy-rule);
        border-radius: 8px;
        background: var(--sy-raised);
        color: var(--sy-text);
        box-shadow: 0 16px 48px var(--sy-shadow);
      }
      dialog::backdrop {
        background: var(--sy-scrim);
      }
      h2 {
        margin-bottom: 12px;
        font-size: 16px;
        overflow-wrap: anywhere;
      }
      p {
        overflow-wrap: anywhere;
        margin-bottom: 12px;
        color: var(--sy-text-2);
      }
      .target {
        color: var(--sy-text);
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
        margin-top: 24px;
      }
      .actions button {
        max-width: 100%;
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare question: SwitchQuestion | undefined;
  declare sending: boolean;
  declare problem: ApiProblem | undefined;
  #key = '';
  readonly #api = new ContextConsumer(this, { context: apiContext });

  constructor() {
    super();
    new Permission(this);
    this.question = undefined;
    this.sending = false;
    this.problem = undefined;
  }

  async ask(question: SwitchQuestion): Promise<void> {
    this.question = question;
    this.problem = undefined;
    // One key for one decision: trying again after a lost answer does not switch twice.
    this.#key = newIdempotencyKey();
    await this.updateComplete;
    this.#dialog?.showModal();
  }

  override render() {
    const { question } = this;
    const disconnect = question !== undefined && isDisconnect(question.label);
    const verb = disconnect ? 'Disconnect' : `Switch to ${question?.label ?? ''}`;
    return html`<dialog aria-labelledby="title" aria-describedby="effect">
      <h2 id="title">${verb}?</h2>
      <p class="target">${question?.endpoint} · SIM ${(question?.slot ?? 0) + 1}</p>
      <p id="effect">${question?.effect}</p>
      ${question?.waits === undefined ? nothing : html`<p>${question.waits}</p>`}
      <sy-problem-panel .problem=${this.problem}></sy-problem-panel>
      <div class="actions">
        <button @click=${() => this.#dialog?.close()}>Keep as it is</button>
        <button data-needs="operate" class=${disconnect ? 'danger' : 'primary'} ?disabled=${this.sending} @click=${this.#confirm}>
          ${this.sending ? 'Sending…' : this.problem === undefined ? verb : 'Try again'}
        </button>
      </div>
    </dialog>`;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  async #confirm(): Promise<void> {
    const { question } = this;
    const api = this.#api.value;
    if (question === undefined || api === undefined) return;
    this.sending = true;
    this.problem = undefined;
    try {
      const command = await api.switchCarrier(question.endpoint, question.carrier, {
        slot: question.slot,
        idempotencyKey: this.#key,
      });
      this.dispatchEvent(new CustomEvent('command-given', { detail: command }));
      this.#dialog?.close();
    } catch (error) {
      this.problem = asProblem(error);
    }
    this.sending = false;
  }
}

customElements.define('sy-switch-dialog', SwitchDialog);
