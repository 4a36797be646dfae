import { type CommandApdu, type ResponseApdu, StatusWord } from '../apdu.ts';
import { encodeTlv } from '../ber-tlv.ts';
import { fromHex, toHex } from '../hex.ts';
import type { StoredProfile } from './card-contents.ts';
import { type Access, accessRuleOf, type Directory, type ElementaryFile, masterFile } from './card-files.ts';
import { CardStatus } from './card-status.ts';

export const FileIns = {
  READ_BINARY: 0xb0,
  READ_RECORD: 0xb2,
  UPDATE_BINARY: 0xd6,
  UPDATE_RECORD: 0xdc,
} as const;

/** What is selected on a logical channel, ETSI TS 102 221 §8.4. */
export interface FileSelection {
  readonly directory: Directory;
  readonly file: ElementaryFile | undefined;
  /** The current record, from 1; 0: none yet. */
  readonly record: number;
}

export const nothingSelected: FileSelection = { directory: masterFile, file: undefined, record: 0 };

const masterFileAlone: Directory = {
  ...masterFile,
  directories: masterFile.directories.filter(({ aid }) => aid === undefined),
};
const emptyMasterFile: Directory = { ...masterFile, files: [], directories: [] };

/** What can be selected: without an enabled profile the MF, with nothing in it; 7FFF where the USIM was selected by AID. */
export interface SelectionScope {
  readonly hasProfile: boolean;
  readonly hasUsim: boolean;
}

/** SELECT by file id or path (§11.1.1): undefined where there is no such file. */
export function selectFile(
  command: CommandApdu,
  from: FileSelection,
  scope: SelectionScope,
): FileSelection | undefined {
  const path = fileIds(command.data ?? new Uint8Array(0));
  if (path === undefined) return undefined;
  const mf = scope.hasUsim ? masterFile : scope.hasProfile ? masterFileAlone : emptyMasterFile;
  if (command.p1 === 0x08) return walk(mf, path[0] === mf.id ? path.slice(1) : path);
  const current = from.directory.id === mf.id ? mf : from.directory;
  if (command.p1 === 0x09) return walk(current, path);
  const [id] = path;
  if (path.length > 1) return undefined;
  if (id === undefined || id === mf.id) return at(mf);
  // By file id (§8.4.1): a file of the current directory, a directory beside it or above it, the current USIM.
  return (
    walk(current, [id]) ??
    (id === current.id ? at(current) : undefined) ??
    at(mf.directories.find((directory) => directory.id === id))
  );
}

function at(directory: Directory | undefined): FileSelection | undefined {
  return directory === undefined ? undefined : { directory, file: undefined, record: 0 };
}

function walk(from: Directory, path: readonly number[]): FileSelection | undefined {
  const [id, ...rest] = path;
  if (id === undefined) return at(from);
  const below = from.directories.find((directory) => directory.id === id);
  if (below !== undefined) return walk(below, rest);
  const file = from.files.find((one) => one.id === id);
  return file === undefined || rest.length > 0 ? undefined : { directory: from, file, record: 0 };
}

/** Two bytes an id; undefined where they do not come out even. */
function fileIds(path: Uint8Array): readonly number[] | undefined {
  if (path.length % 2 !== 0) return undefined;
  return Array.from(
    { length: path.length / 2 },
    (_, i) => ((path[i * 2] ?? 0) << 8) | (path[i * 2 + 1] ?? 0),
  );
}

/** What a file command comes to. `selection`: by short file id the file became the current one. */
export interface FileOutcome {
  readonly response: ResponseApdu;
  readonly selection?: FileSelection;
  /** To be written before the response goes out: path and body of one file. */
  readonly written?: { readonly path: string; readonly body: string };
}

/** READ and UPDATE of BINARY and RECORD, ETSI TS 102 221 §11.1.3 to §11.1.6. */
export function fileCommand(
  command: CommandApdu,
  current: FileSelection,
  profile: StoredProfile,
  may: (access: Access) => boolean,
): FileOutcome {
  const linear = command.ins === FileIns.READ_RECORD || command.ins === FileIns.UPDATE_RECORD;
  const writes = command.ins === FileIns.UPDATE_BINARY || command.ins === FileIns.UPDATE_RECORD;
  const sfi = linear ? command.p2 >> 3 : (command.p1 & 0x80) !== 0 ? command.p1 & 0x1f : 0;
  const named = sfi === 0 ? current.file : current.directory.files.find((file) => file.sfi === sfi);
  if (named === undefined) {
    return no(sfi === 0 ? StatusWord.NO_FILE_SELECTED : StatusWord.FILE_NOT_FOUND);
  }
  const selection: FileSelection =
    named === current.file ? current : { directory: current.directory, file: named, record: 0 };
  if (linear !== (named.recordSize !== undefined)) return no(CardStatus.COMMAND_INCOMPATIBLE_WITH_FILE);
  if (!may(writes ? named.update : named.read)) return no(CardStatus.SECURITY_STATUS_NOT_SATISFIED);
  const body = fileBody(named, selection.directory, profile);
  if (!linear) {
    const offset = sfi === 0 ? (command.p1 << 8) | command.p2 : command.p2;
    if (offset >= body.length) return no(StatusWord.WRONG_P1_P2);
    if (writes) return update(command.data, body, offset, selection, command.data?.length ?? 0);
    return { response: part(body.subarray(offset), command.le), selection };
  }
  const size = named.recordSize ?? 0;
  const record = recordNumber(command, selection.record, body.length / size);
  if (record === undefined) return no(CardStatus.RECORD_NOT_FOUND);
  const moved = (command.p2 & 0x07) === 0x04 ? selection : { ...selection, record };
  const offset = (record - 1) * size;
  if (writes) return update(command.data, body, offset, moved, size);
  return { response: part(body.subarray(offset, offset + size), command.le, true), selection: moved };
}

