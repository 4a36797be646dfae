import type { FastifyPluginAsync } from 'fastify';
import type { LeshanRouteOptions } from '../dependencies.ts';
import { presentObjectSpecs } from '../object-specs.ts';
import { invalidPath, notRegistered, notThere } from '../refusals.ts';

/** What the interface tells of the server itself, and of the objects of its clients. */
export const serverRoutes: FastifyPluginAsync<LeshanRouteOptions> = async (app, needs) => {
  const { stores, lookupFor, coapAddress, coapsAddress } = needs;

  app.get('/api/server/endpoint', async () => {
    const open = [
      ['coap', coapAddress, 'CoAP over UDP'],
      ['coaps', coapsAddress, 'CoAP over DTLS'],
    ] as const;
    return open.flatMap(([scheme, address, description]) => {
      if (address === undefined) return [];
      const { hostname, port } = new URL(`http://${address}`);
      return [
        { uri: { full: `${scheme}://${address}`, scheme, host: hostname, port: Number(port) }, description },
      ];
    });
  });

  app.get<{ Params: { endpoint: string } }>(
    '/api/objectspecs/:endpoint',
    async ({ params: { endpoint } }) => {
      const registration = await stores.registrations.byEndpoint(endpoint);
      if (registration === undefined) throw notRegistered(endpoint);
      return presentObjectSpecs(registration.links, lookupFor(registration));
    },
  );
  for (const url of ['/api/objectspecs', '/api/objectspecs/']) {
    app.get(url, () => {
      throw invalidPath();
    });
  }

  for (const noun of ['security', 'bootstrap']) {
    for (const url of [`/api/${noun}`, `/api/${noun}/*`]) {
      app.all(url, () => {
        throw notThere(`/api/${noun}`);
      });
    }
  }
  app.all('/api/server/security', () => {
    throw notThere('/api/server/security');
  });
};
