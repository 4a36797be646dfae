import { css, html, LitElement, nothing } from 'lit';
import type { ApiDevice } from '../data/api-types.ts';
import { lifetimeEnd } from '../data/device-list.ts';
import { hrefOf } from '../data/routes.ts';
import { signalIsOld } from '../data/signal.ts';
import { durationText } from '../data/time.ts';
import { Permission } from '../permission.ts';
import { base, clamps, controls } from '../styles/shared.ts';
import './sy-copy-button.ts';
import './sy-device-tenant.ts';
import './sy-identifier.ts';
import './sy-signal-meter.ts';
import './sy-state-badge.ts';
import './sy-time-text.ts';

/** Who the device is, and how its registration stands. */
export class DeviceHeader extends LitElement {
  static override properties = {
    device: { attribute: false },
    unfolded: { state: true },
  };

  static override styles = [
    base,
    controls,
    clamps,
    css`
      :host {
        display: block;
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 16px;
      }
      h1 {
        font-size: var(--sy-large);
        line-height: 28px;
        font-weight: 650;
        overflow-wrap: anywhere;
      }
      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 32px;
        margin-top: 12px;
        padding-bottom: 8px;
      }
      .more {
        display: none;
        margin: -4px 0 4px -8px;
      }
      dt {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
        line-height: 16px;
      }
      dd {
        overflow-wrap: anywhere;
      }
      dl > div {
        min-width: 0;
        max-width: 100%;
      }
      @media (max-width: 600px) {
        dl {
          display: grid;
          grid-template-columns: 1fr 1fr;
          gap: 8px 16px;
        }
        .folded > div:nth-of-type(n + 5) {
          display: none;
        }
        .more {
          display: inline-flex;
        }
      }
    `,
  ];

  declare device: ApiDevice | undefined;
  /** On a narrow screen: all facts, and not the first ones alone. */
  declare unfolded: boolean;
  readonly #permission = new Permission(this);

  constructor() {
    super();
    this.device = undefined;
    this.unfolded = false;
  }

  override render() {
    const { device } = this;
    if (device === undefined) return nothing;
    const { registration } = device;
    const model = [device.manufacturer, device.model]
      .filter((part) => part !== undefined && part !== '')
      .join(' ');
    return html`<div class="name">
        <h1 class="clamp" title=${device.endpoint}>${device.endpoint}</h1>
        <sy-state-badge .device=${device}></sy-state-badge>
        <sy-copy-button .text=${device.endpoint} label="Copy name" what="the endpoint name"></sy-copy-button>
      </div>
      <dl class=${this.unfolded ? '' : 'folded'}>
        ${fact('Last heard', html`<sy-time-text .at=${device.lastSeen}></sy-time-text>`)}
        ${
          registration === undefined
            ? fact('First seen', html`<sy-time-text mode="plain" .at=${device.firstSeen}></sy-time-text>`)
            : fact(
                'Lifetime left',
                html`<sy-time-text mode="until" .at=${lifetimeEnd(registration)}></sy-time-text>
                  <span class="quiet">of ${durationText(registration.lifetime * 1000)}</span>`,
              )
        }
        ${fact('Signal', html`<sy-signal-meter .dbm=${device.signal} ?stale=${signalIsOld(device)}></sy-signal-meter>`)}
        ${model === '' ? nothing : fact('Model', model)}
        ${
          registration === undefined
            ? nothing
            : html`${fact('Registered', html`<sy-time-text mode="plain" .at=${registration.registeredAt}></sy-time-text>`)}
              ${fact('Address', html`<span class="mono">${registration.address}</span>`)}
              ${fact('Security', html`<a href=${credentialsHref(device.endpoint)}>${registration.secure ? 'DTLS' : 'none'}</a>`)}
              ${
                registration.gateway === true
                  ? fact('Protocol', 'by the gateway')
                  : fact('LwM2M', `${registration.version} · ${registration.binding}`)
              }
              ${fact('Node', registration.node)}`
        }
        ${
          device.tenant === undefined && !this.#permission.may('administer')
            ? nothing
            : fact(
                'Tenant',
                html`<sy-device-tenant endpoint=${device.endpoint} .tenant=${device.tenant}></sy-device-tenant>`,
              )
        }
        ${device.firmwareVersion === undefined ? nothing : fact('Firmware', device.firmwareVersion)}
        ${device.serialNumber === undefined ? nothing : fact('Serial number', device.serialNumber)}
        ${device.imei === undefined ? nothing : fact('IMEI', html`<sy-identifier kind="imei" .value=${device.imei}></sy-identifier>`)}
      </dl>
      <button class="bare small more" aria-expanded=${this.unfolded} @click=${() => this.#fold()}>
        ${this.unfolded ? 'Less' : 'More of the device'}
      </button>`;
  }

  #fold(): void {
    this.unfolded = !this.unfolded;
  }
}

/** What the device proves itself by. */
function credentialsHref(endpoint: string): string {
  const query = String(new URLSearchParams({ search: endpoint }));
  return hrefOf({ name: 'settings', section: 'credentials', query });
}

function fact(name: string, value: unknown) {
  return html`<div>
    <dt>${name}</dt>
    ${typeof value === 'string' ? html`<dd class="clamp" title=${value}>${value}</dd>` : html`<dd>${value}</dd>`}
  </div>`;
}

customElements.define('sy-device-header', DeviceHeader);
