import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../protocol/lwm2m/object-links.ts';
import { TextMemo } from '../../protocol/lwm2m/text-memo.ts';
import { parseProfiles } from './profile-ids.ts';
import { supportedVersions } from './versions.ts';

/** Lifetime where the client gives none, §6.2.1: one day. */
const DEFAULT_LIFETIME = 86_400;
/** 2^31 - 1 s is 68 years: 1.0 allows it, and it keeps times exact. */
const LONGEST_LIFETIME = 2_147_483_647;
/** An endpoint name longer than this is refused; §6.2.1 sets no bound. */
const MAX_ENDPOINT_LENGTH = 255;
const MAX_PARAMETERS = 32;
/** Controls, invisible and direction-changing characters: two names that look the same must be the same. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;

/** The client's LwM2M version is not one of ours: 4.12, after which a client may come back with a lower one. */
export class UnsupportedVersionError extends RequestError {}

/** What a Register or Update says, §6.2.1 and §6.2.2; absent members were not said. */
export interface RegistrationParameters {
  readonly endpoint?: string;
  readonly lifetime?: number;
  readonly version?: string;
  readonly binding?: string;
  readonly queueMode?: boolean;
  readonly smsNumber?: string;
  readonly profiles?: readonly string[];
  readonly additional: Readonly<Record<string, string>>;
}

/** Without a prototype: the names are the peer's. */
const noParameters: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** What says nothing at all, as of most Updates. */
const nothing: RegistrationParameters = { additional: noParameters };

/** @throws RequestError a parameter that cannot be; its message is the diagnostic payload. */
export function parseParameters(queries: readonly string[]): RegistrationParameters {
  if (queries.length === 0) return nothing;
  if (queries.length > MAX_PARAMETERS) throw new RequestError('too many query parameters');
  const known: {
    endpoint?: string;
    lifetime?: number;
    version?: string;
    binding?: string;
    queueMode?: boolean;
    smsNumber?: string;
    profiles?: readonly string[];
  } = {};
  let additional: Record<string, string> | undefined;
  for (const query of queries) {
    const equals = query.indexOf('=');
    const name = equals < 0 ? query : query.slice(0, equals);
    const value = equals < 0 ? '' : query.slice(equals + 1);
    switch (name) {
      case 'ep':
        if (known.endpoint !== undefined) throw new RequestError('endpoint client name (ep) is given twice');
        known.endpoint = value;
        break;
      case 'lt':
        known.lifetime = parseLifetime(value);
        break;
      case 'lwm2m':
        known.version = value.replace(/^"|"$/g, '');
        break;
      case 'b':
        known.binding = parseBinding(value);
        break;
      case 'Q':
        known.queueMode = true;
        break;
      case 'sms':
        known.smsNumber = value;
        break;
      case 'pid':
        known.profiles = parseProfiles(value);
        break;
      default:
        additional ??= Object.create(null) as Record<string, string>;
        additional[name] = value;
    }
  }
  // 1.0 says queue mode in the binding (`UQ`), later versions in `Q`.
  if (known.binding?.includes('Q') === true) known.queueMode = true;
  return { ...known, additional: additional ?? noParameters };
}

/** The name that a client registers under. */
export function requireEndpoint(parameters: Pick<RegistrationParameters, 'endpoint'>): string {
  const { endpoint } = parameters;
  if (endpoint === undefined || endpoint === '')
    throw new RequestError('endpoint client name (ep) is missing');
  if (endpoint.length > MAX_ENDPOINT_LENGTH) {
    throw new RequestError(`endpoint client name is longer than ${MAX_ENDPOINT_LENGTH} characters`);
  }
  if (UNPRINTABLE.test(endpoint))
    throw new RequestError('endpoint client name has a character that cannot be shown');
  // As a segment of a URL these two mean something else, however they are escaped (RFC 3986 §5.2.4).
  if (endpoint === '.' || endpoint === '..')
    throw new RequestError(`endpoint client name cannot be '${endpoint}'`);
  return endpoint;
}

/** A client that says no version is taken for one of 1.0. */
export function requireVersion(parameters: RegistrationParameters): string {
  const given = parameters.version ?? '1.0';
  // `1.2.1` is a 1.2 with other words: what is after the minor version changes no message.
  const version = /^\d+\.\d+\.\d+$/.test(given) ? given.slice(0, given.lastIndexOf('.')) : given;
  if (!(supportedVersions as readonly string[]).includes(version)) {
    throw new UnsupportedVersionError(
      `LwM2M ${version.slice(0, 20)} is not supported; ${supportedVersions.join(', ')} are`,
    );
  }
  return version;
}

export function lifetimeOf(parameters: RegistrationParameters): number {
  return parameters.lifetime ?? DEFAULT_LIFETIME;
}

function parseLifetime(value: string): number {
  const lifetime = Number(value);
  // However many digits: a client that was written more than there is would never come back otherwise.
  if (!/^\d+$/.test(value)) {
    throw new RequestError(`lifetime (lt) must be a number of seconds, not '${value.slice(0, 20)}'`);
  }
  // 0 is without end (Appendix E.2, resource 1).
  return lifetime === 0 ? LONGEST_LIFETIME : Math.min(lifetime, LONGEST_LIFETIME);
}

function parseBinding(value: string): string {
  if (!/^[UTSNQMH]{1,8}$/.test(value))
    throw new RequestError(`binding (b) '${value.slice(0, 20)}' is not known`);
  return value;
}

/** Objects that a client lists, its root path taken off. */
export interface ListedObjects {
  readonly rootPath: string;
  readonly contentFormats: readonly number[];
  readonly links: readonly Link[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

const listed = new TextMemo((text: string): ListedObjects => {
  const { rootPath, contentFormats, objects } = objectLinks(parseLinks(text));
  return {
    rootPath,
    contentFormats,
    links: objects.map(({ path, attributes }) => ({ target: path, attributes })),
  };
});

/**
 * What devices list in the same words is the same object.
 * @throws DecodeError the payload is no link format.
 */
export function parseObjects(payload: Uint8Array): ListedObjects {
  let text: string;
  try {
    text = utf8.decode(payload);
  } catch (error) {
    throw new DecodeError('object links are not UTF-8', { cause: error });
  }
  return listed.get(text);
}
