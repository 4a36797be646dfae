/** The floor: one datagram in, one out, and nothing else. */
import { createSocket } from 'node:dgram';
import { reportTo } from './report.ts';

const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 4 * 1024 * 1024,
  lookup: (host, _options, callback) => callback(null, host, 4),
});
socket.on('message', (data, { address, port }) => socket.send(data, port, address));
socket.bind(0, '127.0.0.1', () => reportTo(process, socket.address().port));
