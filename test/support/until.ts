/**
 * Asks again until the answer is there: for what a process or a socket of the system does, where no
 * event tells.
 * @throws Error with `what` when it is not there after `limit` ms.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limit = 20_000,
): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${limit} ms in vain: ${what}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 25));
  }
}
