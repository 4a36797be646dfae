import type { FastifyRequest } from 'fastify';

type RequestRoute = FastifyRequest['routeOptions'];

const route = Symbol('route');

declare module 'fastify' {
  interface FastifyRequest {
    [route]?: RequestRoute;
  }
}

/** The options of the request's route. Fastify makes them anew whenever they are asked for, and each hook asks. */
export function routeOf(request: FastifyRequest): RequestRoute {
  request[route] ??= request.routeOptions;
  return request[route];
}
