import { css, html, LitElement, nothing } from 'lit';
import type { ApiProblem } from '../data/api-types.ts';
import { base, controls } from '../styles/shared.ts';

/** What failed, in the server's words, and a way to try again. Fires `retried`. */
export class ProblemPanel extends LitElement {
  static override properties = {
    problem: { attribute: false },
    retry: { type: Boolean },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: block;
      }
      .panel {
        display: grid;
        gap: 4px;
        padding: 12px 16px;
        border-left: 3px solid var(--sy-bad);
        background: var(--sy-bad-weak);
      }
      strong {
        font-weight: 600;
      }
      .detail {
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      button {
        justify-self: start;
        margin-top: 8px;
      }
    `,
  ];

  declare problem: ApiProblem | undefined;
  declare retry: boolean;

  constructor() {
    super();
    this.retry = false;
  }

  override render() {
    const { problem } = this;
    if (problem === undefined) return nothing;
    const code = problem.coapCode === undefined ? '' : ` (device answered ${problem.coapCode})`;
    return html`<div class="panel" role="alert">
      <strong>${problem.title}${code}</strong>
      ${problem.detail === undefined ? nothing : html`<span class="detail">${problem.detail}</span>`}
      ${
        this.retry
          ? html`<button @click=${() => this.dispatchEvent(new Event('retried'))}>Try again</button>`
          : nothing
      }
    </div>`;
  }
}

customElements.define('sy-problem-panel', ProblemPanel);
