import type { Registration } from '../ports/registration-store.ts';

/** LwM2M versions that the server speaks, oldest first (OMA-TS-LightweightM2M_Core §6.2.1). */
export const supportedVersions = ['1.0', '1.1', '1.2'] as const;
export type LwM2mVersion = (typeof supportedVersions)[number];

/** Whether the device speaks this version or a later one. */
export function speaks({ version }: Pick<Registration, 'version'>, since: LwM2mVersion): boolean {
  return supportedVersions.indexOf(version as LwM2mVersion) >= supportedVersions.indexOf(since);
}
