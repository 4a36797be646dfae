import type { FastifyReply, FastifyRequest } from 'fastify';

const NAME = 'simyard_session';
/** A browser takes this only over TLS, for all of the host, and from this host alone (RFC 6265bis §4.1.3.2). */
const SECURE_NAME = `__Host-${NAME}`;

/** The secret of the session that the browser has; undefined where it has none. */
export function sessionCookie(request: FastifyRequest): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const wanted = `${isSecure(request) ? SECURE_NAME : NAME}=`;
  for (const pair of cookie.split(';')) {
    const text = pair.trim();
    if (text.startsWith(wanted)) return text.slice(wanted.length);
  }
  return undefined;
}

/** No script reads it, and no other site has it sent along. */
export function setSessionCookie(reply: FastifyReply, secret: string, lastsUntil: number, now: number): void {
  reply.header('set-cookie', cookieOf(reply.request, secret, Math.floor((lastsUntil - now) / 1000)));
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.header('set-cookie', cookieOf(reply.request, '', 0));
}

function cookieOf(request: FastifyRequest, value: string, seconds: number): string {
  const secure = isSecure(request);
  const name = secure ? SECURE_NAME : NAME;
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/** The browser speaks TLS with this server, or with a proxy before it that says so. */
function isSecure(request: FastifyRequest): boolean {
  if (request.protocol === 'https') return true;
  const { 'x-forwarded-proto': proto, forwarded = '' } = request.headers;
  const first = String(proto ?? '')
    .split(',')[0]
    ?.trim();
  return first === 'https' || /^[^,]*\bproto="?https\b/i.test(forwarded);
}
