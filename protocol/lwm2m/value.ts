/** Data types of LwM2M resources, OMA-TS-LightweightM2M_Core-V1_2 Appendix C. `none` is an executable's. */
export type ResourceType =
  | 'string'
  | 'integer'
  | 'unsigned'
  | 'float'
  | 'boolean'
  | 'opaque'
  | 'time'
  | 'objlnk'
  | 'corelnk'
  | 'none';

/** A link to an object instance; 65535:65535 is the null link. */
export interface ObjectLinkValue {
  readonly objectId: number;
  readonly instanceId: number;
}

/**
 * A resource's value. By type: string, corelnk → string; integer, unsigned → number, or bigint where
 * it does not fit a safe integer; float → number; boolean → boolean; opaque → Uint8Array; time →
 * number, seconds since the epoch; objlnk → ObjectLinkValue.
 */
export type ResourceValue = string | number | bigint | boolean | Uint8Array | ObjectLinkValue;

/**
 * One value of one resource (or resource instance), as every content format carries it.
 * `path` is canonical and absolute: `/3/0/9`, `/3/0/7/1`.
 */
export interface LwM2mRecord {
  readonly path: string;
  readonly value: ResourceValue;
  /**
   * When it was taken, seconds as SenML gives them after resolving the base time (RFC 8428 §4.5.3):
   * values under 2^28 are relative to now. Undefined where the format carries none.
   */
  readonly time?: number;
}

/**
 * One change of a Write-Composite: a value, or null for a resource instance that is to be deleted
 * (OMA-TS-LightweightM2M_Core-V1_2 §6.3.9 and §7.5.6). Nowhere else is a value null.
 */
export interface LwM2mChange {
  readonly path: string;
  readonly value: ResourceValue | null;
}

/** What a decoder must know of a resource to read untyped bytes; the object registry implements it. */
export interface ResourceTypeLookup {
  /** Undefined for what the registry does not know: decoders then keep bytes, or the format's own type. */
  resourceType(
    objectId: number,
    resourceId: number,
  ): { readonly type: ResourceType; readonly multiple: boolean } | undefined;
}
