/**
 * npm `coap` with the least that answers the same devices: Register and Update are acknowledged and
 * forgotten, sensors are observed, notifications are counted. Nothing is decoded, nothing is stored.
 */
import { createSocket } from 'node:dgram';
import coap from 'coap';
import { reportTo } from './report.ts';

let registrations = 0;
const server = coap.createServer((request, response) => {
  if (request.url.startsWith('/rd?')) {
    registrations++;
    response.code = '2.01';
    response.setOption('Location-Path', [Buffer.from('rd'), Buffer.from(String(registrations))]);
    response.end();
    if (request.payload.includes('</42770/0>')) observe(request.rsinfo.address, request.rsinfo.port);
    return;
  }
  response.code = '2.04';
  response.end();
});

function observe(host: string, port: number): void {
  const request = coap.request({ host, port, pathname: '/42770/0/2', observe: true, agent });
  request.on('response', (notifications) => {
    notifications.on('data', () => undefined);
  });
  request.on('error', (error) => console.error(error.message));
  request.end();
}

// One socket for both roles, as a server of devices behind a NAT needs it.
const socket = createSocket('udp4');
const agent = new coap.Agent({ socket });
socket.bind(0, '127.0.0.1', () => {
  server.listen(socket, () => reportTo(process, socket.address().port));
});
