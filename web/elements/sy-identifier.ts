import { css, html, LitElement, nothing } from 'lit';
import { type IdentifierKind, identifierNames, identifierText, isMasked } from '../data/identifiers.ts';
import { base } from '../styles/shared.ts';
import './sy-copy-button.ts';

/**
 * An ICCID, IMSI, IMEI, MSISDN or EID: whatever shows one shows it by this element. One that came masked is said to be
 * so, and is nothing for the clipboard.
 */
export class Identifier extends LitElement {
  static override properties = {
    kind: { type: String },
    value: { type: String },
    plain: { type: Boolean },
  };

  static override styles = [
    base,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: 2px;
        max-width: 100%;
      }
      .text {
        min-width: 0;
        overflow-wrap: anywhere;
      }
    `,
  ];

  declare kind: IdentifierKind;
  declare value: string | undefined;
  /** Without its copy button: where there is no room for one, or the whole row is a link. */
  declare plain: boolean;

  constructor() {
    super();
    this.kind = 'iccid';
    this.value = undefined;
    this.plain = false;
  }

  override render() {
    const { kind, value } = this;
    if (value === undefined || value === '') return html`<span class="quiet">–</span>`;
    const masked = isMasked(value);
    return html`<span
      class="text mono"
      title=${masked ? `Shown in full to operators: your role is viewer` : nothing}
      >${identifierText(kind, value)}</span>${
        masked || this.plain
          ? nothing
          : html`<sy-copy-button compact .text=${value} what=${`the ${identifierNames[kind]}`}></sy-copy-button>`
      }`;
  }
}

customElements.define('sy-identifier', Identifier);
