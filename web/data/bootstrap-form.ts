import type { ApiBootstrapProfileBody } from './api-types.ts';

type Server = ApiBootstrapProfileBody['servers'][number];

/** One server as it stands in the form: texts, as they are typed. */
export interface ServerForm {
  readonly shortServerId: string;
  readonly uri: string;
  readonly security: Server['security'];
  readonly lifetime: string;
  readonly binding: string;
  /** What the form has no fields for. */
  readonly others: Partial<Server>;
}

export interface ProfileForm {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly endpoint: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly priority: string;
  readonly remove: string;
  readonly readFirst: boolean;
  readonly retries: string;
  readonly servers: readonly ServerForm[];
  /** A line each: `/3/0/15 = Europe/Berlin`. */
  readonly objects: string;
  readonly access: ApiBootstrapProfileBody['access'];
}

/** What is wrong with a form, by field: `id`, `name`, `0.lifetime`. */
export type ProfileFaults = ReadonlyMap<string, string>;

export const emptyServer: ServerForm = {
  shortServerId: '101',
  uri: '',
  security: 'psk',
  lifetime: '300',
  binding: 'U',
  others: { notificationStoring: true },
};

export const emptyProfile: ProfileForm = {
  id: '',
  name: '',
  enabled: true,
  endpoint: '',
  manufacturer: '',
  model: '',
  priority: '1',
  remove: '/0 /1 /2',
  readFirst: false,
  retries: '1',
  servers: [emptyServer],
  objects: '',
  access: [],
};

export function formOfProfile(id: string, body: ApiBootstrapProfileBody): ProfileForm {
  const { name, enabled, devices, priority, remove, readFirst, retries, servers, objects, access } = body;
  return {
    id,
    name,
    enabled,
    endpoint: devices.endpoint ?? '',
    manufacturer: devices.manufacturer ?? '',
    model: devices.model ?? '',
    priority: String(priority),
    remove: remove.join(' '),
    readFirst,
    retries: String(retries),
    servers: servers.map(({ shortServerId, uri, security, lifetime, binding, ...others }) => ({
      shortServerId: String(shortServerId),
      uri: uri ?? '',
      security,
      lifetime: String(lifetime),
      binding,
      others,
    })),
    objects: objects.map(({ path, value }) => `${path} = ${String(value)}`).join('\n'),
    access,
  };
}

/** The profile that a form says, and what has to be mended first. */
export function profileOfForm(form: ProfileForm): {
  readonly body: ApiBootstrapProfileBody;
  readonly faults: ProfileFaults;
} {
  const faults = new Map<string, string>();
  if (!/^[a-z0-9-]{1,64}$/.test(form.id)) faults.set('id', 'Lower-case letters, digits and hyphens');
  if (form.name.trim() === '') faults.set('name', 'Give it a name');
  if (form.servers.length === 0) faults.set('servers', 'A device needs a server at least');
  const whole = (field: string, text: string, minimum: number, maximum: number): number => {
    const number = Number(text);
    const fits = /^-?\d+$/.test(text.trim()) && number >= minimum && number <= maximum;
    if (!fits) faults.set(field, `A whole number from ${minimum} to ${maximum}`);
    return fits ? number : minimum;
  };
  const text = (value: string, name: string) => (value.trim() === '' ? {} : { [name]: value.trim() });
  const servers = form.servers.map((server, index): Server => {
    const { uri, security, binding, others } = server;
    const scheme = security === 'psk' ? 'coaps' : 'coap';
    if (uri.trim() !== '' && !uri.trim().startsWith(`${scheme}://`)) {
      faults.set(`${index}.uri`, `${scheme}://host:port; empty: this server`);
    }
    if (!/^[UTSNQMH]{1,8}$/.test(binding.trim())) faults.set(`${index}.binding`, 'U, or UQ for queue mode');
    return {
      notificationStoring: true,
      ...others,
      shortServerId: whole(`${index}.shortServerId`, server.shortServerId, 1, 65_534),
      ...text(uri, 'uri'),
      security,
      lifetime: whole(`${index}.lifetime`, server.lifetime, 0, 2_147_483_647),
      binding: binding.trim(),
    };
  });
  const objects = form.objects
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, path, value] = /^(\/\S+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (path === undefined || value === undefined) {
        faults.set('objects', `A line is /3/0/15 = value, not ${line.slice(0, 40)}`);
      }
      return { path: path ?? '', value: valueOfText(value ?? '') };
    });
  return {
    body: {
      name: form.name.trim(),
      enabled: form.enabled,
      devices: {
        ...text(form.endpoint, 'endpoint'),
        ...text(form.manufacturer, 'manufacturer'),
        ...text(form.model, 'model'),
      },
      priority: whole('priority', form.priority, -1_000_000, 1_000_000),
      readFirst: form.readFirst,
      remove: form.remove.split(/[\s,]+/).filter((path) => path !== ''),
      servers,
      objects,
      access: form.access,
      retries: whole('retries', form.retries, 0, 5),
    },
    faults,
  };
}

/** Numbers and truth values as such; everything else is text. */
function valueOfText(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** A profile as JSON; what is wrong with the text where it is none. */
export function profileOfJson(text: string): ApiBootstrapProfileBody | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
  const lists = ['remove', 'servers', 'objects', 'access'];
  const isProfile =
    typeof value === 'object' &&
    value !== null &&
    lists.every((name) => Array.isArray((value as Record<string, unknown>)[name])) &&
    typeof (value as Record<string, unknown>)['devices'] === 'object';
  if (!isProfile) return { fault: `A profile is an object with name, devices, ${lists.join(', ')}` };
  return value as ApiBootstrapProfileBody;
}
