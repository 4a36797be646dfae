import { isIP } from 'node:net';
import { StateFileError } from '../../atomic-file.ts';
import { type AppletRecord, newAppletRecord, type SwitchReport } from './applet-switch.ts';
import type { JsonValue } from './card-application.ts';

/** Where the applet's channel leads. */
export interface AppletGateway {
  /** IPv4, or IPv6 as eight groups. */
  readonly address: string;
  readonly port: number;
}

/** What the carrier applet keeps in the card's memory. */
export interface AppletMemory {
  readonly gateway: AppletGateway | undefined;
  readonly record: AppletRecord;
}

type Json = Readonly<Record<string, unknown>>;

export function formatAppletMemory({ gateway, record }: AppletMemory): JsonValue {
  const { pending, report, outcome, trial } = record;
  return {
    gateway: gateway === undefined ? null : { address: gateway.address, port: gateway.port },
    ...(pending === undefined ? {} : { pending: { ...pending } }),
    ...(report === undefined ? {} : { report: { ...report } }),
    ...(outcome === undefined ? {} : { outcome: { ...outcome } }),
    ...(trial === undefined ? {} : { trial }),
  };
}

/** Undefined: a new applet's. @throws StateFileError somebody wrote what is none */
export function parseAppletMemory(value: JsonValue | undefined): AppletMemory {
  if (value === undefined) return { gateway: undefined, record: newAppletRecord };
  const kept = object(value);
  const { gateway, pending, report, outcome, trial } = kept;
  return {
    gateway: gateway === undefined || gateway === null ? undefined : parseGateway(object(gateway)),
    record: {
      pending: pending === undefined ? undefined : parsePending(object(pending)),
      report: report === undefined ? undefined : parseReport(object(report)),
      outcome: outcome === undefined ? undefined : parseReport(object(outcome)),
      trial: trial === undefined ? undefined : whole(kept, 'trial', 15),
    },
  };
}

function parseGateway(value: Json): AppletGateway {
  const { address } = value;
  if (typeof address !== 'string' || isIP(address) === 0) {
    throw damaged('the address of the gateway is an IP address');
  }
  return { address, port: whole(value, 'port', 65_535) };
}

function parsePending(value: Json): NonNullable<AppletRecord['pending']> {
  const { origin, stage } = value;
  if (origin !== 'network' && origin !== 'terminal' && origin !== 'fall-back')
    throw damaged('an unknown origin');
  if (stage !== 'farewell' && stage !== 'switched') throw damaged('an unknown stage');
  return { target: whole(value, 'target', 15), previous: whole(value, 'previous', 15), origin, stage };
}

function parseReport(value: Json): SwitchReport {
  return {
    status: whole(value, 'status', 1) as SwitchReport['status'],
    carrier: whole(value, 'carrier', 15),
  };
}

function whole(value: Json, name: string, most: number): number {
  const given = value[name];
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0 && given <= most) return given;
  throw damaged(`${name} is a whole number up to ${most}`);
}

function object(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw damaged('an object is expected');
}

function damaged(what: string): StateFileError {
  return new StateFileError(`what the carrier applet kept on the card is none of its own: ${what}`);
}
