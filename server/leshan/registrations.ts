import { hash } from 'node:crypto';
import { attributeText, type Link } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { Registration, RegistrationUpdate } from '../ports/registration-store.ts';
import { shownAddress } from '../transport/session-address.ts';

export interface LeshanLink {
  readonly url: string;
  /** As they stand in link format, with their quotes; null for one without a value. */
  readonly attributes: Readonly<Record<string, string | null>>;
}

export interface LeshanRegistration {
  readonly endpoint: string;
  readonly registrationId: string;
  readonly registrationDate: number;
  readonly lastUpdate: number;
  readonly address: string;
  readonly smsNumber?: string;
  readonly lwM2mVersion: string;
  readonly lifetime: number;
  readonly bindingMode: string;
  readonly rootPath: string;
  readonly objectLinks: readonly LeshanLink[];
  readonly secure: boolean;
  readonly additionalRegistrationAttributes: Readonly<Record<string, string>>;
  readonly queuemode: boolean;
  readonly availableInstances: Readonly<Record<string, readonly number[]>>;
  readonly sleeping?: boolean;
}

export interface LeshanUpdate {
  readonly registrationId: string;
  readonly address: string;
  readonly smsNumber?: string;
  readonly lifetime?: number;
  readonly alternatePath?: string;
  readonly objectLinks?: readonly LeshanLink[];
  readonly secure: boolean;
  readonly additionalAttributes: Readonly<Record<string, string>>;
}

const ALIAS_LENGTH = 10;

/**
 * Names a registration without giving away its id: who has that could act as the device. The same as long as the
 * registration lasts, and another for the next.
 */
function registrationAlias(id: string): string {
  return hash('sha256', id, 'base64url').slice(0, ALIAS_LENGTH);
}

/** @param awake whether it is taken to listen; told of devices in queue mode only */
export function presentRegistration(registration: Registration, awake: boolean): LeshanRegistration {
  const { links, smsNumber, queueMode } = registration;
  return {
    endpoint: registration.endpoint,
    registrationId: registrationAlias(registration.id),
    registrationDate: registration.registeredAt,
    lastUpdate: registration.updatedAt,
    address: shownAddress(registration),
    ...(smsNumber === undefined ? {} : { smsNumber }),
    lwM2mVersion: registration.version,
    lifetime: registration.lifetime,
    bindingMode: registration.binding,
    rootPath: registration.rootPath,
    objectLinks: objectLinks(registration, registration.contentFormats),
    secure: registration.identity !== undefined,
    additionalRegistrationAttributes: { ...registration.additional },
    queuemode: queueMode,
    availableInstances: availableInstances(links),
    ...(queueMode ? { sleeping: !awake } : {}),
  };
}

/** What an Update said. */
export function presentUpdate(update: RegistrationUpdate, registration: Registration): LeshanUpdate {
  const { lifetime, smsNumber, links, contentFormats } = update;
  const { rootPath } = registration;
  const listed = links === undefined ? undefined : objectLinks({ ...registration, links }, contentFormats);
  const hasRoot = listed?.[0]?.url === rootPath;
  return {
    registrationId: registrationAlias(update.id),
    address: shownAddress(update),
    ...(smsNumber === undefined ? {} : { smsNumber }),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(hasRoot ? { alternatePath: rootPath } : {}),
    ...(listed === undefined ? {} : { objectLinks: listed }),
    secure: update.identity !== undefined,
    additionalAttributes: {},
  };
}

export function presentLink({ target, attributes }: Link): LeshanLink {
  const shown = Object.entries(attributes).map(([name, value]) => [
    name,
    value === '' ? null : attributeText(name, value),
  ]);
  return { url: target, attributes: Object.fromEntries(shown) as LeshanLink['attributes'] };
}

/**
 * As the client listed them: with its root, and below it.
 * @param formats that stand in the list
 */
function objectLinks(
  { rootPath, contentFormats, links }: Pick<Registration, 'rootPath' | 'contentFormats' | 'links'>,
  formats: readonly number[] = [],
): LeshanLink[] {
  const root = rootPath === '/' ? '' : rootPath;
  const below = links.map(({ target, attributes }) =>
    presentLink({ target: `${root}${target}`, attributes }),
  );
  // A client that says which formats it speaks says so at its root.
  if (root === '' && contentFormats.length === 0) return below;
  const ct = formats.length === 0 ? {} : { ct: formats.join(' ') };
  return [presentLink({ target: rootPath, attributes: { rt: 'oma.lwm2m', ...ct } }), ...below];
}

function availableInstances(links: readonly Link[]): Record<string, number[]> {
  const found: Record<string, Set<number>> = {};
  for (const { target } of links) {
    const [object, instance] = pathIds(target) ?? [];
    if (object === undefined || instance === undefined) continue;
    found[object] ??= new Set();
    found[object].add(instance);
  }
  return Object.fromEntries(
    Object.entries(found).map(([object, instances]) => [object, [...instances].sort((a, b) => a - b)]),
  );
}
