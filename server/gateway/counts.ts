/** What becomes of datagrams that come to the gateway, each counted once. */
export const datagramOutcomes = [
  /** A packet of a device that is mapped. */
  'taken',
  /** From a source that nobody has mapped to a device. */
  'unmapped',
  /** More than the device may send. */
  'limited',
  /** No packet of the protocol that a device sends. */
  'malformed',
  /** Its endpoint is registered by LwM2M, or has a credential: the source may not speak for it. */
  'refused',
  /** It came while the store was away, and there were too many. */
  'overrun',
  /** A sensor beyond those that a device may have, or with an id that no instance can have. */
  'unknown_sensor',
] as const;
export type DatagramOutcome = (typeof datagramOutcomes)[number];

/** How carrier switches ended; `elsewhere`: acknowledged, with another carrier than was asked for. */
export const switchEnds = ['acknowledged', 'refused', 'elsewhere', 'unanswered'] as const;
export type SwitchEnd = (typeof switchEnds)[number];

/** Counters since the start. */
export class GatewayCounts {
  readonly datagrams: Record<DatagramOutcome, number>;
  readonly switches: Record<SwitchEnd, number>;
  /** Requests to switch that went out, repetitions included. */
  requests = 0;
  /** Reports that were given up, for the store was away too long. */
  lost = 0;

  constructor() {
    this.datagrams = zeros(datagramOutcomes);
    this.switches = zeros(switchEnds);
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}