/** Le 00 means "all there is" on the wire, and a T=0 card still tells the exact length first. */
function part(bytes: Uint8Array, le: number | undefined, whole = false): ResponseApdu {
  const wanted = le ?? 256;
  if (wanted > bytes.length || (whole && wanted !== bytes.length)) return status(0x6c00 | bytes.length);
  return { data: bytes.slice(0, wanted), sw: StatusWord.OK };
}

function update(
  data: Uint8Array | undefined,
  body: Uint8Array,
  offset: number,
  selection: FileSelection,
  size: number,
): FileOutcome {
  if (data === undefined || data.length !== size || offset + size > body.length)
    return no(StatusWord.WRONG_LENGTH);
  const { file, directory } = selection;
  if (file === undefined) return no(StatusWord.NO_FILE_SELECTED);
  const next = body.slice();
  next.set(data, offset);
  return {
    response: status(StatusWord.OK),
    selection,
    written: { path: pathOf(file, directory), body: toHex(next) },
  };
}

/** P2 bits 1 to 3: 2 next, 3 previous, 4 the number in P1, or the current record where that is 0. */
function recordNumber(command: CommandApdu, current: number, count: number): number | undefined {
  const mode = command.p2 & 0x07;
  if (mode !== 4 && command.p1 !== 0) return undefined;
  const number =
    mode === 2
      ? current + 1
      : mode === 3
        ? current === 0
          ? count
          : current - 1
        : mode === 4
          ? command.p1 || current
          : 0;
  return number >= 1 && number <= count ? number : undefined;
}

/** What is in a file: what was written to it, or what it had on the new profile. */
function fileBody(file: ElementaryFile, directory: Directory, profile: StoredProfile): Uint8Array {
  const written = profile.files[pathOf(file, directory)];
  return written === undefined ? file.body(profile) : fromHex(written);
}

function pathOf(file: ElementaryFile, directory: Directory): string {
  return [directory.id, file.id].map((id) => id.toString(16).toUpperCase().padStart(4, '0')).join('');
}

/** FCP template of what is selected, ETSI TS 102 221 §11.1.1.3. */
export function controlParameters(
  selection: FileSelection,
  profile: StoredProfile | undefined,
  pin1Enabled: boolean,
): Uint8Array {
  const { directory, file } = selection;
  const id = (number: number): Uint8Array => encodeTlv(0x83, Uint8Array.of(number >> 8, number & 0xff));
  // Operational, activated (§11.1.1.4.9).
  const lifeCycle = encodeTlv(0x8a, Uint8Array.of(0x05));
  if (file === undefined || profile === undefined) {
    return encodeTlv(
      0x62,
      // A directory, shareable (§11.1.1.4.3).
      encodeTlv(0x82, fromHex('7821')),
      directory.aid === undefined ? id(directory.id) : encodeTlv(0x84, directory.aid),
      ...(directory.id === masterFile.id ? [encodeTlv(0xa5, encodeTlv(0x80, Uint8Array.of(0x71)))] : []),
      lifeCycle,
      encodeTlv(0x8b, fromHex('2F0601')),
      pinStatus(pin1Enabled),
    );
  }
  const body = fileBody(file, directory, profile);
  const { recordSize } = file;
  const descriptor =
    recordSize === undefined
      ? fromHex('4121')
      : Uint8Array.of(0x42, 0x21, recordSize >> 8, recordSize & 0xff, body.length / recordSize);
  const size = encodeTlv(0x80, Uint8Array.of(body.length >> 8, body.length & 0xff));
  // All may read EF_ICCID, and nobody may write it: without that rule its FCP has the 17 bytes (6111) that it
  // had in all traces of this card so far.
  const brief = file.id === 0x2fe2;
  return encodeTlv(
    0x62,
    encodeTlv(0x82, descriptor),
    id(file.id),
    lifeCycle,
    ...(brief ? [] : [encodeTlv(0x8b, Uint8Array.of(0x2f, 0x06, accessRuleOf(file)))]),
    size,
    ...(brief
      ? []
      : [encodeTlv(0x88, file.sfi === undefined ? new Uint8Array(0) : Uint8Array.of(file.sfi << 3))]),
  );
}

/** PIN status template (§11.1.1.4.10): which keys there are, and which of them are enabled. */
function pinStatus(pin1Enabled: boolean): Uint8Array {
  return encodeTlv(
    0xc6,
    encodeTlv(0x90, Uint8Array.of(pin1Enabled ? 0xc0 : 0x40)),
    encodeTlv(0x83, Uint8Array.of(0x01)),
    encodeTlv(0x83, Uint8Array.of(0x81)),
    encodeTlv(0x83, Uint8Array.of(0x0a)),
  );
}

function no(sw: number): FileOutcome {
  return { response: status(sw) };
}

function status(sw: number): ResponseApdu {
  return { data: new Uint8Array(0), sw };
}
