import { carrierObject } from '../../objects/carrier.ts';
import { remoteSimProvisioningObject } from '../../objects/remote-sim-provisioning.ts';
import type { ApiCarrierSlot } from './api-types.ts';
import type { LastValues } from './last-values.ts';
import { carrierLabel } from './names.ts';
import { carrierObjectId } from './sensors.ts';
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
        iccid: enabled ? enabledIccid : textAt(values, carrierIccid(slot.slot, option.id)),
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

/** How the newest operation on the profiles of a slot went, where object 504 has told one. */
export function provisioningOf(
  slot: number,
  values: LastValues,
):
  | { readonly state: 'under way' | 'done' | 'failed'; readonly text: string; readonly reason: string }
  | undefined {
  const { rspUpdateState, rspUpdateResult } = remoteSimProvisioningObject.resources;
  const at = (id: number): number => Number(values.get(`/${simProvisioning.id}/${slot}/${id}`)?.value ?? 0);
  const state = at(rspUpdateState.id);
  const result = at(rspUpdateResult.id);
  const stateTexts: Readonly<Record<number, string>> = rspUpdateState.values;
  const resultTexts: Readonly<Record<number, string>> = rspUpdateResult.values;
  if (state !== 0) return { state: 'under way', text: stateTexts[state] ?? `State ${state}`, reason: '' };
  if (result === 0) return undefined;
  const done = result === 1;
  const { provisioningReason } = carrierObject.resources;
  const reason = textAt(values, `/${carrierObjectId}/${slot}/${provisioningReason.id}`) ?? '';
  return {
    state: done ? 'done' : 'failed',
    text: resultTexts[result] ?? `Result ${result}`,
    reason: done ? '' : reason,
  };
}

function carrierIccid(slot: number, carrier: number): string {
  return `/${carrierObjectId}/${slot}/${carrierObject.resources.availableIccids.id}/${carrier}`;
}

function textAt(values: LastValues, path: string): string | undefined {
  const value = values.get(path)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function provisionedIccids(slot: number, values: LastValues): readonly string[] {
  const prefix = `/${simProvisioning.id}/${slot}/${simProvisioning.iccidResource}/`;
  return [...values.values()]
    .filter(({ path }) => path.startsWith(prefix))
    .sort((a, b) => Number(a.path.slice(prefix.length)) - Number(b.path.slice(prefix.length)))
    .flatMap(({ value }) => (typeof value === 'string' && value !== '' ? [value] : []));
}
