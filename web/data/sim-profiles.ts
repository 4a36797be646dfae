import type { ApiCarrierSlot } from './api-types.ts';
import type { LastValues } from './last-values.ts';
import { carrierLabel } from './names.ts';
import { isDisconnect } from './switch-progress.ts';

/** Remote SIM Provisioning (OMA object 504): ICCIDs of all profiles, EID, the kind of provisioning. */
export const simProvisioning = { id: 504, iccidResource: 11, eidResource: 12 } as const;

/** One profile of a card: a carrier that it offers, or one that is known by its ICCID alone. */
export interface SimProfile {
  readonly key: string;
  /** Undefined where only the ICCID is known. */
  readonly carrier: { readonly id: number; readonly label: string; readonly name: string } | undefined;
  readonly iccid: string | undefined;
  readonly enabled: boolean;
}

/** The profiles of a slot: those that it offers to switch to, and what object 504 says beyond these. */
export function profilesOf(slot: ApiCarrierSlot, values: LastValues): readonly SimProfile[] {
  const enabledIccid = slot.iccid === '' ? undefined : slot.iccid;
  const offered = slot.available
    .filter(({ name }) => !isDisconnect(name))
    .map((option): SimProfile => {
      const enabled = option.name !== '' && option.name === slot.current;
      return {
        key: `carrier-${option.id}`,
        carrier: { ...option, label: carrierLabel(option) },
        iccid: enabled ? enabledIccid : undefined,
        enabled,
      };
    });
  const shown = new Set(offered.map(({ iccid }) => iccid));
  const others = provisionedIccids(slot.slot, values)
    .filter((iccid) => !shown.has(iccid))
    .map(
      (iccid): SimProfile => ({
        key: `iccid-${iccid}`,
        carrier: undefined,
        iccid,
        enabled: iccid === enabledIccid,
      }),
    );
  return [...offered, ...others];
}

/** EID of the eUICC in a slot, where object 504 has told it. */
export function eidOf(slot: number, values: LastValues): string | undefined {
  const eid = values.get(`/${simProvisioning.id}/${slot}/${simProvisioning.eidResource}`)?.value;
  return typeof eid === 'string' && eid !== '' ? eid : undefined;
}

function provisionedIccids(slot: number, values: LastValues): readonly string[] {
  const prefix = `/${simProvisioning.id}/${slot}/${simProvisioning.iccidResource}/`;
  return [...values.values()]
    .filter(({ path }) => path.startsWith(prefix))
    .sort((a, b) => Number(a.path.slice(prefix.length)) - Number(b.path.slice(prefix.length)))
    .flatMap(({ value }) => (typeof value === 'string' && value !== '' ? [value] : []));
}
