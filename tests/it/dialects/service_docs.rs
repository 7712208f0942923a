//! The documentation: every mounted route is in it, and it is served from the binary.

use crate::{support::routes::routes, support::world::World};

#[tokio::test(flavor = "multi_thread")]
async fn every_mounted_route_is_documented() {
    let world = World::new().await;
    let document = world.get("/openapi.json").await.with(200).json();
    for (method, path) in routes() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(operation["responses"].is_object(), "{method} {path}");
    }
    let figures = world.get("/metrics").await.with(200);
    let answers = &document["paths"]["/metrics"]["get"]["responses"]["200"]["content"];
    let described: Vec<_> = answers.as_object().expect("media types").keys().collect();
    let plain = |media_type: &str| media_type.replace("; ", ";");
    assert_eq!(
        described.iter().map(|it| plain(it)).collect::<Vec<_>>(),
        [plain(figures.header("Content-Type"))]
    );
    let page = world.get("/swagger").await.with(200);
    assert!(page.body.contains("swagger-ui"), "{}", page.body);
    let script = world.get("/swagger/swagger-initializer.js").await.with(200);
    assert!(script.body.contains("/openapi.json"), "{}", script.body);
    world.stop().await;
}
