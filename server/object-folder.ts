import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config.ts';
import type { ModelFile } from './lwm2m/object-models.ts';

/** OMA's whole registry has less than 400. */
const MAX_FILES = 5000;
/** Bytes of one file; OMA's largest have 100 000. */
const MAX_BYTES = 2 * 1024 * 1024;

/**
 * Object definition files (`*.xml`) of a folder, by name; those in folders below it are not looked at.
 * @throws ConfigError one line: it cannot be read, or holds too much
 */
export function readObjectFolder(folder: string): readonly ModelFile[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder)
      .filter((name) => name.toLowerCase().endsWith('.xml'))
      .sort();
  } catch (error) {
    throw new ConfigError(`SIMYARD_OBJECTS: folder '${folder}' cannot be read: ${(error as Error).message}`);
  }
  if (names.length > MAX_FILES) {
    throw new ConfigError(
      `SIMYARD_OBJECTS: folder '${folder}' has ${names.length} files; ${MAX_FILES} are the most`,
    );
  }
  return names.map((name) => {
    const path = join(folder, name);
    try {
      const { size } = statSync(path);
      if (size > MAX_BYTES) throw new Error(`it has ${size} bytes; ${MAX_BYTES} are the most`);
      return { name, xml: readFileSync(path) };
    } catch (error) {
      throw new ConfigError(`SIMYARD_OBJECTS: '${path}' cannot be read: ${(error as Error).message}`);
    }
  });
}
