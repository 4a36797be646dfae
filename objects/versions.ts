/** `1.10` is newer than `1.9`. Positive: `a` is newer. What is no version counts as 0.0. */
export function compareVersions(a: string, b: string): number {
  const [aMajor, aMinor] = parts(a);
  const [bMajor, bMinor] = parts(b);
  return aMajor - bMajor || aMinor - bMinor;
}

/**
 * The one that is read for `wanted`, of candidates that are sorted by version: itself; else the next newer
 * one of its major version, which only added resources (OMA-TS-LightweightM2M_Core §7.2.2); else the newest
 * of its major version; else the newest of all.
 */
export function nearestVersion<Candidate>(
  sorted: readonly Candidate[],
  wanted: string,
  versionOf: (candidate: Candidate) => string,
): Candidate | undefined {
  const [major] = parts(wanted);
  const sameMajor = sorted.filter((candidate) => parts(versionOf(candidate))[0] === major);
  return (
    sameMajor.find((candidate) => compareVersions(versionOf(candidate), wanted) >= 0) ??
    sameMajor.at(-1) ??
    sorted.at(-1)
  );
}

function parts(version: string): [major: number, minor: number] {
  const [, major = '0', minor = '0'] = /^(\d{1,5})\.(\d{1,5})$/.exec(version) ?? [];
  return [Number(major), Number(minor)];
}
