import { ContextConsumer } from '@lit/context';
import { css, html, LitElement, nothing } from 'lit';
import { apiContext, clockContext } from '../contexts.ts';
import type { ApiDeviceFacets } from '../data/api-types.ts';
import {
  type DevicesView,
  everything,
  facetQuery,
  type Heard,
  heardChoices,
  isFiltered,
  type StateFilter,
  signalChoices,
  signalText,
  stateFilters,
  stateFilterWords,
  type TextFilter,
  textFilters,
} from '../data/devices-query.ts';
import { clipped } from '../data/names.ts';
import { base, controls } from '../styles/shared.ts';
import './sy-filter-chip.ts';
import type { FilterChangedEvent, FilterChoice } from './sy-filter-chip.ts';

type Facet = 'state' | TextFilter;

const labels: Readonly<Record<Facet, string>> = {
  state: 'State',
  carrier: 'Carrier',
  model: 'Model',
  manufacturer: 'Manufacturer',
  firmware: 'Firmware',
  node: 'Node',
  tenant: 'Tenant',
};

/** What the empty value of a filter is called. */
const noValue: Readonly<Record<TextFilter, string>> = {
  carrier: 'none, or not known',
  model: 'not known',
  manufacturer: 'not known',
  firmware: 'not known',
  node: 'not registered',
  tenant: 'the operator’s own',
};

/** Another list is wanted: filtered otherwise. */
export class ViewChangedEvent extends Event {
  readonly view: DevicesView;

  constructor(view: DevicesView) {
    super('view-changed');
    this.view = view;
  }
}

/** The filters of the list of devices as chips, each with what there is and how often. Fires `view-changed`. */
export class DeviceFilters extends LitElement {
  static override properties = {
    view: { attribute: false },
    tenants: { type: Boolean },
    facets: { state: true },
  };

  static override styles = [
    base,
    controls,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 8px;
      }
      @media (max-width: 760px) {
        :host {
          flex-wrap: nowrap;
          overflow-x: auto;
          scrollbar-width: none;
          padding-block: 3px;
        }
        button {
          flex: none;
        }
      }
    `,
  ];

  declare view: DevicesView;
  /** There are tenants, between which the reader can choose. */
  declare tenants: boolean;
  declare facets: Readonly<
    Partial<Record<Facet, { readonly answer?: ApiDeviceFacets; readonly failed?: boolean }>>
  >;
  readonly #api = new ContextConsumer(this, { context: apiContext });
  readonly #clock = new ContextConsumer(this, { context: clockContext });

  constructor() {
    super();
    this.view = everything;
    this.tenants = false;
    this.facets = {};
  }

  override render() {
    const { view } = this;
    return html`${this.#chip(
      'state',
      view.states,
      stateFilters.filter((state) => view.states.includes(state)).map((state) => stateFilterWords[state]),
    )}
      ${textFilters.map((name) => {
        const values = view.texts[name] ?? [];
        if (name === 'tenant' && !this.tenants && values.length === 0) return nothing;
        return this.#chip(
          name,
          values,
          values.map((value) => value || noValue[name]),
        );
      })}
      <sy-filter-chip
        label="Signal"
        single
        .text=${signalText(view) ?? ''}
        .choices=${signalChoices.map(({ label }) => ({ value: label, label }))}
        .chosen=${signalChoices.filter(({ label }) => label.startsWith(signalText(view) ?? '?')).map(({ label }) => label)}
        @filter-changed=${this.#signalChanged}
      ></sy-filter-chip>
      <sy-filter-chip
        label="Last heard"
        single
        .text=${view.heard === undefined ? '' : heardChoices[view.heard].label}
        .choices=${Object.entries(heardChoices).map(([value, { label }]) => ({ value, label }))}
        .chosen=${view.heard === undefined ? [] : [view.heard]}
        @filter-changed=${this.#heardChanged}
      ></sy-filter-chip>
      ${
        isFiltered({ ...view, search: '' })
          ? html`<button
              class="bare small"
              @click=${() => this.#change({ ...everything, search: view.search, sort: view.sort, descending: view.descending })}
            >
              Clear filters
            </button>`
          : nothing
      }`;
  }

  #chip(facet: Facet, chosen: readonly string[], words: readonly string[]) {
    const loaded = this.facets[facet];
    return html`<sy-filter-chip
      label=${labels[facet]}
      .text=${words.map((word) => clipped(word, 40)).join(', ')}
      .choices=${this.#choices(facet)}
      .chosen=${chosen}
      ?failed=${loaded?.failed === true}
      @filter-opened=${() => this.#load(facet)}
      @filter-changed=${(event: FilterChangedEvent) => this.#facetChanged(facet, event.values)}
    ></sy-filter-chip>`;
  }

  #choices(facet: Facet): readonly FilterChoice[] | undefined {
    const answer = this.facets[facet]?.answer;
    if (answer === undefined) return undefined;
    const found = answer.facets[facet] ?? [];
    if (facet !== 'state') {
      return found.map(({ value, count }) => ({ value: value ?? '', label: value ?? noValue[facet], count }));
    }
    const counts = new Map(found.map(({ value, count }) => [value, count]));
    const of = (...states: string[]) => states.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
    const sums: Readonly<Partial<Record<StateFilter, number>>> = {
      registered: of('awake', 'asleep'),
      unregistered: of('lost', 'left', 'known'),
    };
    return stateFilters
      .filter((state) => state !== 'known' || of('known') > 0)
      .map((state) => ({ value: state, label: stateFilterWords[state], count: sums[state] ?? of(state) }));
  }

  async #load(facet: Facet): Promise<void> {
    const api = this.#api.value;
    if (api === undefined) return;
    const query = facetQuery(this.view, facet, this.#clock.value?.now() ?? Date.now());
    try {
      const answer = await api.get<ApiDeviceFacets>(`/api/devices/facets?${query}`);
      this.facets = { ...this.facets, [facet]: { answer } };
    } catch {
      // The list beside it says what is wrong with the server; here there is nothing to choose from.
      this.facets = { ...this.facets, [facet]: { ...this.facets[facet], failed: true } };
    }
  }

  #facetChanged(facet: Facet, values: readonly string[]): void {
    if (facet === 'state') {
      this.#change({ ...this.view, states: stateFilters.filter((state) => values.includes(state)) });
      return;
    }
    const { [facet]: _, ...texts } = this.view.texts;
    this.#change({ ...this.view, texts: values.length === 0 ? texts : { ...texts, [facet]: values } });
  }

  #signalChanged(event: FilterChangedEvent): void {
    const { signalMin: _, signalMax: __, ...view } = this.view;
    const choice = signalChoices.find(({ label }) => label === event.values[0]);
    if (choice === undefined) {
      this.#change(view);
      return;
    }
    const { label: ___, ...range } = choice;
    this.#change({ ...view, ...range });
  }

  #heardChanged(event: FilterChangedEvent): void {
    const { heard: _, ...view } = this.view;
    const [heard] = event.values as readonly Heard[];
    this.#change(heard === undefined ? view : { ...view, heard });
  }

  #change(view: DevicesView): void {
    this.dispatchEvent(new ViewChangedEvent(view));
  }
}

customElements.define('sy-device-filters', DeviceFilters);
