import { carrierObject as definition } from '../../objects/carrier.ts';
import type { ObjectRegistry } from '../../objects/registry.ts';
import { fromApiValue } from '../../objects/values.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { canonicalPath, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { LastValue, LastValues } from '../ports/last-values.ts';
import type { Registration } from '../ports/registration-store.ts';
import { isFlowAddress } from './flow-address.ts';
import type { FlowDevice } from './flow-device.ts';
import type { Gateway } from './gateway.ts';

/** What the answers are said to be in: nothing of them went over a wire. */
const FORMAT = ContentFormat.SENML_JSON;

export interface GatewayRequestsOptions {
  readonly gateway: Pick<Gateway, 'device'>;
  /** Of devices that speak CoAP. */
  readonly direct: DeviceRequests;
  /** The registration by which this node has a device. @throws UnknownDeviceError, NotRegisteredError, DeviceElsewhereError */
  readonly registrationOf: (endpoint: string) => Promise<Registration>;
  /** Level with the log. */
  readonly lastValues: Pick<LastValues, 'get'>;
  readonly registry: ObjectRegistry;
  readonly carrierObject: number;
}

/** A device behind the gateway, and the registration by which this node has it. */
interface Reached {
  readonly device: FlowDevice;
  readonly registration: Registration;
}

/**
 * Requests to devices, where some are behind the gateway: it answers in their name. A Read gets what they said last, an
 * Execute of Switch goes to the device; there is nothing else that their protocol could ask for, which is 4.05.
 */
export function gatewayRequests(options: GatewayRequestsOptions): DeviceRequests {
  const { gateway, direct, registrationOf, carrierObject } = options;
  /** Undefined for a device that speaks CoAP. */
  const reached = async (endpoint: string): Promise<Reached | undefined> => {
    const device = gateway.device(endpoint);
    if (device === undefined) return undefined;
    const registration = await registrationOf(endpoint);
    if (!isFlowAddress(registration.address)) return undefined;
    await device.adopt(registration);
    return { device, registration };
  };
  const orRefused = async <T>(endpoint: string, otherwise: () => Promise<T>): Promise<T> => {
    if ((await reached(endpoint)) !== undefined) throw notPossible();
    return otherwise();
  };
  return {
    async read(endpoint, path, given) {
      const target = canonicalPath(path);
      const found = await reached(endpoint);
      if (found === undefined) return direct.read(endpoint, path, given);
      const records = await readRecords(options, found.device, endpoint, target);
      if (records.length === 0) throw new CoapResponseError(Code.NOT_FOUND);
      return { path: target, contentFormat: FORMAT, records };
    },
    async readComposite(endpoint, paths, given) {
      const found = await reached(endpoint);
      if (found === undefined) return direct.readComposite(endpoint, paths, given);
      const targets = paths.map((path) => canonicalPath(path));
      const read = targets.map((target) => readRecords(options, found.device, endpoint, target));
      const records = new Map((await Promise.all(read)).flat().map((record) => [record.path, record]));
      return { paths: targets, contentFormat: FORMAT, records: [...records.values()] };
    },
    async execute(endpoint, path, args = '', given = {}) {
      const target = canonicalPath(path);
      const found = await reached(endpoint);
      if (found === undefined) return direct.execute(endpoint, path, args, given);
      if (target !== `/${carrierObject}/0/${definition.resources.switch.id}`) throw notPossible();
      const { carrier, command } = switchArguments(args);
      await found.device.slot.begin(carrier, command, given.beforeSend);
    },
    async discover(endpoint, path, given) {
      const target = canonicalPath(path);
      const found = await reached(endpoint);
      if (found === undefined) return direct.discover(endpoint, path, given);
      return found.registration.links.filter((link) => isAtOrBelow(link.target, target));
    },
    write: (endpoint, ...more) => orRefused(endpoint, () => direct.write(endpoint, ...more)),
    create: (endpoint, ...more) => orRefused(endpoint, () => direct.create(endpoint, ...more)),
    delete: (endpoint, ...more) => orRefused(endpoint, () => direct.delete(endpoint, ...more)),
    writeAttributes: (endpoint, ...more) =>
      orRefused(endpoint, () => direct.writeAttributes(endpoint, ...more)),
    observe: (endpoint, ...more) => orRefused(endpoint, () => direct.observe(endpoint, ...more)),
    writeComposite: (endpoint, ...more) =>
      orRefused(endpoint, () => direct.writeComposite(endpoint, ...more)),
    observeComposite: (endpoint, ...more) =>
      orRefused(endpoint, () => direct.observeComposite(endpoint, ...more)),
    cancelComposite: (endpoint, ...more) =>
      orRefused(endpoint, () => direct.cancelComposite(endpoint, ...more)),
    cancelObservation: (endpoint, ...more) =>
      orRefused(endpoint, () => direct.cancelObservation(endpoint, ...more)),
  };
}

async function readRecords(
  { lastValues, registry, carrierObject }: GatewayRequestsOptions,
  device: FlowDevice,
  endpoint: string,
  target: string,
): Promise<readonly LwM2mRecord[]> {
  const slot = `/${carrierObject}/0`;
  // Of the carrier this process knows more than the store: what was asked for, and is not answered.
  const own = device.slot.records();
  const stored = isAtOrBelow(target, slot) ? [] : await lastValues.get(endpoint, target);
  return [
    ...own.filter(({ path }) => isAtOrBelow(path, target)),
    ...stored.filter(({ path }) => !isAtOrBelow(path, slot)).flatMap((value) => recordOf(registry, value)),
  ];
}

function recordOf(registry: ObjectRegistry, { path, value }: LastValue): LwM2mRecord[] {
  const [object = -1, , resource = -1] = pathIds(path) ?? [];
  const definition = registry.resource(object, resource);
  if (definition === undefined) return [];
  try {
    return [{ path, value: fromApiValue(definition, value) }];
  } catch (error) {
    // A number that JSON does not know has become a text: there is no value of the resource's type.
    if (error instanceof RequestError) return [];
    throw error;
  }
}

/**
 * `0='<carrier id>',1='<command id>'` of Switch (OMA-TS-LightweightM2M_Core §6.3.5).
 * @throws CoapResponseError 4.00
 */
function switchArguments(args: string): { readonly carrier: number; readonly command: number | undefined } {
  const match = /^0='(\d{1,2})'(?:,1='(\d{1,16})')?$/.exec(args);
  if (match === null) throw new CoapResponseError(Code.BAD_REQUEST, "0='<carrier id>' is missing");
  return { carrier: Number(match[1]), command: match[2] === undefined ? undefined : Number(match[2]) };
}

function isAtOrBelow(path: string, target: string): boolean {
  return target === '/' || path === target || path.startsWith(`${target}/`);
}

function notPossible(): CoapResponseError {
  return new CoapResponseError(
    Code.METHOD_NOT_ALLOWED,
    'the device is behind the gateway, and its protocol has no such request',
  );
}
