import { join } from 'node:path';

/** The file of a database in a folder; `:memory:` is none. */
export function databaseFile(path: string): string {
  return path === ':memory:' ? path : join(path, 'simyard.db');
}
