import { RequestError } from '../protocol/errors.ts';

/** An XML element: its attributes, the elements in it, and its text without theirs. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** The longest document, in characters; OMA's object definition files have some 20 000. */
export const MAX_XML_LENGTH = 1_048_576;
const MAX_ELEMENTS = 50_000;
const MAX_DEPTH = 16;
const NAME = /[A-Za-z_:][-\w:.\u00b7-\uffff]*/y;
const ATTRIBUTE = /\s+([A-Za-z_:][-\w:.\u00b7-\uffff]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const TAG_END = /\s*(\/?)>/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The XML declaration with an encoding. */
const DECLARED = /^\ufeff?<\?xml\s[^>?]*?\bencoding\s*=\s*["']([^"']{0,40})/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** The text of a document, which is to be UTF-8. @throws RequestError it is not */
export function decodeXml(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new RequestError('XML: it is not UTF-8', { cause: error });
  }
}

/**
 * Reads an XML document: as much of XML 1.0 as data files use. There are no document types, and so no
 * entities but the five of XML itself: nothing grows, and nothing is fetched.
 * @throws RequestError not well-formed, or too large; it names the line
 */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_XML_LENGTH) {
    throw new RequestError(`XML: ${text.length} characters are more than ${MAX_XML_LENGTH}`);
  }
  const [, encoding = 'UTF-8'] = DECLARED.exec(text) ?? [];
  if (!/^(utf-?8|us-ascii)$/i.test(encoding)) {
    throw new RequestError(`XML: the encoding is '${encoding}', and only UTF-8 is read`);
  }
  const root: Open = { name: '', attributes: {}, children: [], text: '' };
  const stack: Open[] = [root];
  let elements = 0;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  while (at < text.length) {
    const top = stack.at(-1) as Open;
    const tag = text.indexOf('<', at);
    const end = tag === -1 ? text.length : tag;
    top.text += unescapeText(text, at, end);
    at = end;
    if (tag === -1) break;
    if (text.startsWith('<!--', at)) at = after(text, '-->', at + 4);
    else if (text.startsWith('<?', at)) at = after(text, '?>', at + 2);
    else if (text.startsWith('<![CDATA[', at)) {
      const close = after(text, ']]>', at + 9);
      top.text += text.slice(at + 9, close - 3);
      at = close;
    } else if (text.startsWith('<!', at)) throw malformed('a document type, which is not read', text, at);
    else if (text.startsWith('</', at)) {
      const name = match(NAME, text, at + 2)?.[0];
      const close = match(TAG_END, text, at + 2 + (name?.length ?? 0));
      if (stack.length === 1 || name !== top.name || close?.[1] !== '')
        throw malformed(
          `the end tag of '${name ?? ''}'${stack.length === 1 ? '' : ` within ${top.name}`}`,
          text,
          at,
        );
      stack.pop();
      at = TAG_END.lastIndex;
    } else {
      if (++elements > MAX_ELEMENTS) throw malformed(`more than ${MAX_ELEMENTS} elements`, text, at);
      if (stack.length > MAX_DEPTH) throw malformed(`elements nested more than ${MAX_DEPTH} deep`, text, at);
      const name = match(NAME, text, at + 1)?.[0];
      if (name === undefined) throw malformed("'<'", text, at);
      const attributes: Record<string, string> = Object.create(null);
      let next = at + 1 + name.length;
      for (let pair = match(ATTRIBUTE, text, next); pair !== null; pair = match(ATTRIBUTE, text, next)) {
        const end = ATTRIBUTE.lastIndex;
        const value = pair[2] ?? pair[3] ?? '';
        attributes[pair[1] as string] = unescapeText(text, end - 1 - value.length, end - 1);
        next = end;
      }
      const close = match(TAG_END, text, next);
      if (close === null) throw malformed(`the tag of ${name}`, text, at);
      const element: Open = { name, attributes, children: [], text: '' };
      top.children.push(element);
      if (close[1] === '') stack.push(element);
      at = TAG_END.lastIndex;
    }
  }
  const [document] = root.children;
  if (stack.length > 1) throw malformed(`the end, within ${stack.at(-1)?.name}`, text, at);
  if (document === undefined || root.children.length > 1 || root.text.trim() !== '') {
    throw new RequestError('XML: one element holds the whole document');
  }
  return document;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  if (at === -1) throw malformed(`what has no '${mark}' behind it`, text, from);
  return at + mark.length;
}

/** The text from `start` to before `end`, its references resolved. */
function unescapeText(document: string, start: number, end: number): string {
  const text = document.slice(start, end);
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&]{0,10});?/g, (whole, name: string, offset: number) => {
    const character = whole.endsWith(';')
      ? ((Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined) ?? numeric(name))
      : undefined;
    if (character === undefined) throw malformed(`'${whole.slice(0, 12)}'`, document, start + offset);
    return character;
  });
}

function numeric(name: string): string | undefined {
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  if (digits === null) return undefined;
  const code = digits[1] === undefined ? Number(digits[2]) : Number.parseInt(digits[1], 16);
  const valid = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : undefined;
}

function malformed(found: string, text: string, at: number): RequestError {
  let line = 1;
  for (let next = text.indexOf('\n'); next !== -1 && next < at; next = text.indexOf('\n', next + 1)) line++;
  return new RequestError(`XML, line ${line}: ${found}`);
}
