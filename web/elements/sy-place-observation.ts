import { css, html, LitElement, nothing } from 'lit';
import type { ApiObservationStatus, ApiWantedStatus } from '../data/api-types.ts';
import { formatName } from '../data/content-formats.ts';
import { attributesText } from '../data/notification-attributes.ts';
import { byText, observationOf } from '../data/observations.ts';
import { Permission } from '../permission.ts';
import { base, controls, skeletons } from '../styles/shared.ts';
import './sy-time-text.ts';

/**
 * Whether a place is observed, who wants it, what there is, and why it is not. Fires `observe-wanted`, `end-wanted`
 * (detail: tell the device at once), `choice-made` (detail: wanted, while the device is away) and `choice-forgotten`.
 */
export class PlaceObservation extends LitElement {
  static override properties = {
    path: { type: String },
    status: { attribute: false },
    reachable: { type: Boolean },
  };

  static override styles = [
    base,
    controls,
    skeletons,
    css`
      :host {
        display: grid;
        gap: 12px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .wish {
        display: grid;
        grid-template-columns: 10px minmax(0, 1fr);
        gap: 2px 8px;
      }
      .dot {
        width: 10px;
        height: 10px;
        margin-top: 5px;
        border: 2px solid var(--sy-unknown);
        border-radius: 50%;
      }
      .observed .dot {
        border-color: var(--sy-good);
        background: var(--sy-good);
      }
      .pending .dot {
        border-color: var(--sy-waiting);
      }
      .failed .dot,
      .drifted .dot {
        border-color: var(--sy-waiting);
        background: var(--sy-waiting);
      }
      .refused .dot {
        border-color: var(--sy-bad);
        border-radius: 2px;
      }
      .more {
        grid-column: 2;
        color: var(--sy-text-2);
        overflow-wrap: anywhere;
      }
      .bone {
        width: 220px;
      }
    `,
  ];

  declare path: string;
  declare status: ApiObservationStatus | undefined;
  /** The device can be asked, or what is asked is held for it. */
  declare reachable: boolean;

  constructor() {
    super();
    new Permission(this);
    this.path = '';
    this.reachable = false;
  }

  override render() {
    const { status } = this;
    if (status === undefined)
      return html`<i class="bone" role="img" aria-busy="true" aria-label="Loading the observation"></i>`;
    const { own, others, ruledOut, byHand } = observationOf(status, this.path);
    const all = [...(own === undefined ? [] : [own]), ...others];
    return html`${
      all.length === 0
        ? html`<p class="quiet">${ruledOut === undefined ? 'Nobody wants it observed.' : `Not observed: ruled out ${byText(ruledOut)}.`}</p>`
        : all.map((wanted) => this.#wish(wanted))
    }
      <div class="actions">${this.#actions(own, byHand)}</div>`;
  }

  #actions(own: ApiWantedStatus | undefined, byHand: boolean) {
    const back = byHand
      ? html`<button data-needs="operate"
        class="bare"
        title="What was said by hand is forgotten: policies alone count"
        @click=${() => this.#say('choice-forgotten')}
      >
        Leave it to the policies
      </button>`
      : nothing;
    if (!this.reachable) {
      const wanted = own === undefined;
      return html`<button data-needs="operate"
          title="Kept by the server, and done when the device is there"
          @click=${() => this.#say('choice-made', wanted)}
        >
          ${wanted ? 'Observe when it is back' : 'No longer observe it'}
        </button>
        ${back}`;
    }
    if (own === undefined)
      return html`<button data-needs="operate" @click=${() => this.#say('observe-wanted')}>Observe</button>${back}`;
    return html`${
      own.state === 'observed'
        ? nothing
        : html`<button data-needs="operate" @click=${() => this.#say('observe-wanted')}>Try again</button>`
    }
      <button data-needs="operate" @click=${() => this.#say('end-wanted', true)}>End observation</button>
      <button data-needs="operate"
        class="bare"
        title="Without a request of its own: the device learns it by the reset of its next notification"
        @click=${() => this.#say('end-wanted', false)}
      >
        End at its next notification
      </button>
      ${back}`;
  }

  #wish(wanted: ApiWantedStatus) {
    const { paths, by, state, since, real } = wanted;
    const [first = ''] = paths;
    const where =
      paths.length > 1
        ? `together with ${paths.filter((path) => path !== this.path).join(', ')}`
        : first === this.path
          ? ''
          : `as part of ${first}`;
    const asked = described(wanted);
    const there = real === undefined ? undefined : attributesText(real.attributes);
    const format = real?.contentFormat === undefined ? '' : ` in ${formatName(real.contentFormat)}`;
    return html`<div class=${`wish ${state}`}>
      <span class="dot"></span>
      <span><strong>${state}</strong>${format} ${where} <sy-time-text class="quiet" .at=${since}></sy-time-text></span>
      <span class="more">wanted ${byText(by)}${asked === '' ? nothing : html`, with <span class="mono">${asked}</span>`}</span>
      ${
        there === undefined || there === attributesText(wanted.attributes)
          ? nothing
          : html`<span class="more">there is: <span class="mono">${there === '' ? 'no attributes' : there}</span></span>`
      }
      ${this.#reason(wanted)}
    </div>`;
  }

  #reason({ code, reason, retryAt }: ApiWantedStatus) {
    const why = [code, reason].filter((part) => part !== undefined && part !== '').join(' ');
    if (why === '' && retryAt === undefined) return nothing;
    return html`<span class="more"
      >${why}${
        retryAt === undefined
          ? nothing
          : html`${why === '' ? '' : ' · '}tried again in <sy-time-text mode="until" .at=${retryAt}></sy-time-text>`
      }</span
    >`;
  }

  #say(what: string, detail?: boolean): void {
    this.dispatchEvent(new CustomEvent(what, { detail }));
  }
}

function described({
  attributes,
  contentFormat,
}: Pick<ApiWantedStatus, 'attributes' | 'contentFormat'>): string {
  const format = contentFormat === undefined ? '' : formatName(contentFormat);
  return [attributesText(attributes), format].filter((part) => part !== '').join(' ');
}

customElements.define('sy-place-observation', PlaceObservation);
