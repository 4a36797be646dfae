import type { FastifyReply } from 'fastify';
import type { ObjectRegistry } from '../../objects/registry.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import type { RegisteredDevice } from './delivery.ts';
import type { RawBody } from './given-nodes.ts';
import type { LeshanContent, LeshanOperation } from './responses.ts';

export type LeshanQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One HTTP request about a device that is registered. */
export interface LeshanCall {
  readonly device: RegisteredDevice;
  /** What follows the endpoint, with its slash: `/3/0/discover`. */
  readonly rest: string;
  readonly query: LeshanQuery;
  /** The query as it came. */
  readonly search: string;
  readonly body: RawBody;
  readonly registry: ObjectRegistry;
  readonly reply: FastifyReply;
}

/** What is to be asked of a device. */
export interface LeshanRequest {
  readonly operation: LeshanOperation;
  /** Where it is to one place. */
  readonly path?: string;
  readonly run: (options: DeviceRequestOptions) => Promise<LeshanContent>;
}

/** The first value of a parameter; a bare one is empty. */
export function parameter(query: LeshanQuery, name: string): string | undefined {
  const value = query[name];
  return typeof value === 'object' ? value[0] : value;
}

const formats: Readonly<Record<string, number>> = {
  TEXT: ContentFormat.TEXT,
  OPAQUE: ContentFormat.OPAQUE,
  CBOR: ContentFormat.CBOR,
  TLV: ContentFormat.TLV,
  JSON: ContentFormat.JSON,
  SENML_JSON: ContentFormat.SENML_JSON,
  SENML_CBOR: ContentFormat.SENML_CBOR,
};

/** A content format by name; one that is not known is as if none were asked for. */
export function formatOption(query: LeshanQuery, name: string): Pick<DeviceRequestOptions, 'contentFormat'> {
  const contentFormat = formats[parameter(query, name)?.toUpperCase() ?? ''];
  return contentFormat === undefined ? {} : { contentFormat };
}

/** The last part taken off: `/3/0/discover` is `/3/0`. */
export function withoutLast(rest: string): string {
  return rest.slice(0, rest.replace(/\/+$/, '').lastIndexOf('/'));
}
