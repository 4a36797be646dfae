import type { DatabaseSync } from 'node:sqlite';
import { StoreUnavailableError } from '../ports/errors.ts';

/**
 * The schema, one step per version: step n leads from version n to n + 1 (`PRAGMA user_version`).
 * A step that was released is never changed; a change is a new step. Times are REAL because clocks
 * may give fractions; SQLite keeps whole ones as compactly as integers.
 */
const steps: readonly string[] = [
  `
  -- The inventory. search: the endpoint in lower case, null where it is that already. registered: 1 while there is a registration.
  CREATE TABLE device (
    endpoint TEXT PRIMARY KEY,
    search TEXT,
    registered INTEGER NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    manufacturer TEXT, model TEXT, serial TEXT COLLATE NOCASE, firmware TEXT,
    iccid TEXT COLLATE NOCASE, imsi TEXT COLLATE NOCASE, imei TEXT COLLATE NOCASE,
    carrier TEXT, signal REAL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX device_serial ON device (serial) WHERE serial IS NOT NULL;
  CREATE INDEX device_iccid ON device (iccid) WHERE iccid IS NOT NULL;
  CREATE INDEX device_imsi ON device (imsi) WHERE imsi IS NOT NULL;
  CREATE INDEX device_imei ON device (imei) WHERE imei IS NOT NULL;

  -- identity, links, formats, additional: JSON.
  CREATE TABLE registration (
    endpoint TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    identity TEXT,
    lifetime REAL NOT NULL,
    version TEXT NOT NULL,
    binding TEXT NOT NULL,
    queue_mode INTEGER NOT NULL,
    sms TEXT,
    root_path TEXT NOT NULL,
    links TEXT NOT NULL,
    formats TEXT NOT NULL,
    additional TEXT NOT NULL,
    registered_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    node TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX registration_expiry ON registration (expires_at);

  -- paths: JSON.
  CREATE TABLE observation (
    token TEXT PRIMARY KEY,
    registration TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    paths TEXT NOT NULL,
    format INTEGER,
    origin TEXT NOT NULL,
    created_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX observation_registration ON observation (registration);

  -- parameters, result, history: JSON.
  CREATE TABLE command (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    parameters TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    result TEXT,
    attempts INTEGER NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    history TEXT NOT NULL
  ) STRICT;
  CREATE INDEX command_endpoint ON command (endpoint, sequence);
  CREATE INDEX command_open ON command (endpoint, sequence) WHERE state IN ('queued', 'sent', 'accepted');
  CREATE INDEX command_expiry ON command (expires_at) WHERE state = 'queued';

  CREATE TABLE command_key (
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    command TEXT NOT NULL,
    created_at REAL NOT NULL,
    PRIMARY KEY (endpoint, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX command_key_age ON command_key (created_at);

  -- Entries that were committed together, one after the other, as append-batch.ts lays them out.
  -- total: bytes of all bodies ever appended, up to and with this segment.
  CREATE TABLE log_segment (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    received_at REAL NOT NULL,
    total INTEGER NOT NULL,
    entries BLOB NOT NULL
  ) STRICT;
  -- Hashes of the keys of 4096 entries each, so that a start need not read the entries.
  CREATE TABLE log_keys (first INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
  -- oldest: the first position kept. next: the first never given. trimmed: bytes of bodies removed.
  CREATE TABLE log_bounds (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    oldest INTEGER NOT NULL,
    next INTEGER NOT NULL,
    trimmed INTEGER NOT NULL
  ) STRICT;
  INSERT INTO log_bounds VALUES (0, 1, 1, 0);
  CREATE TABLE log_cursor (consumer TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  -- endpoint is null when its device was removed and the chunks are not all gone yet.
  CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint TEXT,
    path TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX series_name ON series (endpoint, path) WHERE endpoint IS NOT NULL;
  CREATE INDEX series_removed ON series (id) WHERE endpoint IS NULL;
  -- Readings of one series out of one log entry, within an hour of each other (server/history/reading-body.ts).
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    position INTEGER NOT NULL,
    part INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX chunk_time ON chunk (series, last, position, part, first);

  -- value: JSON.
  CREATE TABLE last_value (
    endpoint TEXT NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    taken_at REAL NOT NULL,
    received_at REAL NOT NULL,
    PRIMARY KEY (endpoint, path)
  ) STRICT, WITHOUT ROWID;

  -- data: JSON.
  CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    endpoint TEXT,
    at REAL NOT NULL,
    data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_endpoint ON event (endpoint, id) WHERE endpoint IS NOT NULL;

  CREATE TABLE written (only INTEGER PRIMARY KEY CHECK (only = 0), count INTEGER NOT NULL) STRICT;
  INSERT INTO written VALUES (0, 0);
  `,
  `
  -- devices, observations: JSON.
  CREATE TABLE observation_policy (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    devices TEXT NOT NULL,
    observations TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  -- What a person chose for one device. paths, attributes: JSON.
  CREATE TABLE observation_choice (
    endpoint TEXT NOT NULL,
    paths TEXT NOT NULL,
    composite INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    attributes TEXT,
    format INTEGER,
    chosen_at REAL NOT NULL,
    PRIMARY KEY (endpoint, paths, composite)
  ) STRICT, WITHOUT ROWID;
  -- Notification attributes that were set by Write-Attributes, and are to be removed again one day. attributes: JSON.
  CREATE TABLE written_attributes (
    endpoint TEXT NOT NULL,
    path TEXT NOT NULL,
    attributes TEXT NOT NULL,
    PRIMARY KEY (endpoint, path)
  ) STRICT, WITHOUT ROWID;

  -- Object definitions that were uploaded: OMA XML.
  CREATE TABLE object_model (
    object INTEGER NOT NULL,
    version TEXT NOT NULL,
    xml TEXT NOT NULL,
    uploaded_at REAL NOT NULL,
    PRIMARY KEY (object, version)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- composite: made by FETCH. attributes: JSON, those that stood in the Observe request.
  ALTER TABLE observation ADD COLUMN composite INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE observation ADD COLUMN attributes TEXT;
  -- profiles: JSON. Profile ids of LwM2M 1.2.
  ALTER TABLE registration ADD COLUMN profiles TEXT;
  -- Who was heard last at an address: behind a NAT another device gets it one day.
  CREATE TABLE device_address (address TEXT PRIMARY KEY, endpoint TEXT NOT NULL) STRICT, WITHOUT ROWID;
  INSERT OR REPLACE INTO device_address SELECT address, endpoint FROM registration ORDER BY updated_at;
  `,
  `
  -- How long a device in queue mode listens after it was heard, ms: as set by a person, and as learnt.
  ALTER TABLE device ADD COLUMN awake_configured REAL;
  ALTER TABLE device ADD COLUMN awake_learnt REAL;
  -- Commands that have ended, the oldest first: what is trimmed by age.
  CREATE INDEX command_ended ON command (updated_at) WHERE state NOT IN ('queued', 'sent', 'accepted');
  `,
  `
  -- What profile ids stand for: as a person gave it (endpoint empty), or as a device said of itself. links: JSON.
  CREATE TABLE profile (
    endpoint TEXT NOT NULL,
    id TEXT NOT NULL,
    links TEXT NOT NULL,
    stored_at REAL NOT NULL,
    PRIMARY KEY (endpoint, id)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- ending: how the last registration ended, 0 not known or registered, 1 it ran out, 2 the device de-registered.
  -- awake_until: until when a device in queue mode is taken to listen; null where it listens always, or is not registered.
  -- node: that of the registration. change: rises with every change of a row; see ChangeCounter.
  ALTER TABLE device ADD COLUMN ending INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE device ADD COLUMN awake_until REAL;
  ALTER TABLE device ADD COLUMN node TEXT;
  ALTER TABLE device ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
  UPDATE device SET node = r.node, last_seen = max(last_seen, r.updated_at),
    awake_until = iif(r.queue_mode = 1, r.updated_at + 93000, NULL)
    FROM registration r WHERE r.endpoint = device.endpoint;
  CREATE INDEX device_change ON device (change);
  CREATE TABLE device_removed (change INTEGER PRIMARY KEY, endpoint TEXT NOT NULL) STRICT;
  -- What these were for is found by DeviceIndex.
  DROP INDEX device_serial;
  DROP INDEX device_iccid;
  DROP INDEX device_imsi;
  DROP INDEX device_imei;
  `,
  `
  -- The job that made a command, and which of its attempts at the device.
  ALTER TABLE command ADD COLUMN job TEXT;
  ALTER TABLE command ADD COLUMN job_attempt INTEGER;
  CREATE UNIQUE INDEX command_job_attempt ON command (job, endpoint, job_attempt) WHERE job IS NOT NULL;
  CREATE INDEX command_job ON command (job, sequence) WHERE job IS NOT NULL;
  CREATE INDEX command_state ON command (state, sequence);
  -- filter, operation, counts: JSON; counts are those of job_device by state. removed: its devices are on their way out.
  CREATE TABLE job (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT,
    filter TEXT,
    operation TEXT NOT NULL,
    time_to_live REAL NOT NULL,
    at_once INTEGER NOT NULL,
    stop_after INTEGER,
    state TEXT NOT NULL,
    selected INTEGER NOT NULL,
    ends_as TEXT,
    reason TEXT,
    counts TEXT NOT NULL,
    failures INTEGER NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    removed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
  -- result: JSON.
  CREATE TABLE job_device (
    job INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    command TEXT,
    reason TEXT,
    result TEXT,
    updated_at REAL NOT NULL,
    PRIMARY KEY (job, endpoint)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX job_device_state ON job_device (job, state, endpoint);
  `,
  `
  -- settings, progress, record: JSON, see ports/webhook-store.ts.
  CREATE TABLE webhook (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    progress TEXT NOT NULL
  ) STRICT;
  CREATE TABLE webhook_delivery (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (webhook, id)
  ) STRICT;
  CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook, sequence);
  `,
  `
  -- Figures of a minute or an hour. step: its length, ms. minutes: of how many it tells. gauges, counters: JSON.
  CREATE TABLE statistic (
    step INTEGER NOT NULL,
    at REAL NOT NULL,
    minutes INTEGER NOT NULL,
    gauges TEXT NOT NULL,
    counters TEXT NOT NULL,
    PRIMARY KEY (step, at)
  ) STRICT, WITHOUT ROWID;
  -- trouble: 1 where an operator should look at it.
  ALTER TABLE event ADD COLUMN trouble INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX event_trouble ON event (id) WHERE trouble = 1;
  CREATE INDEX event_type ON event (type, id);
  CREATE INDEX command_open_kind ON command (kind) WHERE state IN ('queued', 'sent', 'accepted');
  `,
  `
  -- Keys of requests that must not be carried out twice. status: null until it is answered. headers: JSON.
  CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    holder TEXT NOT NULL,
    since REAL NOT NULL,
    status INTEGER,
    headers TEXT,
    body TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_since ON idempotency (since);
  `,
  `
  -- What the readings of a quarter of an hour of a series come to. start: µs. minutes: the same of each minute
  -- (server/history/summary.ts), null where its readings are gone.
  CREATE TABLE rollup (
    series INTEGER NOT NULL,
    start REAL NOT NULL,
    count INTEGER NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    mean REAL NOT NULL,
    last REAL NOT NULL,
    last_at REAL NOT NULL,
    minutes BLOB,
    PRIMARY KEY (series, start)
  ) STRICT, WITHOUT ROWID;
  -- Quarters that have got readings since they were rolled up. taken: by which round that rolls them up now.
  CREATE TABLE rollup_due (
    series INTEGER NOT NULL,
    start REAL NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (series, start)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX rollup_due_start ON rollup_due (start, series);
  -- sealed: readings before may be gone; what comes late for then is added to the roll-ups when it comes.
  -- backlog: chunks of before this version that end later are not in rollup_due yet; null where all are.
  ALTER TABLE series ADD COLUMN sealed REAL NOT NULL DEFAULT -9e18;
  ALTER TABLE series ADD COLUMN backlog REAL;
  UPDATE series SET backlog = -9e18;
  CREATE INDEX series_backlog ON series (id) WHERE backlog IS NOT NULL;
  -- position: the newest log position in history. migrated: chunks up to this id are of before this version.
  CREATE TABLE history_state (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    position INTEGER NOT NULL,
    migrated INTEGER NOT NULL
  ) STRICT;
  INSERT INTO history_state SELECT 0, coalesce((SELECT max(position) FROM chunk), 0), coalesce((SELECT max(id) FROM chunk), 0);
  -- Bytes of chunks (kind 0) and of roll-ups (kind 1) by the hour since the epoch in which they end.
  CREATE TABLE history_size (
    kind INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, hour)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The node that heard the device last, registered or not, and how often that has changed.
  ALTER TABLE device ADD COLUMN owner TEXT;
  ALTER TABLE device ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
  UPDATE device SET owner = node, fence = 1 WHERE node IS NOT NULL;
  `,
  `
  -- What devices prove who they are by. key: of a pre-shared key alone. stored_at: ms since the epoch.
  CREATE TABLE credential (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key BLOB,
    stored_at REAL NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX credential_endpoint ON credential (endpoint, kind, name);
  `,
  `
  -- What devices are given by bootstraps (record: JSON), which device gets what, and how bootstraps went, by their order.
  CREATE TABLE bootstrap_profile (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE bootstrap_assignment (endpoint TEXT PRIMARY KEY, profile TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE bootstrap_session (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX bootstrap_session_endpoint ON bootstrap_session (endpoint, sequence);
  CREATE INDEX bootstrap_session_bucket ON bootstrap_session (bucket, sequence);
  -- The message that a registration was asked for by: id and token.
  ALTER TABLE registration ADD COLUMN message TEXT;
  -- Whose a device, and a job, is; null: the operator's own.
  ALTER TABLE device ADD COLUMN tenant TEXT;
  ALTER TABLE job ADD COLUMN tenant TEXT;
  -- DTLS sessions. account, kind, name: who with. node: who has it, empty where it was saved. state: sealed.
  -- receive_window: of one that was saved. reserved: write sequence numbers below it may have been used.
  CREATE TABLE dtls_session (
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    node TEXT NOT NULL,
    fence INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    state BLOB NOT NULL,
    receive_window BLOB,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT;
  CREATE INDEX dtls_session_holder ON dtls_session (account, kind, name);
  CREATE INDEX dtls_session_expiry ON dtls_session (expires_at);

  -- Credentials of both of LwM2M's kinds of accounts. search: endpoint and name in lower case, one a line. numbers:
  -- those that were imported, in lower case, each behind a line break.
  ALTER TABLE credential RENAME TO credential_before;
  DROP INDEX credential_endpoint;
  CREATE TABLE credential (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key BLOB,
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    changed_at REAL NOT NULL,
    valid_until REAL,
    used_at REAL,
    tenant TEXT,
    fingerprint TEXT,
    serial TEXT,
    mac TEXT,
    imei TEXT,
    iccid TEXT,
    search TEXT NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (account, kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX credential_endpoint ON credential (endpoint, account, kind, name);
  INSERT INTO credential (account, kind, name, endpoint, key, state, created_at, changed_at, search, numbers)
    SELECT 'server', kind, name, endpoint, key, 'active', stored_at, stored_at, lower(endpoint || char(10) || name), ''
    FROM credential_before;
  DROP TABLE credential_before;
  -- People. record: JSON, see ports/user-store.ts. administers: 1 where the user may do everything.
  CREATE TABLE user (name TEXT PRIMARY KEY, administers INTEGER NOT NULL, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE login_session (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    created_at REAL NOT NULL,
    ends_at REAL NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX login_session_user ON login_session (user, created_at);
  CREATE INDEX login_session_end ON login_session (ends_at);
  CREATE TABLE api_token (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user TEXT,
    expires_at REAL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX api_token_user ON api_token (user) WHERE user IS NOT NULL;
  -- Failed log-ins of a name or an address. until: nothing is tried before.
  CREATE TABLE login_attempt (
    key TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    until REAL NOT NULL,
    at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX login_attempt_at ON login_attempt (at);
  -- The audit log. record: JSON, see ports/audit-log.ts.
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT,
    source TEXT NOT NULL,
    outcome TEXT NOT NULL,
    tenant TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_at ON audit (at);
  CREATE INDEX audit_actor ON audit (actor, id);
  CREATE INDEX audit_target ON audit (target, id) WHERE target IS NOT NULL;
  CREATE INDEX audit_action ON audit (action, id);
  `,
  `
  -- Whether the device is still being asked for it.
  ALTER TABLE observation ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- All registrations are in the server's memory while it runs, where they are found (EmbeddedRegistrations). What each
  -- message of a device moves is in the row of the device: updated_at and expires_at of its registration.
  -- address_lost: 1 where another device was heard at the address since.
  ALTER TABLE device ADD COLUMN updated_at REAL;
  ALTER TABLE device ADD COLUMN expires_at REAL;
  UPDATE device SET updated_at = r.updated_at, expires_at = r.expires_at
    FROM registration r WHERE r.endpoint = device.endpoint;
  ALTER TABLE registration RENAME TO registration_before;
  CREATE TABLE registration (
    endpoint TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    address_lost INTEGER NOT NULL DEFAULT 0,
    identity TEXT,
    lifetime REAL NOT NULL,
    version TEXT NOT NULL,
    binding TEXT NOT NULL,
    queue_mode INTEGER NOT NULL,
    sms TEXT,
    root_path TEXT NOT NULL,
    links TEXT NOT NULL,
    formats TEXT NOT NULL,
    additional TEXT NOT NULL,
    registered_at REAL NOT NULL,
    node TEXT NOT NULL,
    profiles TEXT,
    message TEXT
  ) STRICT, WITHOUT ROWID;
  INSERT INTO registration SELECT r.endpoint, r.id, r.address, NOT EXISTS
      (SELECT 1 FROM device_address a WHERE a.address = r.address AND a.endpoint = r.endpoint),
    r.identity, r.lifetime, r.version, r.binding, r.queue_mode, r.sms, r.root_path, r.links, r.formats, r.additional,
    r.registered_at, r.node, r.profiles, r.message FROM registration_before r ORDER BY r.endpoint;
  DROP TABLE registration_before;
  DROP TABLE device_address;
  -- Which devices have changed is told to their index with each question.
  DROP INDEX device_change;
  DROP TABLE device_removed;
  ALTER TABLE device DROP COLUMN change;
  `,
  `
  -- Ids are given by the writer, which needs no table of sequences for it. newest: at least the newest that was given of
  -- events that are removed. Events of updates are most of a log, and are not in the index of types.
  CREATE TABLE event_bounds (only INTEGER PRIMARY KEY CHECK (only = 0), newest INTEGER NOT NULL) STRICT;
  INSERT INTO event_bounds SELECT 0, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0);
  ALTER TABLE event RENAME TO event_before;
  DROP INDEX event_endpoint;
  DROP INDEX event_trouble;
  DROP INDEX event_type;
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    endpoint TEXT,
    at REAL NOT NULL,
    data TEXT NOT NULL,
    trouble INTEGER NOT NULL
  ) STRICT;
  INSERT INTO event SELECT id, type, endpoint, at, data, trouble FROM event_before;
  DROP TABLE event_before;
  CREATE INDEX event_endpoint ON event (endpoint, id) WHERE endpoint IS NOT NULL;
  CREATE INDEX event_trouble ON event (id) WHERE trouble = 1;
  CREATE INDEX event_type ON event (type, id) WHERE type <> 'updated';
  `,
  `
  -- From here on a chunk has readings of several log entries; its position is that of the newest. Of each reading its body
  -- tells when it was received, in a format that programs of before do not know. Of a series what has a position up to
  -- this one is there, or was.
  ALTER TABLE series ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
  UPDATE series SET position = (SELECT position FROM history_state);
  ALTER TABLE history_state DROP COLUMN position;
  `,
  `
  -- Events in segments of those that came together (EventTable): ids from \`first\` on, without gaps. types: bits of those
  -- in it; endpoints: a filter of them, null where any may be in it; body: JSON of each, with commas between.
  ALTER TABLE event_bounds ADD COLUMN oldest INTEGER NOT NULL DEFAULT 1;
  CREATE TABLE event_segment (
    first INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
    types INTEGER NOT NULL,
    trouble INTEGER NOT NULL,
    endpoints BLOB,
    body TEXT NOT NULL
  ) STRICT;
  INSERT INTO event_segment
    SELECT min(id), count(*), -1, max(trouble), NULL,
      group_concat(json_array(type, endpoint, at, json(data), trouble), ',' ORDER BY id)
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM event)
    GROUP BY id - place, (place - 1) / 64;
  UPDATE event_bounds SET newest = max(newest, coalesce((SELECT max(id) FROM event), 0)),
    oldest = coalesce((SELECT min(id) FROM event), 1);
  DROP TABLE event;
  `,
];

/** The version that this program writes. */
export const schemaVersion = steps.length;

/**
 * Brings the database to this program's schema, each step in its own transaction; or to an earlier one.
 * @throws StoreUnavailableError the file was written by a newer program.
 */
export function migrate(database: DatabaseSync, to = schemaVersion): void {
  const row = database.prepare('PRAGMA user_version').get();
  const found = Number(row?.['user_version'] ?? 0);
  if (found > schemaVersion) {
    throw new StoreUnavailableError(
      `the database has schema version ${found}, this program knows versions up to ${schemaVersion}: start a newer one`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index < found || index >= to) continue;
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
