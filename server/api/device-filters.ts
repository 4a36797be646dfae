import { Type } from 'typebox';
import { RequestError } from '../../protocol/errors.ts';
import {
  type DeviceFilter,
  type DeviceSort,
  type DeviceText,
  deviceSorts,
  deviceStateFilters,
  deviceTexts,
} from '../ports/device-store.ts';
import { type ApiDeviceFilter, DeviceFilterSchema, DeviceSchema } from './schemas/devices.ts';

const { q, signalMin, signalMax, seenSince, seenBefore } = DeviceFilterSchema.properties;

/** Texts one after the other, by comma. */
function list(what: string, choices: readonly string[]) {
  const one = `(${choices.join('|')})`;
  return Type.String({
    pattern: `^${one}(,${one})*$`,
    description: `${what}, by comma: ${choices.join(', ')}`,
  });
}

function texts(what: string) {
  return Type.Optional(
    Type.String({ maxLength: 4000, description: `${what}; several by comma, a comma within one as \\,` }),
  );
}

/** Members of DeviceFilter as query parameters. */
export const deviceFilterParameters = {
  q,
  state: Type.Optional(list('In one of these states', deviceStateFilters)),
  carrier: texts('Current carrier; empty: none is known, or it is disconnected'),
  manufacturer: texts('Manufacturer; empty: not known'),
  model: texts('Model; empty: not known'),
  firmware: texts('Firmware version; empty: not known'),
  node: texts('The server node of the registration; empty: not registered'),
  tenant: texts('Tenant; empty: the operator’s own'),
  signalMin,
  signalMax,
  seenSince,
  seenBefore,
};

type FilterParameters = {
  readonly [Name in keyof ApiDeviceFilter]?: ApiDeviceFilter[Name] extends readonly string[] | undefined
    ? string
    : ApiDeviceFilter[Name];
};

/** The filter of a query. @throws RequestError a list ends in a lone backslash */
export function filterOfQuery(query: FilterParameters): DeviceFilter {
  const lists: Partial<Record<'state' | DeviceText, string[]>> = {};
  for (const name of ['state', ...deviceTexts] as const) {
    const text = query[name];
    if (text !== undefined) lists[name] = splitList(name, text);
  }
  const { q, signalMin, signalMax, seenSince, seenBefore } = query;
  const rest = { q, signalMin, signalMax, seenSince, seenBefore };
  return filterOfBody({ ...rest, ...lists } as ApiDeviceFilter);
}

/** The filter of a body, as jobs take it. */
export function filterOfBody({ q: search, state, ...rest }: ApiDeviceFilter): DeviceFilter {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(search === undefined || search === '' ? {} : { search }),
    ...(state === undefined ? {} : { states: state }),
    ...Object.fromEntries(given),
  };
}

/** Texts by comma; a comma or a backslash within one stands behind a backslash. @throws RequestError */
function splitList(name: string, text: string): string[] {
  const parts = [''];
  for (let index = 0; index < text.length; index++) {
    let character = text[index] as string;
    if (character === ',') {
      parts.push('');
      continue;
    }
    if (character === '\\') {
      index += 1;
      const next = text[index];
      if (next === undefined) throw new RequestError(`${name}: nothing follows the last backslash`);
      character = next;
    }
    parts[parts.length - 1] += character;
  }
  return parts;
}

export const sortParameter = Type.Optional(
  Type.Enum(
    deviceSorts.flatMap((sort) => [sort, `-${sort}` as const]),
    {
      description:
        'By what they are sorted, with `-` descending; `endpoint` where absent. Devices without such a value come last, ' +
        'those with the same by endpoint.',
    },
  ),
);

export function sortOf(text: DeviceSort | `-${DeviceSort}`): { sort: DeviceSort; descending: boolean } {
  const descending = text.startsWith('-');
  return { sort: (descending ? text.slice(1) : text) as DeviceSort, descending };
}

const deviceFields = Object.keys(DeviceSchema.properties) as (keyof typeof DeviceSchema.properties)[];

export const fieldsParameter = Type.Optional(list('Only these members, and the endpoint', deviceFields));

export function fieldsOf(text: string): readonly (keyof typeof DeviceSchema.properties)[] {
  const wanted = new Set(text.split(','));
  return deviceFields.filter((field) => wanted.has(field));
}

export const facetParameter = list('What is counted', ['state', ...deviceTexts]);

export function facetsOf(text: string): readonly (DeviceText | 'state')[] {
  return [...new Set(text.split(','))] as (DeviceText | 'state')[];
}
