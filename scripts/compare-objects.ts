// Compares our object definitions with a folder of OMA's object definition files (3.xml, 3-1_1.xml and so on).
//
//   npm run compare-objects -- FOLDER
//
// Prints each difference and ends with 1 where there is one. Units are compared only where OMA's file
// has them, enumerations not at all: the files tell both mostly in prose. Of Access Control 1.0 the range is
// ours: its file has none, but says what the bits are.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectDefinition, ResourceDefinition } from '../objects/define-object.ts';
import { omaObjects } from '../objects/oma-objects.ts';
import { parseOmaXml } from '../objects/parse-oma-xml.ts';

/** Units that older files spell otherwise than the registry of SenML units, which is what we write. */
const spellings: Readonly<Record<string, string>> = { '%': '/100', KB: 'kB', minutes: 'min', Degrees: 'deg' };

/** Units that stand in files by mistake: a kind of match is no time, a network code no share, a bit rate no level. */
const mistaken = new Set(['/0//13 1.1', '/0//15 1.1', '/4//9 1.0', '/4//9 1.1', '/27//12 1.0']);

const folder = process.argv[2];
const usage = 'Usage: npm run compare-objects -- FOLDER, a folder of object definition files (*.xml)';
if (folder === '--help') {
  console.log(usage);
  process.exit(0);
}
if (folder === undefined) {
  console.error(usage);
  process.exit(2);
}

const files = new Map<string, ObjectDefinition>();
for (const name of readdirSync(folder).filter((file) => file.endsWith('.xml'))) {
  for (const theirs of parseOmaXml(readFileSync(join(folder, name), 'utf8')))
    files.set(keyOf(theirs), theirs);
}

const differences: string[] = [];
let without = 0;
for (const ours of omaObjects) {
  const theirs = files.get(keyOf(ours));
  if (theirs === undefined) {
    without++;
    continue;
  }
  const before = differences.length;
  compare(ours, theirs);
  console.log(`${ours.id} ${ours.name} ${ours.version}: ${differences.length - before} differences`);
}
for (const difference of differences) console.log(difference);
console.log(
  `${omaObjects.length - without} definitions compared, ${without} without a file, ${differences.length} differences`,
);
process.exitCode = differences.length === 0 ? 0 : 1;

function compare(ours: ObjectDefinition, theirs: ObjectDefinition): void {
  same(`object ${keyOf(ours)}`, ours, theirs, ['id', 'version', 'name', 'multiple', 'mandatory']);
  const own = byId(ours);
  const other = byId(theirs);
  for (const id of new Set([...own.keys(), ...other.keys()])) {
    const where = `/${ours.id}//${id} ${ours.version}`;
    const mine = own.get(id);
    const wanted = other.get(id);
    if (mine === undefined || wanted === undefined) {
      differences.push(`${where}: only ${mine === undefined ? "in OMA's file" : 'here'}`);
      continue;
    }
    same(where, mine, wanted, ['title', 'operations', 'type', 'multiple', 'mandatory', 'range']);
    if (wanted.units !== undefined && !mistaken.has(where)) {
      const units = spellings[wanted.units] ?? wanted.units;
      same(where, mine, { ...wanted, units }, ['units']);
    }
  }
}

function same<T>(where: string, ours: T, theirs: T, keys: readonly (keyof T)[]): void {
  for (const key of keys) {
    const [mine, wanted] = [JSON.stringify(ours[key]), JSON.stringify(theirs[key])];
    if (mine !== wanted) differences.push(`${where}: ${String(key)} is ${mine} here and ${wanted} there`);
  }
}

function byId(definition: ObjectDefinition): Map<number, ResourceDefinition> {
  return new Map(
    Object.values<ResourceDefinition>(definition.resources).map((resource) => [resource.id, resource]),
  );
}

function keyOf({ id, version }: ObjectDefinition): string {
  return `${id} ${version}`;
}
