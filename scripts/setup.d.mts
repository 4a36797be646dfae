/** Why node_modules does not hold what package-lock.json asks for; undefined where it does. */
export function whyInstall(folder?: string): string | undefined;
/** Where the npm package `node` puts its binary. */
export function nodeBinary(folder?: string): string;
