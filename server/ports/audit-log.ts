export const auditOutcomes = ['done', 'refused', 'failed'] as const;
/** `refused`: whoever asked may not do it, or is not who he says. `failed`: it could not be done. */
export type AuditOutcome = (typeof auditOutcomes)[number];

/** Something that somebody did, or wanted to do. Nothing in it is secret. */
export interface AuditEntry {
  /** ms since the epoch. */
  readonly at: number;
  readonly actor: {
    /** `nobody`: who was not logged in; the name is then the one that was tried. */
    readonly kind: 'user' | 'token' | 'local' | 'oidc' | 'nobody';
    readonly name: string;
    /** Absent: all tenants. */
    readonly tenant?: string;
  };
  /** Name of the operation, as in the OpenAPI document: `switchCarrier`, `login`. */
  readonly action: string;
  /** On what: an endpoint name, the name of a user, an id. */
  readonly target?: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** Address that asked. */
  readonly source: string;
  readonly outcome: AuditOutcome;
  /** Of the answer. */
  readonly status: number;
  /** Code of the problem, where it was one. */
  readonly code?: string;
  /** What more there is to know: `{"carrier": "Verizon"}`. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly node: string;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: string;
}

/** All that is given has to fit. */
export interface AuditQuery {
  readonly actor?: string;
  readonly action?: string;
  readonly target?: string;
  readonly source?: string;
  readonly outcome?: AuditOutcome;
  /** Of actors of this tenant only. */
  readonly tenant?: string;
  /** From here on, ms since the epoch. */
  readonly from?: number;
  /** And before. */
  readonly to?: number;
  readonly limit: number;
  readonly cursor?: string;
}

/** What was done, by whom, from where, and how it ended. Entries are added, and never changed; they go by age alone. */
export interface AuditLog {
  /** Durable when it resolves. */
  append(entries: readonly AuditEntry[]): Promise<void>;
  /**
   * Newest first. A page may have fewer than `limit`, or none, and a `next` nevertheless: that is how far was looked.
   * @throws RequestError for a cursor that is not of this list
   */
  search(query: AuditQuery): Promise<{ readonly items: readonly StoredAuditEntry[]; readonly next?: string }>;
  /** Removes what is older, and all but the newest `keep`. */
  trim(bounds: { readonly before: number; readonly keep: number }): Promise<void>;
}

/** Whether an entry is one that was asked for. */
export function fitsAudit(entry: AuditEntry, query: AuditQuery): boolean {
  const { actor, action, target, source, outcome, tenant, from, to } = query;
  return (
    (actor === undefined || entry.actor.name === actor) &&
    (action === undefined || entry.action === action) &&
    (target === undefined || entry.target === target) &&
    (source === undefined || entry.source === source) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (tenant === undefined || entry.actor.tenant === tenant) &&
    (from === undefined || entry.at >= from) &&
    (to === undefined || entry.at < to)
  );
}
