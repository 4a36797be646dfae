import { css, html, LitElement, nothing } from 'lit';
import type { ApiCommand } from '../data/api-types.ts';
import type { DeviceController } from '../device-controller.ts';
import { base } from '../styles/shared.ts';
import './sy-carrier-panel.ts';

/** The SIM of a device, and the switch to another carrier. */
export class DeviceCarrier extends LitElement {
  static override properties = {
    endpoint: { type: String },
    source: { attribute: false, hasChanged: () => true },
  };

  static override styles = [
    base,
    css`
      :host {
        display: block;
        padding: 16px 16px 48px;
      }
    `,
  ];

  declare endpoint: string;
  declare source: DeviceController | undefined;

  constructor() {
    super();
    this.endpoint = '';
    this.source = undefined;
  }

  override render() {
    const { source } = this;
    if (source?.device === undefined) return nothing;
    return html`<sy-carrier-panel
      .device=${source.device}
      .slots=${source.slots}
      .commands=${source.commands}
      .values=${source.values}
      .waiting=${source.waiting}
      @command-given=${(event: CustomEvent<ApiCommand>) => source.takeCommand(event.detail)}
    ></sy-carrier-panel>`;
  }
}

customElements.define('sy-device-carrier', DeviceCarrier);
