//! Serving a router on one thread: every program of the bench is pinned to one core.

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

/// Serves until the process is ended.
///
/// # Panics
/// If the port is taken.
pub fn on_loopback(port: u16, router: Router) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        // A segment that waits for an acknowledgement would be measured as the server's time.
        let listener = listener.expect("a free port").tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await.expect("serving");
    });
}
