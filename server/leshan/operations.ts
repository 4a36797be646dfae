import { DecodeError } from '../../protocol/errors.ts';
import {
  decodeAttributeQueries,
  isNotificationAttribute,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { lowestFreeInstance } from '../api/object-content.ts';
import { formatOption, type LeshanCall, type LeshanRequest, parameter, withoutLast } from './call.ts';
import type { LeshanRouteOptions } from './dependencies.ts';
import { executeArgumentsOf } from './execute-arguments.ts';
import { newInstanceOf, writeContentOf } from './node-bodies.ts';
import { nodeAt } from './nodes.ts';
import { pathOf, placeOf } from './paths.ts';
import { invalid, LeshanRefusal } from './refusals.ts';
import { presentLink } from './registrations.ts';

type Needs = Pick<LeshanRouteOptions, 'requests' | 'clock'>;

// Each makes of an HTTP request what is to be asked of the device; it throws LeshanRefusal where that cannot be.

export function read(
  { requests, clock }: Needs,
  { device, rest, query, registry }: LeshanCall,
): LeshanRequest {
  const path = placeOf(rest, 'Read').text;
  return {
    operation: 'read',
    path,
    run: async (options) => {
      const asked = { ...options, ...formatOption(query, 'format') };
      const { records } = await requests.read(device.endpoint, path, asked);
      return { content: nodeAt(path, records, registry, clock.wallTime()) };
    },
  };
}

export function discover({ requests }: Needs, { device, rest }: LeshanCall): LeshanRequest {
  const { text: path, ids } = placeOf(withoutLast(rest), 'Discover');
  if (ids.length > 3) throw invalid(`Discover request cannot target resource instance path: ${path} `);
  return {
    operation: 'discover',
    path,
    run: async (options) => {
      const links = await requests.discover(device.endpoint, path, options);
      return { objectLinks: links.map(presentLink) };
    },
  };
}

export function write(
  { requests }: Needs,
  { device, rest, query, body, registry }: LeshanCall,
): LeshanRequest {
  const path = pathOf(rest);
  const replace = (parameter(query, 'replace') ?? 'true').toLowerCase() === 'true';
  const content = writeContentOf(path, body, replace, registry);
  return {
    operation: 'write',
    path: path.text,
    run: async (options) => {
      const asked = { ...options, ...formatOption(query, 'format') };
      await requests.write(device.endpoint, path.text, content, {
        ...asked,
        mode: replace ? 'replace' : 'update',
      });
      return {};
    },
  };
}

export function writeAttributes({ requests }: Needs, { device, rest, search }: LeshanCall): LeshanRequest {
  const changes = attributesOf(search);
  const path = placeOf(withoutLast(rest), 'WriteAttributes').text;
  return {
    operation: 'attributes',
    path,
    run: async (options) => {
      await requests.writeAttributes(device.endpoint, path, changes, options);
      return {};
    },
  };
}

/** Attributes of links that no Write-Attributes sets (OMA-TS-LightweightM2M_Core §5.1.1). */
const properties: readonly string[] = ['dim', 'ssid', 'uri', 'ver', 'lwm2m'];

function attributesOf(search: string): ReturnType<typeof decodeAttributeQueries> {
  const queries = search.split('&').map((query) => decodeURIComponent(query));
  for (const query of queries) {
    const name = query.split('=')[0] ?? '';
    if (name === '') throw invalidAttributes('unable to parse an attribute without name');
    if (properties.includes(name)) {
      throw invalid(
        `Attribute ${name} is of class PROPERTIES but only NOTIFICATION attribute can be used in WRITE ATTRIBUTE request.`,
      );
    }
    if (!isNotificationAttribute(name)) {
      throw invalidAttributes(`${name} attribute is unknown or not a LWM2M attribute`);
    }
  }
  try {
    return decodeAttributeQueries(queries);
  } catch (error) {
    if (error instanceof DecodeError) throw invalidAttributes(error.message);
    throw error;
  }
}

function invalidAttributes(reason: string): LeshanRefusal {
  return new LeshanRefusal(400, `Invalid attributes: ${reason}`);
}

export function execute({ requests }: Needs, { device, rest, body }: LeshanCall): LeshanRequest {
  const { text: path, ids } = pathOf(rest);
  if (ids.length !== 3) throw invalid(`Invalid path ${path} : Only resource can be executed.`);
  const args = executeArgumentsOf(new TextDecoder().decode(body.bytes));
  return {
    operation: 'execute',
    path,
    run: async (options) => {
      await requests.execute(device.endpoint, path, args, options);
      return {};
    },
  };
}

export function create(
  { requests }: Needs,
  { device, rest, query, body, registry }: LeshanCall,
): LeshanRequest {
  const path = pathOf(rest);
  const { id, recordsAt } = newInstanceOf(path, body, registry);
  return {
    operation: 'create',
    path: path.text,
    run: async (options) => {
      // Where the caller names none it is the lowest that the device has not listed.
      const instance = id ?? lowestFreeInstance(path.ids[0] as number, device.registration.links);
      const wanted = `${path.text}/${instance}`;
      const asked = { ...options, ...formatOption(query, 'format') };
      const made = await requests.create(device.endpoint, wanted, recordsAt(wanted), asked);
      return { location: made.slice(1) };
    },
  };
}

export function remove({ requests }: Needs, { device, rest }: LeshanCall): LeshanRequest {
  const { text: path, ids } = placeOf(rest, 'Delete');
  if (ids.length !== 2) throw invalid(`Invalid path ${path} : Only object instances can be delete`);
  return {
    operation: 'delete',
    path,
    run: async (options) => {
      await requests.delete(device.endpoint, path, options);
      return {};
    },
  };
}
