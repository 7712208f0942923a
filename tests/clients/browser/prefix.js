// A proxy that serves the whole of Parlance under a path, as nginx does with `location /chat/` and `proxy_pass …/`.
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';

export class PrefixProxy {
  static async open(server, prefix) {
    const proxy = new PrefixProxy();
    proxy.strays = [];
    const inner = (url) => (url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : null);
    proxy.http = createServer((request, response) => {
      const path = inner(request.url);
      if (path === null) {
        proxy.strays.push(request.url);
        response.writeHead(404).end();
        return;
      }
      const further = ask({ port: server.port, host: '127.0.0.1', method: request.method, path, headers: request.headers }, (answer) => {
        const headers = { ...answer.headers };
        if (headers.location?.startsWith('/')) headers.location = prefix + headers.location;
        if (headers['set-cookie']) headers['set-cookie'] = headers['set-cookie'].map((cookie) => cookie.replace('Path=/', `Path=${prefix}/`));
        response.writeHead(answer.statusCode, headers);
        answer.pipe(response);
      });
      further.on('error', () => response.destroy());
      response.on('close', () => further.destroy());
      request.pipe(further);
    });
    proxy.http.on('upgrade', (request, near, head) => {
      const path = inner(request.url);
      if (path === null) {
        proxy.strays.push(request.url);
        near.destroy();
        return;
      }
      const far = connect(server.port, '127.0.0.1');
      const lines = [`${request.method} ${path} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2) lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      far.write(`${lines.join('\r\n')}\r\n\r\n`);
      far.write(head);
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ])
        one.on('error', () => other.destroy()).on('close', () => other.destroy());
    });
    proxy.http.listen(0, '127.0.0.1');
    await once(proxy.http, 'listening');
    proxy.url = `http://127.0.0.1:${proxy.http.address().port}${prefix}`;
    return proxy;
  }

  async close() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}
