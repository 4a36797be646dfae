/**
 * What the API takes and gives, noun by noun; observation policies and object models are in files of their own
 * beside these. Times are milliseconds since the Unix epoch; a reading's time has a fraction down to the microsecond.
 */
export * from './schemas/attributes.ts';
export * from './schemas/audit.ts';
export * from './schemas/bootstrap.ts';
export * from './schemas/carrier.ts';
export * from './schemas/cluster.ts';
export * from './schemas/commands.ts';
export * from './schemas/composite.ts';
export * from './schemas/credentials.ts';
export * from './schemas/devices.ts';
export * from './schemas/events.ts';
export * from './schemas/objects.ts';
export * from './schemas/observations.ts';
export * from './schemas/people.ts';
export * from './schemas/presence.ts';
export * from './schemas/problems.ts';
export * from './schemas/profiles.ts';
export * from './schemas/readings.ts';
export * from './schemas/requests.ts';
export * from './schemas/server.ts';
export * from './schemas/server-object.ts';
export * from './schemas/statistics.ts';
export * from './schemas/trace.ts';
export * from './schemas/values.ts';
export * from './schemas/webhooks.ts';
