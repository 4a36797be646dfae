import { auditLog } from '../../redis/audit-log.ts';
import { userStore } from '../../redis/users.ts';
import { describeAuditLog } from '../contract/audit-log.ts';
import { describeUserStore } from '../contract/user-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name, open) => {
    describeUserStore(name, open);
    describeAuditLog(name, open);
  },
  (redis) => ({ users: userStore(redis), audit: auditLog(redis) }),
);
