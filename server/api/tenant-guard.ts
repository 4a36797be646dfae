import type { FastifyContextConfig, FastifyInstance } from 'fastify';
import type { Principal } from '../people/principal.ts';
import type { Tenancy } from '../people/tenancy.ts';
import { identityOf } from './authentication.ts';
import { ProblemError } from './problems.ts';
import { routeOf } from './route-of.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What principals with a tenant get of a route that is not of one device: `own`, what is their tenant's, to which
     * the route keeps itself; `shared`, the same as all. Absent: nothing, for it tells of the fleet as a whole.
     */
    tenants?: 'own' | 'shared';
  }
}

/**
 * Keeps tenants apart: to one, devices of others are not there, on every route that has an endpoint name in its path;
 * and routes that do not say that they are for tenants are not. To be called behind `authenticate`, and before whatever
 * acts on a request.
 */
export function keepTenantsApart(app: FastifyInstance, tenancy: Pick<Tenancy, 'check'>): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const principal = identityOf(request)?.principal;
    if (principal?.tenant === undefined || request.is404) {
      done();
      return undefined;
    }
    const { endpoint } = (request.params ?? {}) as { readonly endpoint?: string };
    if (endpoint !== undefined) return tenancy.check(principal, endpoint);
    const { url = '', config } = routeOf(request);
    if (openTo(url, config) === 'fleet') checkFleet(principal);
    done();
    return undefined;
  });
}

/**
 * What principals with a tenant get of a route: `device`, those of their devices; `own` and `shared` as the route says;
 * `fleet`, nothing; `anybody`, what all get who need not show a role.
 */
export type OpenTo = 'device' | 'own' | 'shared' | 'fleet' | 'anybody';

export function openTo(url: string, { needs, tenants }: FastifyContextConfig): OpenTo {
  if (url.split('/').includes(':endpoint')) return 'device';
  return tenants ?? (needs === 'self' || needs === 'public' ? 'anybody' : 'fleet');
}

/** @throws ProblemError he sees one tenant's devices alone */
export function checkFleet({ name, tenant }: Pick<Principal, 'name' | 'tenant'>): void {
  if (tenant === undefined) return;
  throw new ProblemError(
    'fleet_only',
    `it is about the fleet as a whole, and '${name}' sees the devices of tenant '${tenant}'`,
  );
}
