import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { Stores } from '../ports/stores.ts';
import { AuditTrail } from './audit-trail.ts';
import { IdentityProvider } from './identity-provider.ts';
import { passwordFault } from './password-rules.ts';
import { People } from './people.ts';

/** Who is there before anybody else. */
const FIRST_ADMINISTRATOR = 'admin';

export interface ComposePeopleOptions {
  readonly config: Pick<Config, 'people' | 'node'>;
  readonly stores: Pick<Stores, 'users' | 'audit'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onClose: (step: () => Promise<unknown>) => void;
  /** Tells the person who starts the server, and no log. */
  readonly tell: (line: string) => void;
}

/** People and the audit log; sees to it that somebody can log in. */
export async function composePeople({
  config,
  stores,
  clock,
  log,
  onClose,
  tell,
}: ComposePeopleOptions): Promise<{
  readonly people: People;
  readonly audit: AuditTrail;
  readonly provider: IdentityProvider | undefined;
}> {
  const { adminPassword, loginRequired, sessionIdle, sessionMaxAge, provider: at } = config.people;
  const people = new People({ users: stores.users, clock, log, sessionIdle, sessionMaxAge });
  const audit = new AuditTrail(stores.audit, clock, log, config.node);
  onClose(() => audit.close());
  if (loginRequired || adminPassword !== undefined) {
    const fault = adminPassword === undefined ? undefined : passwordFault(adminPassword, FIRST_ADMINISTRATOR);
    if (fault !== undefined)
      log.warn({ fault }, 'SIMYARD_ADMIN_PASSWORD is weaker than other passwords may be');
    const made = await people.addFirstAdministrator(FIRST_ADMINISTRATOR, adminPassword);
    if (made !== undefined) {
      tell(`first start: log in as '${FIRST_ADMINISTRATOR}' with the password ${made}`);
      tell('it is told this once, and has to be changed at the first log-in');
    }
  }
  return { people, audit, provider: at && new IdentityProvider(at, clock) };
}
