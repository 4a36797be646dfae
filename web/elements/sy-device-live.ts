import { css, html, LitElement, nothing } from 'lit';
import type { ApiObservationStatus } from '../data/api-types.ts';
import { isRegistered } from '../data/device-state.ts';
import type { DeviceController } from '../device-controller.ts';
import { base } from '../styles/shared.ts';
import './sy-observations-panel.ts';
import './sy-readings-board.ts';
import './sy-values-table.ts';

/** What a device reports: its sensors as plots, the newest value of every path, what of it is observed. */
export class DeviceLive extends LitElement {
  static override properties = {
    endpoint: { type: String },
    source: { attribute: false, hasChanged: () => true },
  };

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 32px;
        padding: 16px 16px 48px;
      }
      .below {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 440px);
        align-items: start;
        gap: 32px 40px;
      }
      @media (max-width: 1100px) {
        .below {
          grid-template-columns: minmax(0, 1fr);
        }
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
    const registered = isRegistered(source.device);
    return html`<sy-readings-board
        .endpoint=${this.endpoint}
        .source=${source}
        ?registered=${registered}
        ?disconnected=${source.device.carrier === ''}
      ></sy-readings-board>
      <div class="below">
        <sy-values-table .values=${source.values} .sensors=${source.sensors}></sy-values-table>
        <sy-observations-panel
          .endpoint=${this.endpoint}
          .status=${source.observations}
          ?registered=${registered}
          @observations-renewed=${(event: CustomEvent<ApiObservationStatus>) => source.takeObservations(event.detail)}
        ></sy-observations-panel>
      </div>`;
  }
}

customElements.define('sy-device-live', DeviceLive);
