import { css, html, LitElement, nothing } from 'lit';
import type { Confirmation } from '../data/confirmation.ts';
import { base, controls, fields } from '../styles/shared.ts';

export type { Confirmation };

/** Asks before something that is hard to take back: names its object and its effect. */
export class ConfirmDialog extends LitElement {
  static override properties = { question: { state: true }, typed: { state: true } };

  static override styles = [
    base,
    controls,
    fields,
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
        margin-bottom: 12px;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: 8px;
        margin-top: 24px;
      }
    `,
  ];

  declare question: Confirmation | undefined;
  declare typed: string;
  #resolve: ((confirmed: boolean) => void) | undefined;

  constructor() {
    super();
    this.question = undefined;
    this.typed = '';
  }

  /** Resolves with what the reader says; false where the dialog is closed. */
  async ask(question: Confirmation): Promise<boolean> {
    this.#resolve?.(false);
    this.question = question;
    this.typed = '';
    await this.updateComplete;
    this.#dialog?.showModal();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override render() {
    const { question } = this;
    const wanted = question?.typed;
    return html`<dialog aria-labelledby="title" aria-describedby="effect" @close=${() => this.#answer(false)}>
      <form method="dialog" @submit=${this.#confirmed}>
        <h2 id="title">${question?.title}</h2>
        <p id="effect">${question?.effect}</p>
        ${
          wanted === undefined
            ? nothing
            : html`<div class="field">
                <label for="typed">Type <strong>${wanted}</strong> to confirm</label>
                <input
                  id="typed"
                  autocomplete="off"
                  spellcheck="false"
                  .value=${this.typed}
                  @input=${(event: Event) => {
                    this.typed = (event.target as HTMLInputElement).value;
                  }}
                />
              </div>`
        }
        <div class="actions">
          <button type="button" @click=${() => this.#dialog?.close()}>Cancel</button>
          <button class="danger" ?disabled=${wanted !== undefined && this.typed !== wanted}>
            ${question?.verb}
          </button>
        </div>
      </form>
    </dialog>`;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector('dialog');
  }

  #confirmed(event: Event): void {
    event.preventDefault();
    this.#answer(true);
    this.#dialog?.close();
  }

  #answer(confirmed: boolean): void {
    this.#resolve?.(confirmed);
    this.#resolve = undefined;
  }
}

customElements.define('sy-confirm-dialog', ConfirmDialog);
