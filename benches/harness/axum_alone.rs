//! axum and nothing else: what an answer costs that nothing was asked for.

use std::error::Error;

use http::StatusCode;

/// Serves this answer to every request whose body it has read, on tokio with two threads, and prints its port.
pub fn serve(status: StatusCode, answer: &'static str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let answer = async move |_: axum::body::Bytes| (status, answer);
        axum::serve(listener, axum::Router::new().fallback(answer)).await?;
        Ok(())
    })
}
