import { Code } from '../../protocol/coap/message.ts';
import type { ExecuteArguments } from '../lwm2m/execute-arguments.ts';
import { instance, type ObjectInstance } from '../lwm2m/object-tree.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import type { CarrierControl } from './carrier-control.ts';
import { type CarrierDefinition, carrierDefinition } from './custom-definitions.ts';

/** What of the Carrier object a switch changes, all at once. */
export const outcomeResources = [
  'currentCarrier',
  'availableCarriers',
  'availableIccids',
  'requestedCarrier',
  'state',
  'lastResult',
  'lastReason',
  'iccid',
  'imsi',
  'lastSwitch',
  'lastCommand',
  'provisioningReason',
] as const;

export type CarrierInstance = ObjectInstance<keyof CarrierDefinition['resources'] & string>;

/** The Carrier object's instance of the modem's one SIM slot. */
export function carrierInstance(objectId: number, control: () => CarrierControl): CarrierInstance {
  const snapshot = (): CarrierControl['snapshot'] => control().snapshot;
  let requested = 0;
  return instance(carrierDefinition(objectId), 0, {
    currentCarrier: { read: () => snapshot().current },
    availableCarriers: {
      read: () => new Map(control().carriers.map((carrier) => [carrier.id, carrier.name])),
    },
    requestedCarrier: {
      read: () => requested,
      write(value) {
        requested = Number(value);
      },
    },
    switch: {
      async execute(args, context) {
        const { target, id } = switchArguments(args, requested);
        const { begin } = await control().take(target, id);
        requested = target;
        context.afterAnswer(begin);
      },
    },
    state: { read: () => snapshot().state },
    lastResult: { read: () => snapshot().lastResult },
    lastReason: { read: () => snapshot().lastReason },
    iccid: { read: () => snapshot().identity?.iccid ?? '' },
    imsi: { read: () => snapshot().identity?.imsi ?? '' },
    lastSwitch: { read: () => snapshot().lastSwitch },
    lastCommand: { read: () => snapshot().lastCommand },
    availableIccids: {
      read: () => {
        const known = control().carriers.flatMap(({ id, iccid }) =>
          iccid === undefined ? [] : [[id, iccid] as const],
        );
        return known.length === 0 ? undefined : new Map(known);
      },
    },
    provisioningReason: {
      read: () => {
        const outcome = snapshot().provisioning?.outcome;
        return outcome === undefined ? undefined : outcome.succeeded ? '' : outcome.reason;
      },
    },
    reconnectAfter: {
      read: () => control().reconnectAfter,
      write(value) {
        control().reconnectAfter = Number(value);
      },
    },
  });
}

/** `0='<carrier id>',1='<command id>'`; without a carrier id the requested one. @throws OperationError 4.00 */
function switchArguments(
  args: ExecuteArguments,
  requested: number,
): { readonly target: number; readonly id: number | undefined } {
  for (const digit of args.keys()) {
    if (digit > 1) throw new OperationError(Code.BAD_REQUEST, `Switch has no argument ${digit}`);
  }
  const target = args.has(0) ? wholeNumber(args.get(0), 'the carrier id') : requested;
  return { target, id: args.has(1) ? wholeNumber(args.get(1), 'the command id') : undefined };
}

function wholeNumber(text: string | undefined, what: string): number {
  const value = Number(text);
  if (text === undefined || !/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new OperationError(Code.BAD_REQUEST, `${what} is no whole number`);
  }
  return value;
}
