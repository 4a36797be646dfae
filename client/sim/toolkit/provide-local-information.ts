import type { Answer } from './bearer-independent-protocol.ts';
import type { DateTime, LocationInformation } from './data-objects.ts';
import { BusyCause, GeneralResult, LocalInformationKind } from './tags.ts';

/** What a card may ask of the terminal that it is in. Undefined: not to be had now. */
export interface LocalInformation {
  /** 15 digits. */
  imei(): string;
  /** 16 digits. */
  imeisv(): string;
  /** The serving cell; undefined: no service. */
  location(): LocationInformation | undefined;
  /** An AccessTechnology; undefined: no service. */
  accessTechnology(): number | undefined;
  /** Milliseconds since the epoch, and minutes east of UTC. */
  time(): { readonly wallTime: number; readonly zone: number | undefined };
  /** Two letters, ISO 639. */
  language(): string;
  /** 0 very low to 4 full; undefined: unknown. */
  battery(): number | undefined;
}

const ok = { general: GeneralResult.OK } as const;
const noService: Answer = {
  result: { general: GeneralResult.TERMINAL_BUSY, additional: BusyCause.NO_SERVICE },
};
/** "Status of the battery not available". */
const batteryUnknown = 0xff;

/** PROVIDE LOCAL INFORMATION, ETSI TS 102 223 §6.4.15: by its qualifier. */
export function provideLocalInformation(qualifier: number, local: LocalInformation): Answer {
  switch (qualifier) {
    case LocalInformationKind.LOCATION: {
      const location = local.location();
      return location === undefined ? noService : { result: ok, location };
    }
    case LocalInformationKind.IMEI:
      return { result: ok, imei: local.imei() };
    case LocalInformationKind.IMEISV:
      return { result: ok, imeisv: local.imeisv() };
    case LocalInformationKind.DATE_TIME:
      return { result: ok, time: dateTime(local.time()) };
    case LocalInformationKind.LANGUAGE:
      return { result: ok, language: local.language() };
    case LocalInformationKind.ACCESS_TECHNOLOGY: {
      const accessTechnology = local.accessTechnology();
      return accessTechnology === undefined ? noService : { result: ok, accessTechnology };
    }
    case LocalInformationKind.BATTERY_STATE:
      return { result: ok, battery: local.battery() ?? batteryUnknown };
    default:
      return { result: { general: GeneralResult.BEYOND_CAPABILITIES } };
  }
}

/** The civil time in that zone, or UTC where the zone is unknown. */
function dateTime({ wallTime, zone }: { wallTime: number; zone: number | undefined }): DateTime {
  const at = new Date(wallTime + (zone ?? 0) * 60_000);
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    zone,
  };
}
