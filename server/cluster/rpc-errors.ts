import { CoapResponseError, EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import type { Code } from '../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import {
  AddressLostError,
  ConflictError,
  DeviceElsewhereError,
  DeviceNodeGoneError,
  DoneUnreadableError,
  NotRegisteredError,
  UnknownDeviceError,
} from '../errors.ts';
import { NotSentError } from '../lwm2m/device-reach.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import { StoreUnavailableError } from '../ports/errors.ts';

/** An error as it goes from node to node. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly endpoint?: string;
  readonly node?: string;
  readonly code?: number;
  readonly diagnostic?: string;
  readonly acknowledged?: boolean;
  readonly gone?: boolean;
  readonly cause?: SentError;
}

type Revive = (sent: SentError) => Error;

/** Of an error whose message is all that there is to it. */
function plain(type: new (message: string) => Error): Revive {
  return ({ message }) => new type(message);
}

/** The message stays as it was told there. */
function told(error: Error, { message }: SentError): Error {
  error.message = message;
  return error;
}

/** The errors of the house that mean the same on either side. The first that fits counts, so that a class stands before its base. */
const known: readonly (readonly [string, abstract new (...args: never[]) => Error, Revive])[] = [
  [
    'UnknownDeviceError',
    UnknownDeviceError,
    (sent) => told(new UnknownDeviceError(sent.endpoint ?? ''), sent),
  ],
  [
    'NotRegisteredError',
    NotRegisteredError,
    (sent) => told(new NotRegisteredError(sent.endpoint ?? ''), sent),
  ],
  [
    'DeviceElsewhereError',
    DeviceElsewhereError,
    (sent) => told(new DeviceElsewhereError(sent.endpoint ?? '', sent.node), sent),
  ],
  [
    'DeviceNodeGoneError',
    DeviceNodeGoneError,
    (sent) => told(new DeviceNodeGoneError(sent.endpoint ?? '', sent.node ?? ''), sent),
  ],
  ['ConflictError', ConflictError, plain(ConflictError)],
  ['BusyError', BusyError, plain(BusyError)],
  ['RequestError', RequestError, plain(RequestError)],
  ['AddressLostError', AddressLostError, (sent) => told(new AddressLostError(sent.endpoint ?? ''), sent)],
  ['TimeoutError', TimeoutError, ({ message, acknowledged }) => new TimeoutError(message, acknowledged)],
  ['ResetError', ResetError, plain(ResetError)],
  ['DoneUnreadableError', DoneUnreadableError, plain(DoneUnreadableError)],
  ['DecodeError', DecodeError, plain(DecodeError)],
  [
    'CoapResponseError',
    CoapResponseError,
    ({ code, diagnostic }) => new CoapResponseError(code as Code, diagnostic),
  ],
  ['EndpointClosedError', EndpointClosedError, plain(EndpointClosedError)],
  [
    'NotSentError',
    NotSentError,
    ({ message, cause }) =>
      new NotSentError(message, cause === undefined ? undefined : { cause: receivedError(cause) }),
  ],
  ['StoreUnavailableError', StoreUnavailableError, plain(StoreUnavailableError)],
  [
    'NodeUnreachableError',
    NodeUnreachableError,
    ({ message, gone }) => new NodeUnreachableError(message, gone),
  ],
];

/** Undefined for one that is none of the house's: a bug, of which the asker learns no more than that. */
export function sentError(error: unknown): SentError | undefined {
  const kind = known.find(([, type]) => error instanceof type);
  if (kind === undefined || !(error instanceof Error)) return undefined;
  const { endpoint, node, code, diagnostic, acknowledged, gone } = error as Partial<SentError>;
  const cause = error.cause === undefined ? undefined : sentError(error.cause);
  return {
    name: kind[0],
    message: error.message,
    ...(typeof endpoint === 'string' && { endpoint }),
    ...(typeof node === 'string' && { node }),
    ...(typeof code === 'number' && { code }),
    ...(typeof diagnostic === 'string' && { diagnostic }),
    ...(typeof acknowledged === 'boolean' && { acknowledged }),
    ...(typeof gone === 'boolean' && { gone }),
    ...(cause !== undefined && { cause }),
  };
}

export function receivedError(sent: SentError): Error {
  const kind = known.find(([name]) => name === sent.name);
  // Of a later version, or a bug there, which is in the log of that node.
  return kind === undefined ? new Error(`${sent.name}: ${sent.message}`) : kind[2](sent);
}
