//! Stylesheet and images, compiled into the binary and served under a name that holds their hash.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use symbolon_protocol::digest::{base64url, sha256};

use crate::state::AppState;

/// An embedded file.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    body: &'static [u8],
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "symbolon.css",
        content_type: "text/css; charset=utf-8",
        body: include_bytes!("../../assets/symbolon.css"),
    },
    Asset {
        name: "mark.svg",
        content_type: "image/svg+xml",
        body: include_bytes!("../../assets/mark.svg"),
    },
    Asset {
        name: "mark-dark.svg",
        content_type: "image/svg+xml",
        body: include_bytes!("../../assets/mark-dark.svg"),
    },
];

static PATH: LazyLock<String> = LazyLock::new(|| {
    let all: Vec<u8> = ASSETS
        .iter()
        .flat_map(|asset| asset.body)
        .copied()
        .collect();
    format!("/assets/{}", &base64url(&sha256(&all))[..12])
});

/// The folder of the current assets.
pub(super) fn path() -> &'static str {
    &PATH
}

/// `/assets/{hash}/{name}`.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/assets/{hash}/{name}", get(asset))
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    let Some(asset) = found.filter(|_| path().strip_prefix("/assets/") == Some(&hash)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        ),
    ];
    (headers, asset.body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(hash: &str, name: &str) -> Response {
        asset(Path((hash.to_owned(), name.to_owned()))).await
    }

    #[tokio::test]
    async fn an_asset_is_served_under_the_hash_of_its_content_only() {
        let hash = path().strip_prefix("/assets/").unwrap();
        let served = get(hash, "symbolon.css").await;
        assert_eq!(served.status(), StatusCode::OK);
        assert_eq!(
            served.headers()[header::CONTENT_TYPE],
            "text/css; charset=utf-8"
        );
        assert_eq!(
            get("other", "symbolon.css").await.status(),
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            get(hash, "../Cargo.toml").await.status(),
            StatusCode::NOT_FOUND
        );
    }
}
