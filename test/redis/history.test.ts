import { history } from '../../redis/history.ts';
import { describeHistory } from '../contract/history.ts';
import { describeHistoryRollUps } from '../contract/history-roll-ups.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(
  (name, open) => {
    describeHistory(name, open);
    describeHistoryRollUps(name, open);
  },
  (redis) => ({ history: history(redis) }),
);
