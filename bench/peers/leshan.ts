import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { newestChange } from '../../scripts/build-console.ts';
import { isInstalled } from '../../scripts/requirements.ts';
import { root } from '../../scripts/root.ts';
import { runToEnd } from '../../scripts/run-to-end.ts';
import { JsonLinesProcess } from '../../test/interop/support/json-lines-process.ts';
import type { Target } from './target.ts';

const folder = join(root, 'bench/peers/leshan');
const objects = ['42769', '42770'].map((id) => join(root, 'objects/oma', `${id}.xml`));

export interface LeshanBuild {
  readonly pom: string;
  /** Maven's output folder. */
  readonly target: string;
  readonly main: string;
}

export const inMemory: LeshanBuild = { pom: 'pom.xml', target: 'target', main: 'LeshanTarget' };
/** The same build, over DTLS. */
export const overDtls: LeshanBuild = { ...inMemory, main: 'LeshanDtlsTarget' };
export const onRedis: LeshanBuild = {
  pom: 'pom-redis.xml',
  target: 'target-redis',
  main: 'LeshanRedisTarget',
};

/** Builds it, if it is not built; resolves with the reason where it cannot be. */
export async function buildLeshan(build: LeshanBuild): Promise<string | undefined> {
  for (const command of ['mvn', 'javac', 'java']) {
    if (!isInstalled(command)) return `${command} is not installed`;
  }
  const built = join(folder, build.target, 'classes/simyard/bench', `${build.main}.class`);
  const sources = Math.max(newestChange(join(folder, 'src')), newestChange(join(folder, build.pom)));
  if (existsSync(built) && newestChange(built) > sources) return undefined;
  const { code, output } = await runToEnd('mvn', [
    ...['--batch-mode', '--quiet', '--file', join(folder, build.pom)],
    ...['clean', 'process-classes'],
  ]);
  if (code === 0) return undefined;
  const line = output.split('\n').find((text) => text.includes('[ERROR]')) ?? output;
  return `Maven does not build it: ${line.replace('[ERROR] ', '').trim()}`;
}

/** Starts it with the JVM's own choice of collector and heap, as who follows Leshan's documentation has it. */
export async function startLeshan(
  build: LeshanBuild,
  args: readonly string[] = [],
  parts: { readonly redisCpu?: () => Promise<number>; readonly end?: () => Promise<void> } = {},
): Promise<Target> {
  const classes = join(folder, build.target);
  const java = new JsonLinesProcess('java', [
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    ...['-cp', `${join(classes, 'classes')}:${join(classes, 'dependency')}/*`],
    `simyard.bench.${build.main}`,
    ...args,
    ...objects,
  ]);
  const stop = async (): Promise<void> => {
    await java.stop('SIGKILL');
    await parts.end?.();
  };
  try {
    const { port, http } = await java.until((line) => 'port' in line);
    return {
      ...{ port: port as number, http: http as string },
      pid: java.pid,
      async use(question) {
        java.order(question);
        const { cpu, memory } = await java.until((line) => 'cpu' in line);
        return {
          cpu: cpu as number,
          memory: memory as number,
          ...(parts.redisCpu === undefined ? {} : { redisCpu: await parts.redisCpu() }),
        };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
