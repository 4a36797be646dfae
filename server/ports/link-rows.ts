import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { TextMemo } from '../../protocol/lwm2m/text-memo.ts';

const written = new WeakMap<readonly Link[], string>();

/** Links as engines keep them: JSON in which one without attributes, the usual case, is its target alone. */
export function encodeLinks(links: readonly Link[]): string {
  const known = written.get(links);
  if (known !== undefined) return known;
  const text = JSON.stringify(
    links.map(({ target, attributes }) =>
      Object.keys(attributes).length === 0 ? target : [target, attributes],
    ),
  );
  written.set(links, text);
  return text;
}

const read = new TextMemo((text: string): readonly Link[] => {
  const links: (string | [string, Record<string, string>])[] = JSON.parse(text);
  return links.map((link) =>
    typeof link === 'string' ? { target: link, attributes: {} } : { target: link[0], attributes: link[1] },
  );
});

/** As `encodeLinks` wrote them; the same array for the same text. */
export function decodeLinks(text: string): readonly Link[] {
  return read.get(text);
}
