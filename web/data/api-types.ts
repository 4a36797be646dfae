/** The API's types as the console uses them; their one home is server/api/schemas.ts. */

export type { ApiJob, ApiJobBody } from '../../server/api/schemas/jobs.ts';
export type {
  ApiObjectModel,
  ApiObjectModelEntry,
  ApiObjectModelList,
  ApiObjectModelsLoaded,
} from '../../server/api/schemas/object-models.ts';
export type {
  ApiObservationPolicy,
  ApiObservationPolicyBody,
  ApiObservationStatus,
  ApiWantedStatus,
} from '../../server/api/schemas/observation-policies.ts';
export type {
  ApiAuditEntry,
  ApiAuditPage,
  ApiCarrierAnswer,
  ApiCluster,
  ApiClusterNode,
  ApiCommand,
  ApiCommandPage,
  ApiDevice,
  ApiDeviceFacets,
  ApiDeviceFilter,
  ApiDevicePage,
  ApiEvent,
  ApiEventPage,
  ApiLink,
  ApiLinksAnswer,
  ApiLiveReadings,
  ApiLiveTrace,
  ApiMe,
  ApiNewToken,
  ApiNewUser,
  ApiOverview,
  ApiProblem,
  ApiReading,
  ApiReadingSeries,
  ApiReadingsAnswer,
  ApiReadResult,
  ApiResourceItem,
  ApiServer,
  ApiServerSetting,
  ApiServerSettingsAnswer,
  ApiSession,
  ApiStatistics,
  ApiTokenInfo,
  ApiTraceAnswer,
  ApiTraceMessage,
  ApiTracePayload,
  ApiUser,
  ApiUserBody,
  ApiValue,
  ApiWebhook,
  ApiWebhookBody,
  ApiWebhookDeliveriesAnswer,
  ApiWebhookDelivery,
  ApiWebhooksAnswer,
  ApiWebhookWithSecret,
} from '../../server/api/schemas.ts';

import type { ApiCarrierAnswer } from '../../server/api/schemas.ts';

/** One SIM slot of `GET /api/devices/{endpoint}/carrier`. */
export type ApiCarrierSlot = ApiCarrierAnswer['slots'][number];
