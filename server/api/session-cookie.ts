import type { FastifyReply, FastifyRequest } from 'fastify';

const NAME = 'simyard_session';
/** A browser takes this only over TLS, for all of the host, and from this host alone (RFC 6265bis §4.1.3.2). */
const SECURE_NAME = `__Host-${NAME}`;

/** The secret of the session that the browser has; undefined where it has none. */
export function sessionCookie(request: FastifyRequest): string | undefined {
  if (request.headers.cookie === undefined) return undefined;
  return cookieNamed(request, isSecure(request) ? SECURE_NAME : NAME);
}

function cookieNamed(request: FastifyRequest, name: string): string | undefined {
  const { cookie } = request.headers;
  if (cookie === undefined) return undefined;
  const wanted = `${name}=`;
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

/** How long somebody may take at the identity provider, s. */
const UNDER_WAY_SECONDS = 600;
const underWay = (request: FastifyRequest): string =>
  isSecure(request) ? '__Host-simyard_login' : 'simyard_login';

/** A text that the browser brings back when the identity provider has sent it on: SameSite=Lax, for that is another site. */
export function setLoginCookie(reply: FastifyReply, text: string): void {
  const value = Buffer.from(text).toString('base64url');
  reply.header('set-cookie', loginCookie(reply.request, value, UNDER_WAY_SECONDS));
}

/** Undefined where the browser brings none. */
export function takeLoginCookie(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const value = cookieNamed(request, underWay(request));
  reply.header('set-cookie', loginCookie(request, '', 0));
  return value === undefined ? undefined : Buffer.from(value, 'base64url').toString();
}

function loginCookie(request: FastifyRequest, value: string, seconds: number): string {
  const secure = isSecure(request) ? '; Secure' : '';
  return `${underWay(request)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
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
