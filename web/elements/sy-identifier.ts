import { css, html, LitElement, nothing } from 'lit';
import {
  type IdentifierKind,
  type IdentifierMask,
  identifierNames,
  identifierText,
} from '../data/identifiers.ts';
import { base } from '../styles/shared.ts';
import './sy-copy-button.ts';

/**
 * An ICCID, IMSI or IMEI: whatever shows one shows it by this element. Masked, it neither shows the whole nor
 * gives it to the clipboard.
 */
export class Identifier extends LitElement {
  static override properties = {
    kind: { type: String },
    value: { type: String },
    mask: { type: String },
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
  declare mask: IdentifierMask;
  /** Without its copy button: where there is no room for one, or the whole row is a link. */
  declare plain: boolean;

  constructor() {
    super();
    this.kind = 'iccid';
    this.value = undefined;
    this.mask = 'none';
    this.plain = false;
  }

  override render() {
    const { kind, value, mask } = this;
    if (value === undefined || value === '') return html`<span class="quiet">–</span>`;
    return html`<span class="text mono">${identifierText(kind, value, mask)}</span>${
      mask !== 'none' || this.plain
        ? nothing
        : html`<sy-copy-button compact .text=${value} what=${`the ${identifierNames[kind]}`}></sy-copy-button>`
    }`;
  }
}

customElements.define('sy-identifier', Identifier);
