//! The internal listener: liveness, readiness, metrics.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use symbolon_server::AppState;

/// What readiness and metrics read.
#[derive(Clone)]
pub(super) struct Internal {
    pub(super) state: AppState,
    pub(super) metrics: PrometheusHandle,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(super) fn routes(internal: Internal) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(internal)
}

/// Ready while revocations were read within the last second (design §4 rule 16).
async fn ready(State(internal): State<Internal>) -> Response {
    let Internal { state, .. } = internal;
    if state.revocations.is_fresh(state.clock.now()) {
        "ready\n".into_response()
    } else {
        let text = "not ready: revocations were not read within the last second\n";
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    }
}

async fn metrics(State(internal): State<Internal>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, internal.metrics.render()).into_response()
}
