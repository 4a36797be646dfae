import { ContextConsumer } from '@lit/context';
import { css, html, LitElement } from 'lit';
import { clockContext } from '../contexts.ts';
import {
  identifierAt,
  type LastValue,
  type LastValues,
  pathName,
  sortedByPath,
  valueText,
} from '../data/last-values.ts';
import { type Sensor, sensorObject, sensorTitle } from '../data/sensors.ts';
import { freshness } from '../data/time.ts';
import { base, clamps } from '../styles/shared.ts';
import { Ticker } from '../ticker.ts';
import './sy-identifier.ts';
import './sy-time-text.ts';

/** Resources of the IoT Sensor object whose unit is the sensor's own: Value, Minimum, Maximum. */
const measured = new Set<number>([sensorObject.value, 9, 10]);

/** The newest value of every path that was heard, with its age. */
export class ValuesTable extends LitElement {
  static override properties = {
    values: { attribute: false },
    sensors: { attribute: false },
  };

  static override styles = [
    base,
    clamps,
    css`
      :host {
        display: block;
        min-width: 0;
      }
      h2 {
        margin-bottom: 8px;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        border-top: 1px solid var(--sy-rule);
        table-layout: fixed;
      }
      th,
      td {
        padding: 5px 12px 5px 0;
        border-bottom: 1px solid var(--sy-rule);
        font-weight: inherit;
        text-align: left;
        overflow-wrap: anywhere;
        vertical-align: top;
      }
      thead th {
        color: var(--sy-text-3);
        font-size: var(--sy-small);
      }
      .path {
        width: 132px;
      }
      .age {
        width: 96px;
      }
      .value {
        width: 34%;
      }
      tbody .path {
        color: var(--sy-text-3);
      }
      .aging {
        color: var(--sy-text-2);
      }
      .stale {
        color: var(--sy-text-3);
      }
      .object {
        color: var(--sy-text-3);
      }
      @media (max-width: 600px) {
        .path,
        .object {
          display: none;
        }
        .age {
          width: 84px;
        }
      }
    `,
  ];

  declare values: LastValues;
  declare sensors: ReadonlyMap<number, Sensor>;

  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    this.values = new Map();
    this.sensors = new Map();
    // Values fade as they age, whether or not another comes.
    new Ticker(this);
  }

  override render() {
    const values = sortedByPath(this.values);
    const now = this.#clock.value?.now() ?? Date.now();
    return html`<section>
      <h2>Last values</h2>
      ${
        values.length === 0
          ? html`<p class="quiet">No value has been heard yet.</p>`
          : html`<table>
            <thead>
              <tr>
                <th class="path" scope="col">Path</th>
                <th scope="col">Resource</th>
                <th class="value" scope="col">Value</th>
                <th class="age" scope="col">Taken</th>
              </tr>
            </thead>
            <tbody>${values.map((value) => this.#row(value, now))}</tbody>
          </table>`
      }
    </section>`;
  }

  #row({ path, value, takenAt }: LastValue, now: number) {
    const { object, resource } = pathName(path);
    return html`<tr>
      <td class="path mono">${path}</td>
      <th scope="row">${this.#object(path, object)}${resource}</th>
      <td class="value ${freshness(takenAt, now)}">${this.#value(path, value)}</td>
      <td class="age"><sy-time-text .at=${takenAt}></sy-time-text></td>
    </tr>`;
  }

  #value(path: string, value: LastValue['value']) {
    const identifier = identifierAt(path);
    if (identifier !== undefined && typeof value === 'string') {
      return html`<sy-identifier kind=${identifier} .value=${value}></sy-identifier>`;
    }
    const text = valueText(path, value, this.#units(path));
    return html`<div class="clamp" title=${text}>${text}</div>`;
  }

  /** A sensor goes by what it measures: its values are many, and all called Value. */
  #object(path: string, object: string) {
    const [id, instance = -1] = path.split('/').slice(1).map(Number);
    const sensor = id === sensorObject.id ? this.sensors.get(instance) : undefined;
    if (sensor === undefined) return html`<span class="object">${object} · </span>`;
    return html`<span class="quiet">${sensorTitle(sensor)} · </span>`;
  }

  #units(path: string): string | undefined {
    const [object, instance = -1, resource = -1] = path.split('/').slice(1).map(Number);
    return object === sensorObject.id && measured.has(resource)
      ? this.sensors.get(instance)?.units
      : undefined;
  }
}

customElements.define('sy-values-table', ValuesTable);
