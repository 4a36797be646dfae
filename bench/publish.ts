import { writeSection } from './document.ts';

/**
 * Prints what a script has found, and puts it into docs/performance.md where it was told to. Where something failed, or a
 * figure is none, the page stays as it was, and the process ends with 1.
 * @param name of the part of the page
 * @param failures a line each
 * @returns whether it is on the page now
 */
export function publish(
  name: string,
  text: string,
  { write, failures = [] }: { readonly write: boolean; readonly failures?: readonly string[] },
): boolean {
  process.stdout.write(`${text}\n`);
  const reasons = [...failures, ...faultsOf(text)];
  if (reasons.length === 0) {
    if (write) writeSection(name, text);
    return write;
  }
  for (const reason of reasons) process.stderr.write(`${reason}\n`);
  if (write) process.stderr.write('docs/performance.md stays as it was\n');
  process.exitCode = 1;
  return false;
}

/** What is no figure where one should be. */
export function faultsOf(text: string): string[] {
  const found = new Set(text.match(/\b(NaN|Infinity|undefined)\b/g));
  return [...found].map((word) => `a figure is missing: the result has ${word} in it`);
}
