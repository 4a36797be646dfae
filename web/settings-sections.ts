import { html, type TemplateResult } from 'lit';
import type { SettingsSection } from './data/routes.ts';

interface SettingsSectionEntry {
  readonly section: SettingsSection;
  /** Loads its code, when it is first gone to. */
  readonly load: () => Promise<unknown>;
  /** `query` is what the address says behind its question mark. */
  readonly view: (query: string) => TemplateResult;
}

/** All sections of the settings, in their order. A section that is not in here is not there. */
export const settingsSectionEntries: readonly SettingsSectionEntry[] = [
  {
    section: 'objects',
    load: () => import('./elements/sy-settings-objects.ts'),
    view: (query) => html`<sy-settings-objects .query=${query}></sy-settings-objects>`,
  },
  {
    section: 'policies',
    load: () => import('./elements/sy-settings-policies.ts'),
    view: (query) => html`<sy-settings-policies .query=${query}></sy-settings-policies>`,
  },
  {
    section: 'webhooks',
    load: () => import('./elements/sy-settings-webhooks.ts'),
    view: (query) => html`<sy-settings-webhooks .query=${query}></sy-settings-webhooks>`,
  },
  {
    section: 'server',
    load: () => import('./elements/sy-settings-server.ts'),
    view: () => html`<sy-settings-server></sy-settings-server>`,
  },
];
