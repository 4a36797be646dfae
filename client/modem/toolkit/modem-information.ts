import type { LocationInformation } from '../../sim/toolkit/data-objects.ts';
import type { LocalInformation } from '../../sim/toolkit/provide-local-information.ts';
import { AccessTechnology } from '../../sim/toolkit/tags.ts';
import type { NetworkView } from '../cellular/lte-network.ts';
import type { EquipmentIdentity } from '../device/imei.ts';
import type { LocalTime } from '../device/local-time.ts';
import type { PowerSource } from '../device/power-source.ts';

/** Where a modem's card is told from what the modem is. */
export interface ModemState {
  readonly identity: EquipmentIdentity;
  readonly time: LocalTime;
  readonly power: PowerSource;
  /** The serving cell; undefined: the modem is not on the network. */
  readonly served: () => NetworkView | undefined;
}

/** Per cent below which the battery is very low, low, average, good (ETSI TS 102 223 §8.69); full above. */
const batteryBounds = [5, 20, 50, 80];

/** What the modem tells its card by PROVIDE LOCAL INFORMATION: its own state, at the moment of the question. */
export function modemInformation({ identity, time, power, served }: ModemState): LocalInformation {
  return {
    imei: () => identity.imei,
    imeisv: () => identity.imeisv,
    location: () => locationOf(served()),
    // LTE and NB-IoT are both E-UTRAN.
    accessTechnology: () => (served() === undefined ? undefined : AccessTechnology.E_UTRAN),
    time: () => ({ wallTime: time.current * 1_000, zone: minutesOf(time.utcOffset) }),
    language: () => 'en',
    battery: () => {
      const { level } = power.read();
      const place = batteryBounds.findIndex((bound) => level < bound);
      return place < 0 ? batteryBounds.length : place;
    },
  };
}

function locationOf(view: NetworkView | undefined): LocationInformation | undefined {
  if (view === undefined) return undefined;
  const { plmn } = view.operator;
  return {
    mcc: plmn.slice(0, 3),
    mnc: plmn.slice(3),
    areaCode: view.areaCode,
    cell: { id: view.cellId, bits: 28 },
  };
}

/** Minutes east of UTC of an offset as the Device object has it: `+02:00`, `-0330`, `UTC+2`, `Z`. */
function minutesOf(offset: string): number {
  const match = /([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(offset);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}
