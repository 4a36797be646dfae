/** The API's types as the console uses them; their one home is server/api/schemas.ts. */

export type { ApiObjectModel } from '../../server/api/schemas/object-models.ts';
export type { ApiObservationStatus, ApiWantedStatus } from '../../server/api/schemas/observation-policies.ts';
export type {
  ApiCarrierAnswer,
  ApiCommand,
  ApiCommandPage,
  ApiDevice,
  ApiDevicePage,
  ApiEvent,
  ApiLiveReadings,
  ApiProblem,
  ApiReading,
  ApiReadingsAnswer,
  ApiReadResult,
  ApiResourceItem,
  ApiServer,
  ApiValue,
} from '../../server/api/schemas.ts';

import type { ApiCarrierAnswer } from '../../server/api/schemas.ts';

/** One SIM slot of `GET /api/devices/{endpoint}/carrier`. */
export type ApiCarrierSlot = ApiCarrierAnswer['slots'][number];
