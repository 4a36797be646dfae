import type { ResourceType } from '../protocol/lwm2m/value.ts';

/** Operations on a resource: OMA-TS-LightweightM2M_Core Appendix D. Empty: bootstrap only. */
export type Operations = '' | 'R' | 'W' | 'RW' | 'E';

/** One resource of an object, as data. */
export interface ResourceDefinition {
  readonly id: number;
  /** As in the specification: `Battery Level`. */
  readonly title: string;
  readonly operations: Operations;
  readonly type: ResourceType;
  readonly multiple?: boolean;
  readonly mandatory?: boolean;
  /** Inclusive bounds of numbers; of strings and opaque values, their length. */
  readonly range?: readonly [number, number];
  /** Allowed values with their meaning. */
  readonly values?: Readonly<Record<number, string>>;
  /** SenML unit (RFC 8428 §12.1) or as the object's specification says. */
  readonly units?: string;
  readonly description?: string;
}

/** One object, as data; `Names` are the resources' names in code. */
export interface ObjectDefinition<Names extends string = string> {
  readonly id: number;
  readonly version: string;
  readonly name: string;
  readonly description?: string;
  readonly multiple?: boolean;
  readonly mandatory?: boolean;
  readonly resources: Readonly<Record<Names, ResourceDefinition>>;
}
