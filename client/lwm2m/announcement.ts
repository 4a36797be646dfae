import type { OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { formatLinks, type Link } from '../../protocol/lwm2m/link-format.ts';
import type { LwM2mVersion } from './formats.ts';
import type { ProfileIds } from './profile-id.ts';
import type { ServerAccount } from './server-account.ts';

/** What a client tells of itself with a Register, and of which an Update tells what is new. */
export interface Announcement {
  /** Seconds. */
  readonly lifetime: number;
  /** Queries for binding and queue mode. */
  readonly binding: readonly string[];
  /** Link format. */
  readonly links: string;
  /** Profile ids that stand for the links; empty: none. */
  readonly profile: string;
}

/** What a client that is told of an unsupported version tries next. */
export const lowerVersion: Readonly<Record<LwM2mVersion, LwM2mVersion | undefined>> = {
  '1.2': '1.1',
  '1.1': '1.0',
  '1.0': undefined,
};

/** The highest that both speak, as far as the server has told (Server object, resource 25). */
export function highestVersion(own: LwM2mVersion, told: readonly string[] | undefined): LwM2mVersion {
  const known = told?.map((each) => each.split('.', 2).join('.'));
  for (let at: LwM2mVersion | undefined = own; at !== undefined; at = lowerVersion[at]) {
    if (known?.includes(at) === true) return at;
  }
  return own;
}

/** What there is to tell now, in that version. */
export function announce(
  version: LwM2mVersion,
  account: ServerAccount,
  links: readonly Link[],
  profiles: ProfileIds | undefined,
): Announcement {
  const { lifetime, queueMode, profileIdHashAlgorithm } = account;
  return {
    lifetime,
    binding: binding(version, queueMode),
    links: formatLinks(links),
    profile: version === '1.2' ? (profiles?.(links, profileIdHashAlgorithm) ?? '') : '',
  };
}

/** Binding and queue mode as each version says them (OMA-TS-LightweightM2M_Core §6.2.1.2). */
function binding(version: LwM2mVersion, queueMode: boolean): readonly string[] {
  if (version === '1.0') return [queueMode ? 'b=UQ' : 'b=U'];
  return queueMode ? ['b=U', 'Q'] : ['b=U'];
}

/** Register (§6.2.1). `listed`: with the objects, although there may be a profile id. */
export function registerRequest(
  name: string,
  version: LwM2mVersion,
  told: Announcement,
  listed: boolean,
): OutgoingRequest {
  return {
    code: Code.POST,
    options: [
      ...pathOptions('/rd'),
      ...(listed ? [contentFormatOption(ContentFormat.LINK_FORMAT)] : []),
      ...queryOptions([
        `ep=${name}`,
        `lt=${told.lifetime}`,
        `lwm2m=${version}`,
        ...told.binding,
        ...(told.profile === '' ? [] : [`pid=${told.profile}`]),
      ]),
    ],
    ...(listed ? { payload: new TextEncoder().encode(told.links) } : {}),
  };
}

/** Update (§6.2.2): only what the server was not told yet. */
export function updateRequest(
  location: string,
  told: Announcement,
  before: Announcement | undefined,
): OutgoingRequest {
  const newLinks = told.links !== before?.links;
  const newBinding = told.binding.join('&') !== before?.binding.join('&');
  return {
    code: Code.POST,
    options: [
      ...pathOptions(location),
      ...(newLinks ? [contentFormatOption(ContentFormat.LINK_FORMAT)] : []),
      ...queryOptions([
        ...(told.lifetime === before?.lifetime ? [] : [`lt=${told.lifetime}`]),
        ...(newBinding ? told.binding : []),
      ]),
    ],
    ...(newLinks ? { payload: new TextEncoder().encode(told.links) } : {}),
  };
}
