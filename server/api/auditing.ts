import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditRecord, AuditTrail } from '../people/audit-trail.ts';
import type { AuditEntry, AuditOutcome } from '../ports/audit-log.ts';
import { identityOf } from './authentication.ts';
import { routeOf } from './route-of.ts';
import { sourceOf } from './sources.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False: it acts on nothing, although its method does; true: it is entered, although its method only reads. */
    audited?: boolean;
  }
}

/** What a route knows better than its URL tells. Nothing in it may be secret. */
export interface AuditNote {
  /** Who acted, where that is known by no log-in: whose log-in it was. */
  readonly actor?: AuditEntry['actor'];
  readonly target?: string;
  readonly detail?: NonNullable<AuditEntry['detail']>;
  /** Where the status of the answer does not say it. */
  readonly outcome?: AuditOutcome;
}

const notes = new WeakMap<FastifyRequest, AuditNote>();
const problemCodes = new WeakMap<FastifyRequest, string>();

/** Says more of what is done; what was said before stays where this does not say otherwise. */
export function noteAudit(request: FastifyRequest, note: AuditNote): void {
  notes.set(request, { ...notes.get(request), ...note });
}

/** How the request ended. */
export function noteProblem(request: FastifyRequest, code: string): void {
  problemCodes.set(request, code);
}

/** Enters whatever acts in the audit log, before its answer goes out. */
export function auditRequests(app: FastifyInstance, trail: Pick<AuditTrail, 'enter'>): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (acts(request)) return trail.enter(recordOf(request, reply.statusCode)).then(() => payload);
    done(null, payload);
    return undefined;
  });
}

/** A read that is held until its device can be asked makes a command. */
function acts(request: FastifyRequest): boolean {
  if (request.is404) return false;
  const { url, config } = routeOf(request);
  if (url?.startsWith('/api/') !== true) return false;
  if (config.audited !== undefined) return config.audited;
  const reads = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
  // A method that is not offered there does nothing.
  if (operationOf(request) === undefined) return false;
  return !reads || /respond-async/i.test(String(request.headers.prefer));
}

function recordOf(request: FastifyRequest, status: number): AuditRecord {
  const note = notes.get(request);
  const target = note?.target ?? targetOf(request);
  const code = problemCodes.get(request);
  return {
    actor: note?.actor ?? actorOf(request),
    action: operationOf(request) ?? '',
    ...(target !== undefined && { target }),
    method: request.method,
    path: (request.url.split('?')[0] ?? '').slice(0, 500),
    source: sourceOf(request),
    outcome: note?.outcome ?? outcomeOf(status),
    status,
    ...(code !== undefined && { code }),
    ...(note?.detail !== undefined && { detail: note.detail }),
  };
}

function actorOf(request: FastifyRequest): AuditEntry['actor'] {
  const principal = identityOf(request)?.principal;
  if (principal === undefined) return { kind: 'nobody', name: '' };
  const { kind, owner, tenant } = principal;
  const name = owner === undefined ? principal.name : `${owner}/${principal.name}`;
  return { kind, name, ...(tenant !== undefined && { tenant }) };
}

/** What the URL names first. */
function targetOf({ params }: FastifyRequest): string | undefined {
  const { endpoint, name, id } = (params ?? {}) as Readonly<Record<string, string | undefined>>;
  return endpoint ?? name ?? id;
}

function operationOf(request: FastifyRequest): string | undefined {
  return (routeOf(request).schema as { readonly operationId?: string } | undefined)?.operationId;
}

function outcomeOf(status: number): AuditOutcome {
  if (status < 400) return 'done';
  return [401, 403, 429].includes(status) ? 'refused' : 'failed';
}
