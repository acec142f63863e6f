//! Over a real connection: what a router alone cannot show (requirements RS-75, N-213, N-223).

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::builder::world;
use crate::request::call;
use crate::world::World;

async fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn head(token: &str, length: usize, more: &str) -> String {
    format!(
        "POST /mcp/tracker HTTP/1.1\r\nHost: id.acme.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n{more}\r\n"
    )
}

async fn exchange(address: SocketAddr, request: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = connection.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..read].to_vec()).unwrap()
}

#[tokio::test]
async fn n213_folded_and_broken_headers_are_bad_requests() {
    let world = world().start().await;
    let address = listen(&world).await;
    let token = world.token("issues:read").await;
    let body = call("list_issues").to_string();
    for more in [
        "Mcp-Name: close_issue\r\n list_issues\r\n",
        "Mcp-Name: list_issues\0\r\n",
        "Mcp-Name : list_issues\r\n",
        "Mcp-Name: list_issues\r\nMcp-Name: close_issue\r\n",
    ] {
        let request = format!("{}{body}", head(&token, body.len(), more));
        let answer = exchange(address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{more:?}: {answer}");
    }
    world.upstream.assert_untouched();
    let request = format!(
        "{}{body}",
        head(&token, body.len(), "Mcp-Name: list_issues\r\n")
    );
    assert!(
        exchange(address, &request)
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn n223_a_body_that_is_announced_too_large_is_not_waited_for() {
    let world = world().start().await;
    let address = listen(&world).await;
    let token = world.token("issues:read").await;
    let request = head(&token, 50 * 1024 * 1024, "Mcp-Name: list_issues\r\n");
    assert!(
        exchange(address, &request)
            .await
            .starts_with("HTTP/1.1 413 ")
    );
}

/// A client that closes its connection cancels the call at the upstream.
#[tokio::test]
async fn rs75_a_closed_connection_cancels_the_call() {
    let world = world().start().await;
    let address = listen(&world).await;
    let token = world.token("issues:read").await;
    let stream = world.upstream.next_stream();
    stream.send("data: {}\n\n").await.unwrap();
    let body = call("list_issues").to_string();
    let request = format!(
        "{}{body}",
        head(&token, body.len(), "Mcp-Name: list_issues\r\n")
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    assert!(connection.read(&mut answer).await.unwrap() > 0);

    drop(connection);
    stream.closed().await;
}
