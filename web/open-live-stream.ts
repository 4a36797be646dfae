import { browserLiveEnvironment } from './data/event-connection.ts';
import { LiveHub } from './data/live-hub.ts';
import type { FromHub, ToHub } from './data/live-messages.ts';
import { type LivePort, LiveStream } from './data/live-stream.ts';
import workerUrl from './workers/live-worker.ts?sharedworker&url';

/** So long a worker may take for its first word; one that was kept from starting never says it. */
const workerPatienceMs = 4000;
/** A page that is out of sight for longer is not fed. */
const hiddenMs = 60_000;

/** The live stream of this page, shared with all other pages of the console in this browser. */
export function openLiveStream(): LiveStream {
  const live = new LiveStream(connect, browserLiveEnvironment);
  sleepWhileHidden(live);
  window.addEventListener('pagehide', () => live.leave());
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) live.comeBack();
  });
  return live;
}

function sleepWhileHidden(live: LiveStream): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asleep = false;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') {
      timer = setTimeout(() => {
        asleep = true;
        live.sleep();
      }, hiddenMs);
    } else if (asleep) {
      asleep = false;
      live.wake();
    }
  });
}

/** To the shared worker; where there is none, or it does not start, to a hub of this page's own. */
function connect(receive: (message: FromHub) => void): LivePort {
  let worker: SharedWorker;
  try {
    // Named by the build: a page of another one has a worker of its own, for they may not understand each other.
    worker = new SharedWorker(workerUrl, { type: 'module', name: `simyard-live ${import.meta.url}` });
  } catch {
    // The browser has no shared workers, or forbids them here.
    return ownHub(receive);
  }
  let port: LivePort = {
    post: (message) => {
      unanswered?.push(message);
      worker.port.postMessage(message);
    },
    close: () => worker.port.close(),
  };
  let unanswered: ToHub[] | undefined = [];
  const fall = () => {
    if (unanswered === undefined) return;
    worker.port.close();
    const said = unanswered;
    unanswered = undefined;
    port = ownHub(receive);
    for (const message of said) port.post(message);
  };
  const patience = setTimeout(fall, workerPatienceMs);
  worker.addEventListener('error', fall);
  worker.port.onmessage = ({ data }: MessageEvent<FromHub>) => {
    clearTimeout(patience);
    unanswered = undefined;
    receive(data);
  };
  return { post: (message) => port.post(message), close: () => port.close() };
}

function ownHub(receive: (message: FromHub) => void): LivePort {
  let open = true;
  const hub = new LiveHub(browserLiveEnvironment);
  const page = hub.connect((message) => {
    // In a turn of its own, as between a page and a worker.
    queueMicrotask(() => {
      if (open) receive(message);
    });
  });
  return {
    post: (message) => page.receive(message),
    close: () => {
      open = false;
      page.receive({ kind: 'bye' });
    },
  };
}
