import { css, html, LitElement } from 'lit';
import { hexLines } from '../data/trace.ts';
import { base } from '../styles/shared.ts';

/** Bytes in hex and as ASCII, sixteen to a line; a payload at their end stands out. */
export class HexDump extends LitElement {
  static override properties = {
    hex: { type: String },
    size: { type: Number },
    payload: { type: Number },
  };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        overflow-x: auto;
      }
      pre {
        display: grid;
        grid-template-columns: max-content max-content max-content;
        gap: 0 16px;
        width: max-content;
        margin: 0;
        font: 12px/18px var(--sy-mono);
        color: var(--sy-text-2);
      }
      .offset {
        color: var(--sy-text-3);
        user-select: none;
      }
      .payload {
        color: var(--sy-accent);
      }
    `,
  ];

  declare hex: string;
  /** Of the whole datagram, of which `hex` may be the beginning. */
  declare size: number;
  /** Bytes at the end of the datagram. */
  declare payload: number;

  constructor() {
    super();
    this.hex = '';
    this.size = 0;
    this.payload = 0;
  }

  override render() {
    const lines = hexLines(this.hex, this.size, this.payload);
    // One run of each kind in a line: spans by byte would be thousands.
    return html`<pre tabindex="0" aria-label="Bytes of the datagram">${lines.map(({ offset, bytes }) => {
      const split = bytes.findIndex(({ payload }) => payload);
      const at = split === -1 ? bytes.length : split;
      const hexOf = (part: typeof bytes) => part.map(({ hex }) => hex).join(' ');
      const textOf = (part: typeof bytes) => part.map(({ character }) => character).join('');
      const [head, tail] = [bytes.slice(0, at), bytes.slice(at)];
      const gap = head.length > 0 && tail.length > 0 ? ' ' : '';
      return html`<span class="offset">${offset}</span
        ><span>${hexOf(head)}${gap}<span class="payload">${hexOf(tail)}</span></span
        ><span>${textOf(head)}<span class="payload">${textOf(tail)}</span></span>`;
    })}</pre>`;
  }
}

customElements.define('sy-hex-dump', HexDump);
