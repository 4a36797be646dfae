import { css, html, LitElement } from 'lit';
import { compositeFormats, contentFormats } from '../data/content-formats.ts';
import type { OperationOptions } from '../data/device-operations.ts';
import { base, controls, fields } from '../styles/shared.ts';

/** How requests are made. */
export interface RequestOptions extends OperationOptions {
  /** They wait for the device, however long it sleeps or is away. */
  readonly held: boolean;
}

const timeouts = [5, 10, 30, 60, 300];

/** Content format, timeout, and whether requests are held. Fires `options-changed` with RequestOptions. */
export class RequestOptionsBar extends LitElement {
  static override properties = {
    options: { attribute: false },
    composite: { type: Boolean },
  };

  static override styles = [
    base,
    controls,
    fields,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 16px;
        align-items: center;
        color: var(--sy-text-2);
        font-size: var(--sy-small);
      }
      label {
        display: flex;
        gap: 6px;
        align-items: center;
      }
      select {
        width: auto;
        min-height: 28px;
        padding: 2px 6px;
        font-size: var(--sy-small);
      }
    `,
  ];

  declare options: RequestOptions;
  /** Of composite operations, which know other formats. */
  declare composite: boolean;

  constructor() {
    super();
    this.options = { held: false };
    this.composite = false;
  }

  override render() {
    const { format, timeout, held } = this.options;
    const formats = this.composite ? compositeFormats : contentFormats;
    return html`<label
        >Format
        <select @change=${(event: Event) => this.#say({ format: textOf(event) })}>
          <option value="" ?selected=${format === undefined}>best</option>
          ${formats.map(({ name, label }) => html`<option value=${name} ?selected=${format === name}>${label}</option>`)}
        </select>
      </label>
      <label
        >Timeout
        <select
          ?disabled=${held}
          @change=${(event: Event) => this.#say({ timeout: Number(textOf(event) ?? 0) * 1000 || undefined })}
        >
          <option value="" ?selected=${timeout === undefined}>usual</option>
          ${timeouts.map(
            (seconds) =>
              html`<option value=${seconds} ?selected=${timeout === seconds * 1000}>${seconds} s</option>`,
          )}
        </select>
      </label>
      <label title="The request is kept, and sent when the device is next heard"
        ><input
          type="checkbox"
          .checked=${held}
          @change=${(event: Event) => this.#say({ held: (event.target as HTMLInputElement).checked })}
        />Hold until it wakes</label
      >`;
  }

  #say(change: {
    readonly format?: string | undefined;
    readonly timeout?: number | undefined;
    readonly held?: boolean;
  }): void {
    const { format, timeout, held } = { ...this.options, ...change };
    const detail: RequestOptions = {
      ...(format === undefined ? {} : { format }),
      ...(timeout === undefined ? {} : { timeout }),
      held,
    };
    this.dispatchEvent(new CustomEvent<RequestOptions>('options-changed', { detail }));
  }
}

function textOf(event: Event): string | undefined {
  const { value } = event.target as HTMLSelectElement;
  return value === '' ? undefined : value;
}

customElements.define('sy-request-options', RequestOptionsBar);
