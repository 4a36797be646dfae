import { defaultCustomObjectIds } from './custom-ids.ts';
import { defineObject } from './define-object.ts';

/** The carrier id that disconnects; carriers have others. */
export const DISCONNECT_CARRIER_ID = 15;

/** Values of the Carrier object's State. UNKNOWN: the newest switch has ended, and nobody can tell how. */
export const CarrierState = { IDLE: 0, SWITCHING: 1, SUCCEEDED: 2, FAILED: 3, UNKNOWN: 4 } as const;
export type CarrierState = (typeof CarrierState)[keyof typeof CarrierState];

/** Values of the Carrier object's Last Result. */
export const CarrierResult = { ACK: 0, NACK: 1 } as const;
export type CarrierResult = (typeof CarrierResult)[keyof typeof CarrierResult];

/** The Carrier object under the id that an installation has for it. */
export function defineCarrierObject(id: number = defaultCustomObjectIds.carrier) {
  return defineObject({
    id,
    version: '1.0',
    name: 'Carrier',
    description: 'The carrier that a SIM slot uses, and the switch to another. One instance per SIM slot.',
    multiple: true,
    resources: {
      currentCarrier: {
        id: 0,
        title: 'Current Carrier',
        operations: 'R',
        type: 'string',
        mandatory: true,
        description: 'Name of the carrier in use; empty when disconnected.',
      },
      availableCarriers: {
        id: 1,
        title: 'Available Carriers',
        operations: 'R',
        type: 'string',
        multiple: true,
        mandatory: true,
        description:
          'Names of the carriers that the card offers; the resource instance id is the carrier id. ' +
          'Carrier id 15 is Disconnect.',
      },
      requestedCarrier: {
        id: 2,
        title: 'Requested Carrier',
        operations: 'RW',
        type: 'integer',
        range: [0, 65534],
        description: 'Carrier id that Switch takes when it is executed without arguments.',
      },
      switch: {
        id: 3,
        title: 'Switch',
        operations: 'E',
        type: 'none',
        mandatory: true,
        description:
          "Switches the carrier. Arguments: 0='<carrier id>', 1='<command id>'; without them to the Requested Carrier. " +
          'A command id that was taken before is not executed again: its outcome is shown again. ' +
          'A lower one than the Last Command is refused. Accepted means begun: State and Last Result tell the end.',
      },
      state: {
        id: 4,
        title: 'State',
        operations: 'R',
        type: 'integer',
        mandatory: true,
        values: { 0: 'Idle', 1: 'Switching', 2: 'Succeeded', 3: 'Failed', 4: 'Unknown' },
        description:
          'How far the newest switch is. Unknown: it was asked for, and nobody can tell how it ended.',
      },
      lastResult: {
        id: 5,
        title: 'Last Result',
        operations: 'R',
        type: 'integer',
        values: { 0: 'ACK', 1: 'NACK' },
        description: 'What the card answered to the newest switch.',
      },
      lastReason: {
        id: 6,
        title: 'Last Reason',
        operations: 'R',
        type: 'string',
        description: 'Why the newest switch failed, or is unknown, in words; empty where it is neither.',
      },
      iccid: {
        id: 7,
        title: 'ICCID',
        operations: 'R',
        type: 'string',
        description: 'Of the enabled profile.',
      },
      imsi: { id: 8, title: 'IMSI', operations: 'R', type: 'string', description: 'Of the enabled profile.' },
      lastSwitch: {
        id: 9,
        title: 'Last Switch',
        operations: 'R',
        type: 'time',
        description: 'When the newest switch ended.',
      },
      lastCommand: {
        id: 10,
        title: 'Last Command',
        operations: 'R',
        type: 'unsigned',
        description: 'Id of the newest command taken.',
      },
      reconnectAfter: {
        id: 11,
        title: 'Reconnect After',
        operations: 'RW',
        type: 'integer',
        range: [0, 2_147_483_647],
        units: 's',
        description:
          'After a Disconnect the modem attaches to its last carrier again when this time has passed.',
      },
      provisioningReason: {
        id: 12,
        title: 'Provisioning Reason',
        operations: 'R',
        type: 'string',
        description:
          'Why the newest RSP Update of Remote SIM Provisioning (object 504) failed, in words; empty where it did not.',
      },
      availableIccids: {
        id: 13,
        title: 'ICCID of Available Carriers',
        operations: 'R',
        type: 'string',
        multiple: true,
        description:
          'ICCIDs of the Available Carriers, as far as the card tells them; the resource instance id is the carrier id.',
      },
    },
  });
}

/** The Carrier object under its default id. */
export const carrierObject = defineCarrierObject();
