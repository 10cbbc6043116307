//! The policies that a new pool's roles start with. The files lie in `policies/defaults/`.

/// What a guest may do: invoke functions tagged `callgate:allow` = `guests`.
pub const GUEST: &str = include_str!("../../policies/defaults/guest.json");

/// What somebody signed in may do: invoke functions tagged `callgate:allow` = `guests` or `signed-in`.
pub const SIGNED_IN: &str = include_str!("../../policies/defaults/signed-in.json");

const TRUST_GUEST: &str = include_str!("../../policies/defaults/trust-guest.json");
const TRUST_SIGNED_IN: &str = include_str!("../../policies/defaults/trust-signed-in.json");

/// What the trust policies have where the pool's id goes.
const POOL: &str = "\"${POOL}\"";

/// The trust policy of the role of a pool's guests. `pool_id` is `region:uuid`.
pub fn trust_guest(pool_id: &str) -> String {
    TRUST_GUEST.replace(POOL, &quoted(pool_id))
}

/// The trust policy of the role of those who signed in to a pool. `pool_id` is `region:uuid`.
pub fn trust_signed_in(pool_id: &str) -> String {
    TRUST_SIGNED_IN.replace(POOL, &quoted(pool_id))
}

/// A JSON string, so that no id can end the string it stands in.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
