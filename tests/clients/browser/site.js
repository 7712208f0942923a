// Somebody else's web site, on an origin of its own, with Parlance's widget in it.
import { once } from 'node:events';
import { createServer } from 'node:http';

export class Site {
  /** `policy` is the site's own Content-Security-Policy; `attributes` go into the widget's tag. */
  static async open(server, { policy = null, attributes = '' } = {}) {
    const site = new Site();
    const page = (title) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="/icon">
      <script src="${server.url}/widget.js" ${attributes} async></script></head>
      <body><main><h1>${title}</h1><p>Goods of all kinds.</p><p><a href="/other">Another page</a></p></main></body></html>`;
    site.http = createServer((request, response) => {
      if (request.url === '/icon') {
        response.writeHead(204).end();
        return;
      }
      if (policy) response.setHeader('Content-Security-Policy', policy(server));
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(page(request.url === '/other' ? 'Another page' : 'A shop'));
    });
    site.http.listen(0, '127.0.0.1');
    await once(site.http, 'listening');
    // Another name than the server's, so another origin and another site.
    site.url = `http://localhost:${site.http.address().port}`;
    return site;
  }

  async close() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }
}
