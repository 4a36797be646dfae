import type { ObjectRegistry } from '../../objects/registry.ts';
import { toApiValue } from '../../objects/values.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code, formatCode, isSuccess } from '../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormat,
  contentFormatOption,
  pathOptions,
} from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { inFormats, refusesFormat, utf8 } from '../lwm2m/answers.ts';
import type { BootstrapProfile } from '../ports/bootstrap-store.ts';
import { type PlannedWrite, planBootstrap, type ReadyAccount } from './bootstrap-plan.ts';
import type { BootstrapProgress, StepOutcome } from './bootstrap-progress.ts';
import {
  type DeviceContents,
  decodeDeviceContents,
  describeContents,
  unknownContents,
} from './device-contents.ts';

/** Formats that a bootstrap is written in, the best first (OMA-TS-LightweightM2M_Core §6.1.7.1, `pct`). */
export const bootstrapFormats: readonly number[] = [
  ContentFormat.SENML_CBOR,
  ContentFormat.LWM2M_CBOR,
  ContentFormat.SENML_JSON,
  ContentFormat.TLV,
];
/** Where the device does not say: TLV every client of 1.0 reads, SenML every client since. */
const untoldFormats: readonly number[] = [
  ContentFormat.TLV,
  ContentFormat.SENML_CBOR,
  ContentFormat.SENML_JSON,
];

/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: a device that acknowledges and does not answer has no longer either. */
const requestTimeout = 93_000;

export interface BootstrapRunOptions {
  readonly endpoint: CoapEndpoint;
  readonly peer: PeerAddress;
  readonly profile: BootstrapProfile;
  /** As the device asked (`pct`); undefined: it did not. */
  readonly contentFormat: number | undefined;
  readonly registry: ObjectRegistry;
  readonly progress: BootstrapProgress;
  /** Makes what the accounts of the profile need; each is told by a step of its own. */
  readonly prepare: (progress: BootstrapProgress) => Promise<readonly ReadyAccount[]>;
  readonly signal: AbortSignal;
}

/** The device finds what it was given inconsistent (§6.1.7.2). */
class InconsistentError extends CoapResponseError {}

/**
 * The requests of one bootstrap (OMA-TS-LightweightM2M_Core §6.1.7.3 to §6.1.7.6), one after the other: Discover, Delete,
 * Write, Finish; all but the first once more where the device finds the result inconsistent and the profile says so.
 * @throws CoapResponseError the device declines; TimeoutError, ResetError; DecodeError; ReplacedError; what `prepare`
 *   throws; the reason of the signal
 */
export async function runBootstrap(options: BootstrapRunOptions): Promise<void> {
  const { profile, progress, registry } = options;
  let contents = await discover(options);
  if (profile.readFirst) for (const path of readable(contents)) await read(options, path);
  const accounts = await options.prepare(progress);
  for (let left = profile.retries; ; left--) {
    const plan = planBootstrap(profile, accounts, contents, registry);
    for (const path of plan.removals) await remove(options, path);
    let formats = options.contentFormat === undefined ? untoldFormats : [options.contentFormat];
    for (const write of plan.writes) formats = [await writeIn(options, write, formats)];
    try {
      return await finish(options);
    } catch (error) {
      if (!(error instanceof InconsistentError) || left <= 0) throw error;
      contents = await discover(options);
    }
  }
}

/** A device that cannot be discovered is written to all the same. */
async function discover(options: BootstrapRunOptions): Promise<DeviceContents> {
  let contents = unknownContents;
  await options.progress.step('discover', '/', async () => {
    const response = await ask(options, {
      code: Code.GET,
      options: [acceptOption(ContentFormat.LINK_FORMAT)],
    });
    if (!isSuccess(response.code)) return answered(response);
    try {
      contents = decodeDeviceContents(response.payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { code: formatCode(response.code), detail: `it cannot be read: ${error.message}` };
    }
    return { code: formatCode(response.code), detail: describeContents(contents) };
  });
  return contents;
}

/** What a bootstrap server may read (§6.1.7.4): the Server and the Access Control object; Security has keys in it. */
function readable({ servers, access }: DeviceContents): string[] {
  return [...(servers.size > 0 ? ['/1'] : []), ...(access.size > 0 ? ['/2'] : [])];
}

/** For people: nothing follows from it, nor from a device that declines it. */
async function read(options: BootstrapRunOptions, path: string): Promise<void> {
  await options.progress.step('read', path, async () => {
    const accept = options.contentFormat ?? ContentFormat.TLV;
    const response = await ask(options, {
      code: Code.GET,
      options: [...pathOptions(path), acceptOption(accept)],
    });
    if (!isSuccess(response.code)) return answered(response);
    const code = formatCode(response.code);
    try {
      const format = contentFormat(response.options) ?? accept;
      const records = decodeContent(format, path, response.payload, options.registry);
      return { code, detail: records.map((each) => `${each.path}=${toApiValue(each.value)}`).join(' ') };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return { code, detail: `it cannot be read: ${error.message}` };
    }
  });
}

/** What is not there need not be deleted. */
async function remove(options: BootstrapRunOptions, path: string): Promise<void> {
  await options.progress.step('delete', path, async () => {
    const response = await ask(options, { code: Code.DELETE, options: pathOptions(path) });
    return response.code === Code.NOT_FOUND ? answered(response) : expected(response);
  });
}

/** In the first format that the device takes, which is returned: the others are not tried again. */
async function writeIn(
  options: BootstrapRunOptions,
  { path, records }: PlannedWrite,
  formats: readonly number[],
): Promise<number> {
  let taken = formats[0] as number;
  await options.progress.step('write', path, async () =>
    expected(
      await inFormats(formats, async (format) => {
        const response = await ask(options, {
          code: Code.PUT,
          options: [...pathOptions(path), contentFormatOption(format)],
          payload: encodeContent(format, path, records, options.registry),
        });
        if (!refusesFormat(response)) taken = format;
        return response;
      }),
    ),
  );
  return taken;
}

async function finish(options: BootstrapRunOptions): Promise<void> {
  await options.progress.step('finish', undefined, async () => {
    const response = await ask(options, { code: Code.POST, options: pathOptions('/bs') });
    if (response.code === Code.NOT_ACCEPTABLE) {
      const said = utf8(response.payload.subarray(0, 120));
      throw new InconsistentError(
        response.code,
        `the device finds its configuration inconsistent${said === '' ? '' : `: ${said}`}`,
      );
    }
    return expected(response);
  });
}

function ask(
  { endpoint, peer, signal }: BootstrapRunOptions,
  request: OutgoingRequest,
): Promise<IncomingResponse> {
  signal.throwIfAborted();
  return endpoint.request(peer, { timeout: requestTimeout, ...request, signal });
}

function answered({ code, payload }: IncomingResponse): StepOutcome {
  return { code: formatCode(code), detail: utf8(payload.subarray(0, 200)) };
}

/** @throws CoapResponseError */
function expected(response: IncomingResponse): StepOutcome {
  if (!isSuccess(response.code)) {
    throw new CoapResponseError(response.code, utf8(response.payload.subarray(0, 200)));
  }
  return { code: formatCode(response.code) };
}
