import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { apiContext, clockContext, liveContext } from '../contexts.ts';
import type { ApiCommand, ApiObservationStatus } from '../data/api-types.ts';
import { DeviceController } from '../device-controller.ts';
import { base, skeletons } from '../styles/shared.ts';
import './sy-carrier-panel.ts';
import './sy-device-header.ts';
import './sy-not-found.ts';
import './sy-observations-panel.ts';
import './sy-problem-panel.ts';
import './sy-readings-board.ts';
import './sy-values-table.ts';

/** One device: what it is, the SIM in it, what its sensors read. */
export class DevicePage extends LitElement {
  static override properties = { endpoint: { type: String } };

  static override styles = [
    base,
    skeletons,
    css`
      :host {
        display: block;
        padding: 16px 16px 48px;
      }
      .columns {
        display: grid;
        grid-template-columns: 360px minmax(0, 1fr);
        align-items: start;
        gap: 24px;
        margin-top: 16px;
      }
      .column {
        display: grid;
        gap: 32px;
        min-width: 0;
      }
      sy-problem-panel {
        margin-top: 16px;
      }
      .bones {
        display: grid;
        gap: 16px;
        max-width: 720px;
      }
      .bones .bone:first-child {
        width: 320px;
        max-width: 100%;
        height: 24px;
      }
      .bones .bone:last-child {
        width: 360px;
        max-width: 100%;
        height: 208px;
        border-radius: 12px;
        margin-top: 32px;
      }
      @media (max-width: 960px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  declare endpoint: string;

  readonly #device = new DeviceController(this);
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #live = new ContextConsumer(this, { context: liveContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    this.endpoint = '';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.requestUpdate('endpoint', null);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('endpoint')) return;
    const [api, live, clock] = [this.#api.value, this.#live.value, this.#clock.value];
    if (api === undefined || live === undefined || clock === undefined) return;
    this.#device.show(this.endpoint, api, live, clock);
  }

  override render() {
    const { device, problem } = this.#device;
    if (problem?.status === 404) {
      return html`<sy-not-found heading="There is no such device" .what=${this.endpoint}></sy-not-found>`;
    }
    if (problem !== undefined) {
      return html`<sy-problem-panel .problem=${problem} retry @retried=${() => this.#device.load()}></sy-problem-panel>`;
    }
    if (device === undefined) {
      return html`<div class="bones" aria-busy="true" aria-label=${`Loading ${this.endpoint}`} role="img">
        <i class="bone"></i><i class="bone"></i><i class="bone"></i>
      </div>`;
    }
    const { partProblem } = this.#device;
    return html`<sy-device-header .device=${device}></sy-device-header>
      ${
        partProblem === undefined
          ? nothing
          : html`<sy-problem-panel .problem=${partProblem} retry @retried=${() => this.#device.load()}></sy-problem-panel>`
      }
      <div class="columns">
        <div class="column">
          <sy-carrier-panel
            .device=${device}
            .slots=${this.#device.slots}
            .commands=${this.#device.commands}
            .values=${this.#device.values}
            @command-given=${(event: CustomEvent<ApiCommand>) => this.#device.takeCommand(event.detail)}
          ></sy-carrier-panel>
          <sy-observations-panel
            .endpoint=${this.endpoint}
            .status=${this.#device.observations}
            ?registered=${device.state === 'registered'}
            @observations-renewed=${(event: CustomEvent<ApiObservationStatus>) => this.#device.takeObservations(event.detail)}
          ></sy-observations-panel>
        </div>
        <div class="column">
          <sy-readings-board .endpoint=${this.endpoint} .source=${this.#device} ?registered=${device.state === 'registered'} ?disconnected=${device.carrier === ''}></sy-readings-board>
          <sy-values-table .values=${this.#device.values} .sensors=${this.#device.sensors}></sy-values-table>
        </div>
      </div>`;
  }
}

customElements.define('sy-device-page', DevicePage);
