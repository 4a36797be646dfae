import { DecodeError, RequestError } from '../errors.ts';

/** One link of a CoRE link-format document (RFC 6690 §2). */
export interface Link {
  /** Between `<` and `>`. */
  readonly target: string;
  /** Without quotes; an attribute without a value has an empty one. A repeated attribute keeps its first value. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** The most links that a document may hold, and the most attributes of one link. */
export const MAX_LINKS = 4096;
export const MAX_LINK_ATTRIBUTES = 64;

/**
 * Attributes that stand unquoted where their value allows it: LwM2M's notification attributes and
 * version (OMA-TS-LightweightM2M_Core §7.3), `ct` and `sz` (RFC 7252 §7.2.1, RFC 6690 §3.3). The others are quoted-string.
 */
const BARE = new Set([
  ...['ct', 'sz', 'ver', 'lwm2m', 'dim', 'ssid', 'pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax'],
  ...['edge', 'con', 'hqmax', 'lvl'],
]);
const PTOKEN = /^[!#$%&'()*+\-./0-9:<=>?@A-Z[\]^_`a-z{|}~]+$/;
const PARAMETER_NAME = /^[!#$&+\-.^_`|~0-9A-Za-z]+\*?$/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Reads a link-format document; an empty one has no links. White space around separators, quoted
 * values where tokens are usual and the reverse, and a trailing comma are taken, for devices send them.
 * @throws DecodeError
 */
export function parseLinks(text: string): Link[] {
  const links: Link[] = [];
  const length = text.length;
  let at = skipSpace(text, 0);
  while (at < length) {
    if (links.length === MAX_LINKS) throw new DecodeError(`more than ${MAX_LINKS} links`);
    if (text[at] !== '<') throw broken(text, at, "'<'");
    const end = text.indexOf('>', at);
    if (end === -1) throw broken(text, length, "'>'");
    const target = text.slice(at + 1, end);
    // No prototype: an attribute may be called `__proto__`.
    const attributes: Record<string, string> = Object.create(null);
    at = skipSpace(text, end + 1);
    let count = 0;
    while (text[at] === ';') {
      if (++count > MAX_LINK_ATTRIBUTES)
        throw new DecodeError(`more than ${MAX_LINK_ATTRIBUTES} link attributes`);
      at = parseAttribute(text, skipSpace(text, at + 1), attributes);
    }
    links.push({ target, attributes });
    if (at === length) break;
    if (text[at] !== ',') throw broken(text, at, "',' or ';'");
    at = skipSpace(text, at + 1);
  }
  return links;
}

/**
 * Writes a link-format document: no spaces, tokens bare and everything else quoted.
 * @throws RequestError a target or a name that the grammar cannot hold
 */
export function formatLinks(links: readonly Link[]): string {
  return links
    .map(({ target, attributes }) => {
      if (target.includes('>')) throw new RequestError(`a link target cannot hold '>': ${target}`);
      const written = Object.entries(attributes).map(([name, value]) => {
        if (!PARAMETER_NAME.test(name)) throw new RequestError(`'${name}' is not a link attribute's name`);
        if (value === '') return `;${name}`;
        return `;${name}=${attributeText(name, value)}`;
      });
      return `<${target}>${written.join('')}`;
    })
    .join(',');
}

/** An attribute's value as it stands in a document: bare where its name and its characters allow it, else quoted. */
export function attributeText(name: string, value: string): string {
  return BARE.has(name) && PTOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** Reads one attribute at `at` into `attributes`; gives the index of the separator after it. */
function parseAttribute(text: string, at: number, attributes: Record<string, string>): number {
  let end = at;
  while (end < text.length && !isAttributeEnd(text[end] as string) && text[end] !== '=') end++;
  const name = text.slice(at, end).trimEnd();
  if (!PARAMETER_NAME.test(name)) throw broken(text, at, 'an attribute name');
  let value = '';
  if (text[end] === '=') {
    const start = skipSpace(text, end + 1);
    if (text.charCodeAt(start) === QUOTE) {
      const close = closingQuote(text, start + 1);
      value = text.slice(start + 1, close);
      if (value.includes('\\')) value = value.replace(/\\(.)/gs, '$1');
      end = close + 1;
    } else {
      end = start;
      while (end < text.length && !isAttributeEnd(text[end] as string)) end++;
      value = text.slice(start, end).trimEnd();
      if (!PTOKEN.test(value)) throw broken(text, start, 'a value');
    }
  }
  attributes[name] ??= value;
  return skipSpace(text, end);
}

function isAttributeEnd(character: string): boolean {
  return character === ';' || character === ',';
}

function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  throw broken(text, text.length, "'\"'");
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (
    at < text.length &&
    (text[at] === ' ' || text[at] === '\t' || text[at] === '\r' || text[at] === '\n')
  )
    at++;
  return at;
}

function broken(text: string, at: number, expected: string): DecodeError {
  const found = at < text.length ? `'${text.slice(at, at + 12)}'` : 'the end';
  return new DecodeError(`link format: ${expected} expected at ${at}, found ${found}`);
}
