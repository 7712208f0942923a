window.onload = () => {
  window.ui = SwaggerUIBundle({
    dom_id: '#swagger-ui',
    // Relative, like the server in the document: a proxy may serve the whole under a prefix.
    url: "../openapi.json",
    deepLinking: true,
    persistAuthorization: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
    layout: 'StandaloneLayout',
  });
};
