// Every field of a dialog would take the focus, and the last one would keep it, at the dialog's end.
const UnfocusedFields = {
  wrapComponents: {
    Input: (Input, { React }) => (props) => React.createElement(Input, { ...props, autoFocus: false }),
  },
};

window.onload = () => {
  window.ui = SwaggerUIBundle({
    dom_id: '#swagger-ui',
    // Relative, like the server in the document: a proxy may serve the whole under a prefix.
    url: "../openapi.json",
    deepLinking: true,
    persistAuthorization: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, UnfocusedFields],
    layout: 'StandaloneLayout',
  });
};
