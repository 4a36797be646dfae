import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseSync, Visitor } from 'vite';
import { environmentReaders, type ImportRule, importRules, notForBrowsers } from './import-rules.ts';
import { root } from './root.ts';

/** What breaks a rule, as `file:line: why`. */
export type Violation = string;

interface Import {
  readonly specifier: string;
  /** `import type` and `export type … from`: nothing of it is left at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

interface Module {
  readonly imports: readonly Import[];
  /** Globals of Node that the file names. */
  readonly nodeGlobals: readonly { readonly name: string; readonly line: number }[];
  readonly environmentLines: readonly number[];
}

/**
 * Checks every file (path from the project's folder → source text) against the table of rules, and that no chain of
 * imports, type imports among them, comes back to where it began.
 */
export function checkImports(
  files: ReadonlyMap<string, string>,
  rules: readonly ImportRule[] = importRules,
): Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [file, source] of files) {
    const rule = rules.find(({ from }) => file.startsWith(from));
    if (rule === undefined) {
      violations.push(`${file}: no rule of scripts/import-rules.ts says what it may import`);
      continue;
    }
    const module = readModule(file, source);
    const targets: string[] = [];
    for (const { specifier, typeOnly, line } of module.imports) {
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file), specifier.replace(/\?.*$/, ''));
      if (target === 'package.json') continue; // the version
      targets.push(target);
      const why = whyForbidden(rule, target, typeOnly);
      if (why !== undefined) violations.push(`${file}:${line}: ${why}`);
      else if (target.endsWith('.ts') && !files.has(target)) {
        violations.push(`${file}:${line}: there is no ${target}`);
      }
    }
    graph.set(file, targets);
    if (rule.browserSafe === true && !notForBrowsers.includes(file)) {
      violations.push(...nodeUses(file, module));
    }
    violations.push(...environmentUses(file, module));
  }
  for (const cycle of cycles(graph)) violations.push(`${cycle[0]}: import cycle: ${cycle.join(' → ')}`);
  return violations;
}

function whyForbidden(rule: ImportRule, target: string, typeOnly: boolean): string | undefined {
  const isIn = (places: readonly string[] | undefined): boolean =>
    places?.some((place) => target.startsWith(place)) === true;
  if (isIn(rule.except)) return `${rule.from} may not import ${target}`;
  if (target.startsWith(rule.from) || isIn(rule.to)) return undefined;
  if (!isIn(rule.typesOf)) return `${rule.from} may not import ${target}`;
  return typeOnly ? undefined : `${rule.from} may import only types of ${target}: write import type`;
}

function nodeUses(file: string, module: Module): Violation[] {
  const imports = module.imports.filter(
    ({ specifier }) => specifier.startsWith('node:') || builtinModules.includes(specifier),
  );
  return [
    ...imports.map(({ specifier, line }) => `${file}:${line}: ${specifier} is not there in a browser`),
    ...module.nodeGlobals.map(({ name, line }) => `${file}:${line}: ${name} is not there in a browser`),
  ];
}

function environmentUses(file: string, module: Module): Violation[] {
  const reader = environmentReaders.find(({ folder }) => file.startsWith(folder));
  if (reader === undefined || reader.allowed.includes(file)) return [];
  const who = reader.allowed.length === 0 ? 'no file' : `only ${reader.allowed.join(', ')}`;
  return module.environmentLines.map(
    (line) => `${file}:${line}: ${who} of ${reader.folder} reads the environment`,
  );
}

function readModule(file: string, source: string): Module {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file} does not parse: ${error.message}`);
  const imports: Import[] = [];
  const identifiers = new Map<number, string>();
  const properties = new Set<number>();
  const environmentLines: number[] = [];
  const lineOf = (offset: number): number => source.slice(0, offset).split('\n').length;
  const add = (from: unknown, typeOnly: boolean, offset: number): void => {
    if (typeof from === 'object' && from !== null && 'value' in from && typeof from.value === 'string') {
      imports.push({ specifier: from.value, typeOnly, line: lineOf(offset) });
      if (from.value === 'node:process' || from.value === 'process') environmentLines.push(lineOf(offset));
    }
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type', node.start),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type', node.start),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type', node.start),
    ImportExpression: (node) => add(node.source, false, node.start),
    TSImportType: (node) => add(node.source, true, node.start),
    NewExpression(node) {
      // new URL('./worker.ts', import.meta.url) names a file as surely as an import does.
      const [first, second] = node.arguments;
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL') return;
      if (second?.type !== 'MemberExpression' || second.object.type !== 'MetaProperty') return;
      if (first?.type === 'Literal' && String(first.value).endsWith('.ts')) add(first, false, node.start);
    },
    Identifier(node) {
      if (node.name === 'Buffer' || node.name === 'process') identifiers.set(node.start, node.name);
    },
    MemberExpression(node) {
      if (node.property.type !== 'Identifier' || node.computed) return;
      const { object, property } = node;
      if (object.type === 'Identifier' && object.name === 'globalThis') return;
      properties.add(property.start);
      if (property.name === 'env' && source.slice(object.start, object.end).endsWith('process')) {
        environmentLines.push(lineOf(node.start));
      }
    },
    Property(node) {
      if (!node.shorthand && !node.computed) properties.add(node.key.start);
    },
    TSPropertySignature: (node) => void properties.add(node.key.start),
    PropertyDefinition: (node) => void properties.add(node.key.start),
    MethodDefinition: (node) => void properties.add(node.key.start),
  }).visit(program);
  const nodeGlobals = [...identifiers]
    .filter(([start]) => !properties.has(start))
    .map(([start, name]) => ({ name, line: lineOf(start) }));
  return { imports, nodeGlobals, environmentLines };
}

/** Each cycle, as a shortest path that ends where it begins; a file that is in several is told for one of them. */
export function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const inKnownCycle = new Set<string>();
  for (const start of graph.keys()) {
    if (inKnownCycle.has(start)) continue;
    const path = shortestWayRound(graph, start);
    if (path === undefined) continue;
    found.push(path);
    for (const file of path) inKnownCycle.add(file);
  }
  return found;
}

function shortestWayRound(
  graph: ReadonlyMap<string, readonly string[]>,
  start: string,
): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const file of queue) {
    for (const target of graph.get(file) ?? []) {
      if (target === start) {
        const path = [start];
        for (let step: string | undefined = file; step !== undefined; step = cameFrom.get(step))
          path.unshift(step);
        return path;
      }
      if (!cameFrom.has(target)) {
        cameFrom.set(target, file);
        queue.push(target);
      }
    }
  }
  return undefined;
}

/** Below the project's folder, what is installed, built or kept by a run. */
const unread = /^(?:node_modules|coverage|data|test-results)$|(?:^|\/)(?:dist|target)$/;

/** Every TypeScript file of the project, by its path with slashes; the ones beside package.json are tools' settings. */
export function readProject(folder: string = root): Map<string, string> {
  const files = new Map<string, string>();
  const walk = (path: string): void => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const name = posix.join(path, entry.name);
      if (unread.test(name) || entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) walk(name);
      else if (path !== '' && entry.name.endsWith('.ts'))
        files.set(name, readFileSync(join(folder, name), 'utf8'));
    }
  };
  walk('');
  return files;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = readProject();
  const violations = checkImports(files);
  for (const violation of violations) console.error(violation);
  console.log(`${files.size} files, ${violations.length} violations of the import rules`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
