//! The gateway's own operations, as commands use them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use serde_json::Value;

use super::remote::{Call, ClientError, Door, Remote, parse_json};

impl Remote {
    /// An operation below `/callgate/v1`.
    pub async fn callgate(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        input: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = input.map(Value::to_string).map(Bytes::from).unwrap_or_default();
        let (door, service) = (Door::Management, "callgate");
        let reply = self.send(Call { door, service, operation, method, path, headers, body }).await?;
        parse_json(operation, &reply.body)
    }
}
