import type { ApiObservationPolicyBody } from './api-types.ts';

type Wanted = ApiObservationPolicyBody['observations'][number];
type Attributes = NonNullable<Wanted['attributes']>;

/** The notification attributes with what each means, in the order in which they are filled in. */
export const policyAttributes = [
  { name: 'pmin', label: 'pmin, s', hint: 'Least time between two notifications' },
  { name: 'pmax', label: 'pmax, s', hint: 'Longest time between two notifications' },
  { name: 'gt', label: 'gt', hint: 'Notify when the value crosses it' },
  { name: 'lt', label: 'lt', hint: 'Notify when the value crosses it' },
  { name: 'st', label: 'st', hint: 'Notify when the value has changed by it' },
  { name: 'epmin', label: 'epmin, s', hint: 'Least time between two samples (LwM2M 1.1)' },
  { name: 'epmax', label: 'epmax, s', hint: 'Longest time between two samples (LwM2M 1.1)' },
  { name: 'edge', label: 'edge', hint: '0: falling, 1: rising edge of a boolean (LwM2M 1.2)' },
  { name: 'con', label: 'con', hint: '1: confirmable notifications (LwM2M 1.2)' },
  { name: 'hqmax', label: 'hqmax', hint: 'Historical values kept (LwM2M 1.2)' },
] as const satisfies readonly {
  readonly name: keyof Attributes;
  readonly label: string;
  readonly hint: string;
}[];

const whole = new Set<string>(['pmin', 'pmax', 'epmin', 'epmax', 'edge', 'con', 'hqmax']);

/** One wish as it stands in the form: texts, as they are typed. */
export interface WantedForm {
  readonly paths: string;
  readonly attributes: Readonly<Partial<Record<keyof Attributes, string>>>;
  readonly contentFormat: string;
  readonly composite: boolean;
  readonly exclude: boolean;
}

export interface PolicyForm {
  readonly name: string;
  readonly enabled: boolean;
  readonly endpoint: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly object: string;
  readonly observations: readonly WantedForm[];
}

/** What is wrong with a form, by field: `name`, `object`, `0.paths`, `0.pmin`. */
export type PolicyFaults = ReadonlyMap<string, string>;

export const emptyWanted: WantedForm = {
  paths: '',
  attributes: {},
  contentFormat: '',
  composite: false,
  exclude: false,
};

export const emptyPolicy: PolicyForm = {
  name: '',
  enabled: true,
  endpoint: '',
  manufacturer: '',
  model: '',
  object: '',
  observations: [emptyWanted],
};

export function formOfPolicy({
  name,
  enabled,
  devices = {},
  observations,
}: ApiObservationPolicyBody): PolicyForm {
  return {
    name,
    enabled: enabled ?? true,
    endpoint: devices.endpoint ?? '',
    manufacturer: devices.manufacturer ?? '',
    model: devices.model ?? '',
    object: devices.object === undefined ? '' : String(devices.object),
    observations: observations.map((wanted) => ({
      paths: wanted.paths.join(', '),
      attributes: Object.fromEntries(
        Object.entries(wanted.attributes ?? {}).map(([attribute, value]) => [attribute, String(value)]),
      ),
      contentFormat: wanted.contentFormat === undefined ? '' : String(wanted.contentFormat),
      composite: wanted.composite ?? false,
      exclude: wanted.exclude ?? false,
    })),
  };
}

/** What the form says, as the API takes it; or what has to be mended first. */
export function policyOfForm(form: PolicyForm): {
  readonly body: ApiObservationPolicyBody;
  readonly faults: PolicyFaults;
} {
  const faults = new Map<string, string>();
  const name = form.name.trim();
  if (name === '') faults.set('name', 'Give it a name');
  if (name.length > 100) faults.set('name', 'At most 100 characters');
  const object = number(form.object, true);
  if (object === null || (object !== undefined && (object < 0 || object > 65534)))
    faults.set('object', 'A number from 0 to 65534');
  const texts = Object.entries({
    endpoint: form.endpoint.trim(),
    manufacturer: form.manufacturer.trim(),
    model: form.model.trim(),
  }).filter(([, text]) => text !== '');
  return {
    body: {
      name,
      enabled: form.enabled,
      devices: { ...Object.fromEntries(texts), ...(typeof object === 'number' && { object }) },
      observations: form.observations.map((wanted, index) => wantedOfForm(wanted, `${index}.`, faults)),
    },
    faults,
  };
}

function wantedOfForm(form: WantedForm, prefix: string, faults: Map<string, string>): Wanted {
  const paths = form.paths.split(/[\s,]+/).filter(Boolean);
  const wrong = paths.find((path) => !/^\/\d+(\/(\d+|\*)(\/\d+(\/\d+)?)?)?$/.test(path));
  if (paths.length === 0) faults.set(`${prefix}paths`, 'Give a path, as /3/0/9');
  else if (wrong !== undefined)
    faults.set(`${prefix}paths`, `${wrong} is no path: /object/instance/resource, the instance may be *`);
  const attributes: Record<string, number> = {};
  for (const { name } of policyAttributes) {
    const value = number(form.attributes[name] ?? '', whole.has(name));
    if (value === null) faults.set(`${prefix}${name}`, whole.has(name) ? 'A whole number' : 'A number');
    else if (value !== undefined) attributes[name] = value;
  }
  const contentFormat = number(form.contentFormat, true);
  if (contentFormat === null) faults.set(`${prefix}contentFormat`, 'A whole number, as 112');
  return {
    paths,
    ...(Object.keys(attributes).length > 0 && { attributes: attributes as Attributes }),
    ...(typeof contentFormat === 'number' && { contentFormat }),
    ...(form.composite && { composite: true }),
    ...(form.exclude && { exclude: true }),
  };
}

/** Undefined where nothing is typed, null where it is no number of the kind. */
function number(text: string, integer: boolean): number | undefined | null {
  const trimmed = text.trim().replace(',', '.').replace('−', '-');
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && (!integer || (Number.isInteger(value) && value >= 0)) ? value : null;
}

/** The policy of a JSON text, or why it is none, with the line where that can be told. */
export function policyOfJson(text: string): ApiObservationPolicyBody | { readonly fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const position = /position (\d+)/.exec(message)?.[1];
    const line = position === undefined ? '' : `Line ${text.slice(0, Number(position)).split('\n').length}: `;
    return { fault: `${line}${message.replace(/ \(line.*$/, '')}` };
  }
  const policy = value as Partial<ApiObservationPolicyBody> | null;
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) {
    return { fault: 'A policy is an object: {"name": …, "observations": […]}' };
  }
  if (typeof policy.name !== 'string') return { fault: '"name" is a text, and must be there' };
  const { observations } = policy;
  if (!Array.isArray(observations)) return { fault: '"observations" is a list, and must be there' };
  if (observations.some((wanted) => !Array.isArray((wanted as Partial<Wanted> | null)?.paths))) {
    return { fault: 'each of "observations" has "paths", a list' };
  }
  return policy as ApiObservationPolicyBody;
}
