//! Where the gateway's own API is, seen from inside a sandbox.

/// The base of the gateway's URL inside every sandbox: a listener on the sandbox's own loopback. It never changes, so that
/// a sandbox can be told before anybody knows whose it will be. The port is that of AWS's own runtime interface.
pub const GATEWAY_URL: &str = "http://127.0.0.1:9001";
