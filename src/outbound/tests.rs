//! Against real servers on loopback: slow, huge, redirecting, lying about their length.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

fn client(change: impl FnOnce(&mut OutboundConfig)) -> Outbound {
    let mut config = OutboundConfig { allow_loopback_http: true, ..OutboundConfig::default() };
    change(&mut config);
    Outbound::new(&config).unwrap()
}

/// Serves every connection with `answer`, after its request has come; gives the server's URL.
async fn serve<F: Future<Output = ()> + Send>(
    answer: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            answer(stream).await;
        }
    });
    url
}

async fn serve_bytes(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> String {
    let bytes = Arc::new(bytes);
    serve(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            let _ = stream.write_all((*bytes).as_ref()).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_document_is_fetched_by_address_and_by_name() {
    let url = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await;
    let client = client(|_| ());
    assert_eq!(client.get(&url).await.unwrap(), "{}");
    assert_eq!(client.get(&url.replace("127.0.0.1", "localhost")).await.unwrap(), "{}");
}

#[tokio::test]
async fn loopback_http_is_off_unless_configured_and_never_for_other_hosts() {
    let url = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let off = client(|config| config.allow_loopback_http = false);
    assert!(matches!(off.get(&url).await, Err(OutboundError::Url { .. })));
    let on = client(|_| ());
    for url in
        ["http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "ftp://localhost/"]
    {
        assert!(matches!(on.get(url).await, Err(OutboundError::Url { .. })), "{url}");
    }
}

#[tokio::test]
async fn addresses_inside_are_refused_in_every_spelling() {
    let client = client(|_| ());
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        // By name: the resolver's answer is checked.
        "https://localhost/",
    ] {
        assert!(matches!(client.get(url).await, Err(OutboundError::Address(_))), "{url}");
    }
}

#[tokio::test]
async fn a_listed_host_or_address_is_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for (entry, host) in [("127.0.0.0/8", "127.0.0.1"), ("localhost", "localhost")] {
        let client = client(|config| config.allowed = vec![entry.parse().unwrap()]);
        let asked = tokio::spawn(async move { client.get(&format!("https://{host}:{port}/")).await });
        // That a connection comes is the proof; this server has no certificate to go on with.
        let (stream, _) = listener.accept().await.unwrap();
        drop(stream);
        assert!(matches!(asked.await.unwrap(), Err(OutboundError::Failed(_))), "{entry}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let url =
        serve_bytes(format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n")).await;
    assert!(matches!(client(|_| ()).get(&url).await, Err(OutboundError::Status(302))));
}

#[tokio::test]
async fn an_answer_over_the_limit_is_dropped_announced_or_not() {
    let small = |config: &mut OutboundConfig| config.body_bytes_max = 1000;
    let announced = serve_bytes("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n").await;
    assert!(matches!(client(small).get(&announced).await, Err(OutboundError::TooLarge(1000))));
    let endless = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        // Ends when the client has had enough and hangs up.
        while stream.write_all(&[b'x'; 500]).await.is_ok() {}
    })
    .await;
    assert!(matches!(client(small).get(&endless).await, Err(OutboundError::TooLarge(1000))));
    let exact =
        serve_bytes([&b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"[..], &[b'x'; 1000]].concat()).await;
    assert_eq!(client(small).get(&exact).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn an_answer_that_comes_too_slowly_or_never_is_given_up() {
    let short = |config: &mut OutboundConfig| config.time_max = Duration::from_millis(100);
    let silent = serve(|stream| async move {
        // Held until the test's runtime ends.
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert!(matches!(client(short).get(&silent).await, Err(OutboundError::TimedOut(_))));
    let dripping = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        while stream.write_all(b"x").await.is_ok() {
            tick.tick().await;
        }
    })
    .await;
    assert!(matches!(client(short).get(&dripping).await, Err(OutboundError::TimedOut(_))));
}

#[test]
fn a_url_with_a_password_is_refused() {
    let refused = client(|_| ()).check("https://user:pass@example.com/");
    assert!(matches!(refused, Err(OutboundError::Url { .. })));
}
