import { readFileSync, writeFileSync } from 'node:fs';
import type { GuardFigures } from './compare.ts';

/**
 * The figures that are kept; none where there is no file.
 * @throws Error with what helps, where the file is damaged
 */
export function readFigures(file: URL): GuardFigures {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const figures = parsed(text);
  if (typeof figures !== 'object' || figures === null || !Object.values(figures).every(isFigure)) {
    const name = file.pathname.slice(file.pathname.lastIndexOf('/bench/') + 1);
    throw new Error(
      `${name} is damaged: take it from git again (git checkout ${name}), or keep new figures: npm run bench:guard -- --update`,
    );
  }
  return figures as GuardFigures;
}

/** @throws RangeError where one is no figure; the file is as it was then */
export function writeFigures(file: URL, measured: GuardFigures): void {
  const wrong = Object.entries(measured).find(([, ratio]) => !isFigure(ratio));
  if (wrong !== undefined) throw new RangeError(`${wrong[0]}: ${wrong[1]} is no figure, nothing is kept`);
  const rounded = Object.entries(measured).map(([name, ratio]) => [name, Number(ratio.toFixed(2))]);
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(rounded), undefined, 2)}\n`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isFigure(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
