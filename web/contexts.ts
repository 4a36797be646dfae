import { createContext } from '@lit/context';
import type { ApiClient } from './data/api-client.ts';
import type { ApiMe, ApiServer } from './data/api-types.ts';
import type { LiveStream } from './data/live-stream.ts';
import type { ServerClock } from './data/server-clock.ts';

export const apiContext = createContext<ApiClient>(Symbol('api'));
export const liveContext = createContext<LiveStream>(Symbol('live'));
export const clockContext = createContext<ServerClock>(Symbol('clock'));
/** What the server told of itself last; undefined until it has. */
export const serverContext = createContext<ApiServer | undefined>(Symbol('server'));
/** Who looks at the console; undefined until that is known. */
export const meContext = createContext<ApiMe | undefined>(Symbol('me'));
