import { html, type TemplateResult } from 'lit';
import type { SettingsSection } from './data/routes.ts';

interface SettingsSectionEntry {
  readonly section: SettingsSection;
  /** What it takes to see it; everybody may where absent. */
  readonly needs?: 'operate' | 'administer';
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
    section: 'credentials',
    needs: 'operate',
    load: () => import('./elements/sy-settings-credentials.ts'),
    view: (query) => html`<sy-settings-credentials .query=${query}></sy-settings-credentials>`,
  },
  {
    section: 'bootstrap',
    load: () => import('./elements/sy-settings-bootstrap.ts'),
    view: (query) => html`<sy-settings-bootstrap .query=${query}></sy-settings-bootstrap>`,
  },
  {
    section: 'webhooks',
    needs: 'administer',
    load: () => import('./elements/sy-settings-webhooks.ts'),
    view: (query) => html`<sy-settings-webhooks .query=${query}></sy-settings-webhooks>`,
  },
  {
    section: 'account',
    load: () => import('./elements/sy-settings-account.ts'),
    view: () => html`<sy-settings-account></sy-settings-account>`,
  },
  {
    section: 'people',
    needs: 'administer',
    load: () => import('./elements/sy-settings-people.ts'),
    view: (query) => html`<sy-settings-people .query=${query}></sy-settings-people>`,
  },
  {
    section: 'tokens',
    load: () => import('./elements/sy-settings-tokens.ts'),
    view: (query) => html`<sy-settings-tokens .query=${query}></sy-settings-tokens>`,
  },
  {
    section: 'sessions',
    load: () => import('./elements/sy-settings-sessions.ts'),
    view: () => html`<sy-settings-sessions></sy-settings-sessions>`,
  },
  {
    section: 'audit',
    needs: 'administer',
    load: () => import('./elements/sy-settings-audit.ts'),
    view: (query) => html`<sy-settings-audit .query=${query}></sy-settings-audit>`,
  },
  {
    section: 'server',
    needs: 'administer',
    load: () => import('./elements/sy-settings-server.ts'),
    view: () => html`<sy-settings-server></sy-settings-server>`,
  },
];
