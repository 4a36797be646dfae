import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { newestChange } from '../../../scripts/build-console.ts';
import { root } from '../../../scripts/root.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { JsonLinesProcess } from '../support/json-lines-process.ts';

const folder = join(root, 'test/interop/leshan/client');
const target = join(folder, 'target');

/** Builds our small client on the Leshan library; Maven fetches the library the first time. */
export async function buildLeshanClient(): Promise<void> {
  const built = join(target, 'classes/simyard/interop/LeshanTestClient.class');
  const sources = Math.max(newestChange(join(folder, 'src')), newestChange(join(folder, 'pom.xml')));
  if (existsSync(built) && newestChange(built) > sources) return;
  const { code, output } = await runToEnd('mvn', [
    '--batch-mode',
    '--quiet',
    '--file',
    join(folder, 'pom.xml'),
    'clean',
    'process-classes',
  ]);
  if (code !== 0) throw new Error(`Maven does not build the Leshan client:\n${output}`);
}

/** Starts it; it registers at once. */
export function startLeshanClient(options: {
  /** `host:port` */
  readonly server: string;
  readonly endpoint: string;
  /** s */
  readonly lifetime: number;
  readonly sensorObject: number;
  /** How many instances of it there are. */
  readonly sensors: number;
}): JsonLinesProcess {
  const classPath = `${join(target, 'classes')}:${join(target, 'dependency')}/*`;
  return new JsonLinesProcess('java', [
    '-XX:+UseSerialGC',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-cp',
    classPath,
    'simyard.interop.LeshanTestClient',
    `coap://${options.server}`,
    options.endpoint,
    String(options.lifetime),
    String(options.sensorObject),
    String(options.sensors),
  ]);
}
