import { isIP } from 'node:net';

/**
 * The host part of a `Host` header or of an origin, lower-case, without its port; IPv6 in brackets.
 * Undefined for what is no authority (RFC 9110 §7.2).
 */
export function hostname(authority: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::\d{0,5})?$/i.exec(authority);
  return match?.[1]?.toLowerCase();
}

/**
 * Which hosts a request may name: without this, a web page elsewhere could
 * point its own name at 127.0.0.1 (DNS rebinding) and speak to the API as if it were its own.
 *
 * Loopback names and the address that the server listens on are always allowed, and `names` beside
 * them. On an address that is not loopback any IP literal is allowed too: only names can be rebound.
 */
export function allowHosts(options: {
  readonly listenHost: string;
  readonly names?: readonly string[];
}): (host: string) => boolean {
  const listen = bracketed(options.listenHost.toLowerCase());
  const exposed = !isLoopback(listen);
  const names = new Set([listen, ...(options.names ?? []).map((name) => bracketed(name.toLowerCase()))]);
  return (host) => names.has(host) || isLoopback(host) || (exposed && isAddress(host));
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    (host.startsWith('127.') && isAddress(host))
  );
}

function isAddress(host: string): boolean {
  return isIP(host.startsWith('[') ? host.slice(1, -1) : host) !== 0;
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
