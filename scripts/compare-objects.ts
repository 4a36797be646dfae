// Compares our object definitions with a folder of OMA's object definition files (3.xml and so on).
//
//   node scripts/compare-objects.ts FOLDER
//
// Prints each difference and ends with 1 where there is one. Units are compared only where OMA's file
// has them, enumerations not at all: the files tell both mostly in prose.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ObjectDefinition, ResourceDefinition } from '../objects/define-object.ts';
import { parseOmaXml } from '../objects/parse-oma-xml.ts';
import { omaObjects } from '../objects/registry.ts';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node scripts/compare-objects.ts FOLDER');
  process.exit(2);
}

const differences: string[] = [];
for (const ours of omaObjects) {
  const file = join(folder, `${ours.id}.xml`);
  if (!existsSync(file)) {
    console.log(`${ours.id} ${ours.name}: no file to compare with`);
    continue;
  }
  const before = differences.length;
  for (const theirs of parseOmaXml(readFileSync(file, 'utf8'))) compare(ours, theirs);
  console.log(`${ours.id} ${ours.name} ${ours.version}: ${differences.length - before} differences`);
}
for (const difference of differences) console.log(difference);
process.exitCode = differences.length === 0 ? 0 : 1;

function compare(ours: ObjectDefinition, theirs: ObjectDefinition): void {
  same(`object ${ours.id}`, ours, theirs, ['id', 'version', 'name', 'multiple', 'mandatory']);
  const own = byId(ours);
  const other = byId(theirs);
  for (const id of new Set([...own.keys(), ...other.keys()])) {
    const where = `/${ours.id}//${id}`;
    const mine = own.get(id);
    const wanted = other.get(id);
    if (mine === undefined || wanted === undefined) {
      differences.push(`${where}: only ${mine === undefined ? "in OMA's file" : 'here'}`);
      continue;
    }
    same(where, mine, wanted, ['title', 'operations', 'type', 'multiple', 'mandatory', 'range']);
    if (wanted.units !== undefined) same(where, mine, wanted, ['units']);
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
