import { RequestError } from '../../protocol/errors.ts';

/** Characters of one record: none of ours is near it, and a quote that is never closed must not eat memory. */
const LONGEST_RECORD = 16_384;
const separators: readonly string[] = [',', ';', '\t'];

/** A record, and the line of the file on which it begins; the first is 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with it as CSV. */
  readonly problem?: string;
}

/**
 * Reads CSV (RFC 4180) as it comes in: fields in quotes, with doubled quotes, separators and line breaks in them; lines
 * that end in LF, CR LF or CR; a byte order mark. Semicolons or tabs separate where the first line has them and no
 * comma. Empty lines are passed over.
 */
export class CsvRows {
  #separator: string | undefined;
  /** The line that is being read, and the one on which its record began. */
  #line = 1;
  #begun = 1;
  #record = '';
  /** Between quotes; behind a quote that may be the first of two; at the beginning of a field. */
  #place: 'start' | 'field' | 'quoted' | 'closed' = 'start';
  #isAfterReturn = false;
  #isBegun = false;

  /** @throws RequestError a record is so long that it is none */
  *push(text: string): Generator<CsvRecord, void, undefined> {
    let from = !this.#isBegun && text.startsWith('\ufeff') ? 1 : 0;
    if (text !== '') this.#isBegun = true;
    for (let at = from; at < text.length; at++) {
      const character = text[at] as string;
      const isBreak = character === '\n' || character === '\r';
      const isSecondOfTwo = this.#isAfterReturn && character === '\n';
      this.#isAfterReturn = character === '\r';
      if (isBreak && !isSecondOfTwo) this.#line++;
      if (!isBreak || this.#place === 'quoted') {
        this.#place = next(this.#place, character);
        continue;
      }
      if (isSecondOfTwo) {
        from = at + 1;
        continue;
      }
      this.#take(text.slice(from, at));
      from = at + 1;
      yield* this.#finish();
    }
    this.#take(text.slice(from));
  }

  /** The last record, where the file does not end with a line break. */
  *end(): Generator<CsvRecord, void, undefined> {
    yield* this.#finish();
  }

  #take(part: string): void {
    this.#record += part;
    if (this.#record.length > LONGEST_RECORD) {
      throw new RequestError(`line ${this.#begun}: the record is longer than ${LONGEST_RECORD} characters`);
    }
  }

  *#finish(): Generator<CsvRecord, void, undefined> {
    const text = this.#record;
    const line = this.#begun;
    const isOpen = this.#place === 'quoted';
    this.#record = '';
    this.#begun = this.#line;
    this.#place = 'start';
    if (text.trim() === '') return;
    this.#separator ??= separators.find((separator) => text.includes(separator)) ?? ',';
    const record = { line, ...fieldsOf(text, this.#separator) };
    yield isOpen ? { ...record, problem: 'a quote is not closed' } : record;
  }
}

/** Where a character leads to; a line break only within quotes. */
function next(
  place: 'start' | 'field' | 'quoted' | 'closed',
  character: string,
): 'start' | 'field' | 'quoted' | 'closed' {
  if (place === 'quoted') return character === '"' ? 'closed' : 'quoted';
  if (character === '"' && place !== 'field') return 'quoted';
  return separators.includes(character) ? 'start' : 'field';
}

function fieldsOf(
  text: string,
  separator: string,
): { readonly fields: readonly string[]; readonly problem?: string } {
  const fields: string[] = [];
  let problem: string | undefined;
  for (let at = 0; ; at++) {
    const isQuoted = text[at] === '"';
    let field = '';
    if (isQuoted) {
      const closing = closingQuote(text, at + 1);
      field = text.slice(at + 1, closing).replaceAll('""', '"');
      at = Math.min(closing + 1, text.length);
    }
    const found = text.indexOf(separator, at);
    const end = found < 0 ? text.length : found;
    const rest = text.slice(at, end);
    if (isQuoted && rest !== '') problem = 'there is text behind a field in quotes';
    if (!isQuoted && rest.includes('"')) problem = 'there is a quote in a field without quotes';
    fields.push(isQuoted ? field : rest);
    at = end;
    if (found < 0) return problem === undefined ? { fields } : { fields, problem };
  }
}

/** The quote that is not the first of two; the end of the text where there is none. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return text.length;
}
