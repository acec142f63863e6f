//! Metrics of the data plane. Labels come from closed or administered sets, never from a caller.

use std::time::Duration;

use http::StatusCode;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

const REQUESTS: &str = "symbolon_gateway_requests_total";
const SECONDS: &str = "symbolon_gateway_response_seconds";

/// Says once what the metrics mean.
pub(crate) fn describe() {
    describe_counter!(
        REQUESTS,
        "Requests to MCP servers, by server, outcome and status."
    );
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "From the head of a request to that of its answer."
    );
}

/// Counts an answered request. `server` is `None` where the path names none that exists.
pub(crate) fn record(
    server: Option<&str>,
    outcome: &'static str,
    status: StatusCode,
    elapsed: Duration,
) {
    let server = server.unwrap_or("unknown").to_owned();
    counter!(REQUESTS, "server" => server, "outcome" => outcome, "status" => class(status))
        .increment(1);
    histogram!(SECONDS, "outcome" => outcome).record(elapsed);
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
