import { browserLiveEnvironment } from '../data/event-connection.ts';
import { LiveHub } from '../data/live-hub.ts';
import type { ToHub } from '../data/live-messages.ts';

// A shared worker: one for all pages of this browser that are of one build of the console.

const hub = new LiveHub(browserLiveEnvironment);

globalThis.addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port === undefined) return;
  const page = hub.connect((message) => port.postMessage(message));
  port.onmessage = ({ data }: MessageEvent<ToHub>) => page.receive(data);
});
