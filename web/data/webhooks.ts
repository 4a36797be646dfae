import type { ApiClient } from './api-client.ts';
import type {
  ApiWebhook,
  ApiWebhookBody,
  ApiWebhookDeliveriesAnswer,
  ApiWebhookDelivery,
  ApiWebhooksAnswer,
  ApiWebhookWithSecret,
} from './api-types.ts';

const root = '/api/webhooks';
const at = (id: string) => `${root}/${encodeURIComponent(id)}`;
/** As many as the server keeps. */
const allDeliveries = 500;

/** What can be asked for, in groups as one thinks of it. */
export const webhookTypes = [
  {
    group: 'Devices',
    types: [
      { type: 'registered', label: 'Registered' },
      { type: 'updated', label: 'Registration updated' },
      { type: 'deregistered', label: 'De-registered' },
      { type: 'expired', label: 'Registration ran out' },
      { type: 'device', label: 'Carrier, signal or identity changed' },
    ],
  },
  {
    group: 'Security',
    types: [
      { type: 'credential', label: 'A device was enrolled, or its credential changed' },
      { type: 'refused', label: 'A device was not let in' },
    ],
  },
  {
    group: 'Commands and jobs',
    types: [
      { type: 'command', label: 'Each step of a command, a carrier switch too' },
      { type: 'job', label: 'Progress of a job' },
    ],
  },
  {
    group: 'Bootstrap',
    types: [{ type: 'bootstrap', label: 'Each step of a bootstrap' }],
  },
  {
    group: 'Readings',
    types: [{ type: 'readings', label: 'Readings, in batches' }],
  },
  {
    group: 'Observations',
    types: [
      { type: 'observed', label: 'An observation was made' },
      { type: 'observation-ended', label: 'An observation ended' },
      { type: 'observation-refused', label: 'A device refuses what is wanted' },
      { type: 'observation-drifted', label: 'An observation is not as wanted' },
    ],
  },
  {
    group: 'The server',
    types: [
      { type: 'observation-policy', label: 'A policy was changed' },
      { type: 'object-model', label: 'A definition was taken in or out' },
      { type: 'bootstrap-profile', label: 'A bootstrap profile was changed' },
      { type: 'webhook', label: 'The state of a webhook changed' },
      { type: 'node', label: 'A server node came or went' },
    ],
  },
] as const;

export async function fetchWebhooks(api: ApiClient, signal?: AbortSignal): Promise<readonly ApiWebhook[]> {
  return (await api.get<ApiWebhooksAnswer>(root, {}, signal)).items;
}

export function createWebhook(api: ApiClient, body: ApiWebhookBody): Promise<ApiWebhookWithSecret> {
  return api.send('POST', root, body);
}

export function saveWebhook(api: ApiClient, id: string, body: ApiWebhookBody): Promise<ApiWebhook> {
  return api.send('PUT', at(id), body);
}

export function removeWebhook(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', at(id));
}

export function testWebhook(api: ApiClient, id: string): Promise<ApiWebhookDelivery> {
  return api.send('POST', `${at(id)}/test`);
}

export function rotateSecret(api: ApiClient, id: string): Promise<ApiWebhookWithSecret> {
  return api.send('POST', `${at(id)}/secret`);
}

export async function fetchDeliveries(
  api: ApiClient,
  id: string,
  signal?: AbortSignal,
): Promise<readonly ApiWebhookDelivery[]> {
  const query = { limit: allDeliveries };
  return (await api.get<ApiWebhookDeliveriesAnswer>(`${at(id)}/deliveries`, query, signal)).items;
}

export function retryDelivery(api: ApiClient, id: string, delivery: string): Promise<ApiWebhookDelivery> {
  return api.send('POST', `${at(id)}/deliveries/${encodeURIComponent(delivery)}/retry`);
}

/** What a person has said of a webhook, without what the server keeps about it. */
export function webhookBody({ name, url, types, endpoints, enabled }: ApiWebhook): ApiWebhookBody {
  return { name, url, types, endpoints, enabled };
}

/** A webhook as it stands in the form. */
export interface WebhookForm {
  readonly name: string;
  readonly url: string;
  readonly types: ReadonlySet<string>;
  /** Globs, by comma or by line. */
  readonly endpoints: string;
  readonly enabled: boolean;
}

export const emptyWebhook: WebhookForm = {
  name: '',
  url: '',
  types: new Set(['registered', 'deregistered', 'expired', 'command']),
  endpoints: '',
  enabled: true,
};

export function formOfWebhook({ name, url, types, endpoints, enabled }: ApiWebhook): WebhookForm {
  return { name, url, types: new Set(types), endpoints: endpoints.join(', '), enabled };
}

/** What the form says, as the API takes it; and what has to be mended first, by field. */
export function webhookOfForm(form: WebhookForm): {
  readonly body: ApiWebhookBody;
  readonly faults: ReadonlyMap<string, string>;
} {
  const faults = new Map<string, string>();
  const name = form.name.trim();
  const url = form.url.trim();
  if (name === '') faults.set('name', 'Give it a name');
  if (name.length > 100) faults.set('name', 'At most 100 characters');
  if (!/^https?:\/\/[^\s/]/i.test(url) || !URL.canParse(url)) {
    faults.set('url', 'An address that begins with https:// or http://');
  }
  if (form.types.size === 0) faults.set('types', 'Choose what it is to be told');
  const endpoints = form.endpoints.split(/[\s,]+/).filter(Boolean);
  if (endpoints.length > 100) faults.set('endpoints', 'At most 100');
  return { body: { name, url, types: [...form.types], endpoints, enabled: form.enabled }, faults };
}

/** `registered, command and 3 more` */
export function typesText(types: readonly string[], most = 4): string {
  if (types.length <= most) return types.join(', ');
  return `${types.slice(0, most - 1).join(', ')} and ${types.length - most + 1} more`;
}

/** How a state is said, and how it looks. */
export const webhookStates = {
  active: { word: 'active', look: 'good' },
  retrying: { word: 'retrying', look: 'waiting' },
  paused: { word: 'paused', look: 'quiet' },
  disabled: { word: 'given up', look: 'bad' },
} as const satisfies Readonly<Record<ApiWebhook['state'], { readonly word: string; readonly look: string }>>;

export const deliveryLooks = {
  delivered: 'good',
  retrying: 'waiting',
  failed: 'bad',
} as const satisfies Readonly<Record<ApiWebhookDelivery['state'], string>>;

/** What a delivery's last attempt came to: `204 in 12 ms`, `the connection was refused`. */
export function outcomeText({ status, reason, duration }: ApiWebhookDelivery): string {
  const said = reason ?? (status === undefined ? '' : String(status));
  return duration === undefined ? said : `${said}, ${Math.max(1, Math.round(duration))} ms`;
}
