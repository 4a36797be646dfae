import { readFileSync } from 'node:fs';

/**
 * One state transition, as a Lua script in a file of its own. Its first line is `#!lua`, so that a Redis
 * Cluster refuses keys of other slots; its header lists KEYS, ARGV and RETURNS.
 */
export interface Script {
  readonly name: string;
  readonly source: string;
}

/** Loads `scripts/<name>.lua`, with the functions of `scripts/shared/<name>.lua` before what it does. */
export function loadScript(name: string, ...shared: readonly string[]): Script {
  const [first = '', ...rest] = read(name).split('\n');
  const functions = shared.map((one) => read(`shared/${one}`));
  return { name, source: [first, ...functions, ...rest].join('\n') };
}

function read(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}

const guard = [
  'local declared = {} for _, key in ipairs(KEYS) do declared[key] = true end',
  'local whole = redis',
  'local redis = setmetatable({ call = function(command, ...)',
  '  local name = string.lower(command)',
  "  if name ~= 'time' and name ~= 'info' and name ~= 'publish' and name ~= 'spublish' then",
  "    local key = (name == 'xinfo' or name == 'xgroup' or name == 'object') and select(2, ...) or (...)",
  "    if not declared[key] then error('undeclared key in ' .. name .. ': ' .. tostring(key)) end",
  '  end',
  '  return whole.call(command, ...)',
  'end }, { __index = whole })',
].join(' ');

/**
 * The same script, which fails where it touches a key that it was not given. For tests. Commands with more than
 * one key are checked by their first.
 */
export function guarded(script: Script): Script {
  const [first = '', ...rest] = script.source.split('\n');
  const source = [first, guard, ...rest].join('\n');
  return { name: script.name, source };
}
