//! The operations of Lambda's REST protocol that commands use.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use percent_encoding::percent_encode;
use serde_json::Value;
use url::Url;

use super::{
    remote::{Call, ClientError, Door, Remote, Reply, parse_json},
    sign::{RESERVED, SignError},
};
use crate::app::package::PACKAGE_BYTES_MAX;

const FUNCTIONS: &str = "/2015-03-31/functions";

impl Remote {
    /// A function's configuration; `None` if there is no such function.
    pub async fn function_configuration(&self, name: &str) -> Result<Option<Value>, ClientError> {
        let path = format!("{FUNCTIONS}/{}/configuration", segment(name));
        match self.lambda("GetFunctionConfiguration", Method::GET, &path, None).await {
            Ok(configuration) => Ok(Some(configuration)),
            Err(error) if error.is("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A function's package, as it was uploaded.
    pub async fn function_package(&self, name: &str) -> Result<Bytes, ClientError> {
        let path = format!("{FUNCTIONS}/{}", segment(name));
        let function = self.lambda("GetFunction", Method::GET, &path, None).await?;
        let location = function["Code"]["Location"].as_str().and_then(|link| link.parse::<Url>().ok());
        let link = location.ok_or_else(|| ClientError::Answer {
            operation: "GetFunction".to_owned(),
            why: "it has no link to the package".to_owned(),
        })?;
        // By the address that answers here: the gateway's public one may not lead anywhere from this machine.
        let call = Call {
            door: Door::Management,
            service: "lambda",
            operation: "The link to the package",
            method: Method::GET,
            path: link.path(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        Ok(self.send_for(call, PACKAGE_BYTES_MAX).await?.body)
    }

    /// Makes a function.
    pub async fn create_function(&self, input: &Value) -> Result<Value, ClientError> {
        self.lambda("CreateFunction", Method::POST, FUNCTIONS, Some(input)).await
    }

    /// Replaces a function's code.
    pub async fn update_function_code(&self, name: &str, input: &Value) -> Result<Value, ClientError> {
        let path = format!("{FUNCTIONS}/{}/code", segment(name));
        self.lambda("UpdateFunctionCode", Method::PUT, &path, Some(input)).await
    }

    /// Changes a function's configuration.
    pub async fn update_function_configuration(
        &self,
        name: &str,
        input: &Value,
    ) -> Result<Value, ClientError> {
        let path = format!("{FUNCTIONS}/{}/configuration", segment(name));
        self.lambda("UpdateFunctionConfiguration", Method::PUT, &path, Some(input)).await
    }

    /// Adds tags to a function.
    pub async fn tag_resource(&self, arn: &str, input: &Value) -> Result<Value, ClientError> {
        let path = format!("/2017-03-31/tags/{}", segment(arn));
        self.lambda("TagResource", Method::POST, &path, Some(input)).await
    }

    /// Runs a function and waits for its answer.
    pub async fn invoke(
        &self,
        name: &str,
        payload: Bytes,
        client_context: Option<&str>,
        log: bool,
    ) -> Result<Reply, ClientError> {
        let path = format!("{FUNCTIONS}/{}/invocations", segment(name));
        let mut headers = json_headers();
        if let Some(context) = client_context {
            let context = HeaderValue::from_str(context).map_err(SignError::from)?;
            headers.insert(HeaderName::from_static("x-amz-client-context"), context);
        }
        if log {
            headers.insert(HeaderName::from_static("x-amz-log-type"), HeaderValue::from_static("Tail"));
        }
        let call = Call {
            door: Door::Data,
            service: "lambda",
            operation: "Invoke",
            method: Method::POST,
            path: &path,
            headers,
            body: payload,
        };
        self.send(call).await
    }

    async fn lambda(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        input: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let body = input.map(|input| Bytes::from(input.to_string())).unwrap_or_default();
        let (door, headers) = (Door::Management, json_headers());
        let reply =
            self.send(Call { door, service: "lambda", operation, method, path, headers, body }).await?;
        parse_json(operation, &reply.body)
    }
}

fn json_headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

fn segment(text: &str) -> String {
    percent_encode(text.as_bytes(), RESERVED).to_string()
}
