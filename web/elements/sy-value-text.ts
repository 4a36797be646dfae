import { css, html, LitElement, nothing } from 'lit';
import type { ApiValue } from '../data/api-types.ts';
import { identifierKindOf } from '../data/identifiers.ts';
import type { ApiResourceModel } from '../data/resource-definition.ts';
import { hrefOf } from '../data/routes.ts';
import { exactTime } from '../data/time.ts';
import { type ValueParts, valueParts } from '../data/value-parts.ts';
import { base } from '../styles/shared.ts';
import './sy-copy-button.ts';
import './sy-identifier.ts';

/** A value in full, as its type wants it: with its unit and meaning, as a local time and UTC, as a hex dump, as a link. */
export class ValueText extends LitElement {
  static override properties = {
    endpoint: { type: String },
    resource: { attribute: false },
    value: { attribute: false },
    large: { type: Boolean },
  };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        min-width: 0;
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
      .large {
        font-size: 20px;
        line-height: 28px;
        font-weight: 600;
      }
      .long {
        max-height: 240px;
        overflow: auto;
        white-space: pre-wrap;
      }
      pre {
        max-height: 240px;
        margin: 0;
        overflow: auto;
        font: 12px / 18px var(--sy-mono);
      }
    `,
  ];

  declare endpoint: string;
  declare resource: ApiResourceModel | undefined;
  declare value: ApiValue;
  declare large: boolean;

  constructor() {
    super();
    this.endpoint = '';
    this.value = '';
    this.large = false;
  }

  override render() {
    const { resource, value } = this;
    const identifier = identifierKindOf(resource?.name);
    if (identifier !== undefined && typeof value === 'string' && value !== '') {
      return html`<sy-identifier class=${this.#look} kind=${identifier} .value=${value}></sy-identifier>`;
    }
    return this.#parts(valueParts(resource, value));
  }

  get #look(): string {
    return this.large ? 'large' : '';
  }

  #parts(parts: ValueParts) {
    switch (parts.kind) {
      case 'time': {
        const [first, ...others] = exactTime(parts.at).split('\n');
        return html`<span class=${this.#look}>${first}</span>
          ${others.map((line) => html`<div class="quiet">${line}</div>`)}`;
      }
      case 'link':
        return parts.path === undefined
          ? html`<span class=${this.#look}>${parts.text}</span> <span class="quiet">links to nothing</span>`
          : html`<a
              class=${`mono ${this.#look}`}
              href=${hrefOf({ name: 'device', endpoint: this.endpoint, tab: 'objects', path: parts.path })}
              >${parts.path}</a
            >`;
      case 'bytes':
        return this.#bytes(parts);
      case 'text':
        return this.#text(parts.text, parts.more);
    }
  }

  #text(text: string, more: string | undefined) {
    if (text === '') return html`<span class="quiet">(empty)</span>`;
    if (text.length > 200 || text.includes('\n')) {
      return html`<div class="long" tabindex="0" role="region" aria-label="Value">${text}</div>`;
    }
    return html`<span class=${this.#look}>${text}</span>
      ${more === undefined ? nothing : html`<span class="quiet">${more}</span>`}`;
  }

  #bytes({ length, lines }: Extract<ValueParts, { kind: 'bytes' }>) {
    if (length === 0) return html`<span class="quiet">(no bytes)</span>`;
    const shown = lines.map(({ offset, hex, text }) => `${offset}  ${hex.padEnd(47)}  ${text}`).join('\n');
    const more = length > lines.length * 16 ? `\n… of ${length} bytes` : '';
    return html`<span class="quiet">${length} bytes</span>
      <sy-copy-button compact what="the bytes as hex" .text=${String(this.value)}></sy-copy-button>
      <pre tabindex="0" role="region" aria-label="Bytes">${shown}${more}</pre>`;
  }
}

customElements.define('sy-value-text', ValueText);
