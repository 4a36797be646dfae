import { html, type TemplateResult } from 'lit';
import type { DeviceTab } from './data/routes.ts';
import type { DeviceController, DevicePart } from './device-controller.ts';

/** What a tab is handed: the device, kept true, and what the address says of the tab. */
export interface TabContext {
  readonly endpoint: string;
  readonly source: DeviceController;
  readonly path: string;
  readonly query: string;
}

interface DeviceTabEntry {
  readonly tab: DeviceTab;
  readonly label: string;
  /** What of the device is loaded, and kept true, while the tab is open. */
  readonly parts: readonly DevicePart[];
  /** Loads its code, when it is first gone to. */
  readonly load: () => Promise<unknown>;
  readonly view: (context: TabContext) => TemplateResult;
}

/** All tabs of a device, in their order. A tab that is not in here is not there. */
export const deviceTabEntries: readonly DeviceTabEntry[] = [
  {
    tab: 'live',
    label: 'Live',
    parts: ['readings', 'observations'],
    load: () => import('./elements/sy-device-live.ts'),
    view: ({ endpoint, source }) =>
      html`<sy-device-live .endpoint=${endpoint} .source=${source}></sy-device-live>`,
  },
  {
    tab: 'carrier',
    label: 'Carrier',
    parts: ['carrier', 'values'],
    load: () => import('./elements/sy-device-carrier.ts'),
    view: ({ endpoint, source }) =>
      html`<sy-device-carrier .endpoint=${endpoint} .source=${source}></sy-device-carrier>`,
  },
  {
    tab: 'objects',
    label: 'Objects',
    parts: ['values', 'observations'],
    load: () => import('./elements/sy-device-objects.ts'),
    view: ({ endpoint, source, path }) =>
      html`<sy-device-objects .endpoint=${endpoint} .source=${source} .path=${path}></sy-device-objects>`,
  },
  {
    tab: 'commands',
    label: 'Commands',
    parts: [],
    load: () => import('./elements/sy-device-commands.ts'),
    view: ({ endpoint, query }) =>
      html`<sy-device-commands .endpoint=${endpoint} .query=${query}></sy-device-commands>`,
  },
  {
    tab: 'events',
    label: 'Events',
    parts: [],
    load: () => import('./elements/sy-device-events.ts'),
    view: ({ endpoint, query }) =>
      html`<sy-device-events .endpoint=${endpoint} .query=${query}></sy-device-events>`,
  },
  {
    tab: 'bootstrap',
    label: 'Bootstrap',
    parts: [],
    load: () => import('./elements/sy-device-bootstrap.ts'),
    view: ({ endpoint }) => html`<sy-device-bootstrap .endpoint=${endpoint}></sy-device-bootstrap>`,
  },
  {
    tab: 'trace',
    label: 'Trace',
    parts: [],
    load: () => import('./elements/sy-device-trace.ts'),
    view: ({ endpoint, source, query }) =>
      html`<sy-device-trace .endpoint=${endpoint} .source=${source} .query=${query}></sy-device-trace>`,
  },
];
