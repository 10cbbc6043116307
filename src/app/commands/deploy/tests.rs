use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::Method, http::Uri};

use super::*;
use crate::{
    app::client::sign::Credentials,
    base::{Timestamp, clock::MockClock},
};

/// A gateway that knows at most one function, whose updates take one more look to be done.
#[derive(Default)]
struct Fake {
    function: Option<Value>,
    busy: bool,
    heard: Vec<String>,
}

type Shared = Arc<Mutex<Fake>>;
type Answer = (axum::http::StatusCode, [(&'static str, &'static str); 1], String);

fn ok(body: impl std::fmt::Display) -> Answer {
    (axum::http::StatusCode::OK, [("x-amzn-errortype", "")], body.to_string())
}

async fn hear(State(fake): State<Shared>, method: Method, uri: Uri, body: Bytes) -> Answer {
    let mut fake = fake.lock().unwrap();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let seen = match &input {
        Value::Object(members) => members.keys().cloned().collect::<Vec<_>>().join(","),
        _ => String::from_utf8_lossy(&body).split('&').next().unwrap_or_default().to_owned(),
    };
    fake.heard.push(format!("{method} {} {seen}", uri.path()).trim_end().to_owned());
    if uri.path() == "/" {
        return ok("<R><Role><Arn>arn:aws:iam::000000000000:role/r</Arn></Role></R>");
    }
    if method != Method::GET {
        let before = fake.function.take().unwrap_or_else(|| json!({ "FunctionArn": "arn:f" }));
        let mut function = before.as_object().cloned().unwrap();
        function.extend(input.as_object().cloned().unwrap_or_default());
        function.insert("LastUpdateStatus".to_owned(), json!("InProgress"));
        fake.busy = true;
        fake.function = Some(Value::Object(function.clone()));
        return ok(Value::Object(function));
    }
    let busy = std::mem::take(&mut fake.busy);
    match &mut fake.function {
        None => {
            let code = [("x-amzn-errortype", "ResourceNotFoundException")];
            (axum::http::StatusCode::NOT_FOUND, code, "{\"Message\":\"none\"}".to_owned())
        }
        Some(function) => {
            if !busy {
                function["LastUpdateStatus"] = json!("Successful");
            }
            ok(function)
        }
    }
}

async fn fake(function: Option<Value>) -> (Remote, Shared) {
    let shared = Arc::new(Mutex::new(Fake { function, ..Fake::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(hear).with_state(shared.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let clock = MockClock::at(Timestamp::from_seconds(1_440_938_160));
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret: "secret".to_owned().into(),
        session_token: None,
    };
    (Remote::new(&url, &url, "us-east-1", None, clock).unwrap().signed_by(credentials), shared)
}

fn settings() -> Settings {
    Settings {
        name: "greet".to_owned(),
        tags: [("a".to_owned(), "b".to_owned())].into(),
        ..Settings::default()
    }
}

#[tokio::test]
async fn a_new_function_gets_a_role_and_the_defaults() {
    let (remote, fake) = fake(None).await;
    let made = create(&remote, &settings(), b"zip").await.unwrap();
    assert_eq!(made["Runtime"], RUNTIME);
    assert_eq!(made["Role"], "arn:aws:iam::000000000000:role/r");
    assert_eq!(made["Code"]["ZipFile"], "emlw");
    assert_eq!(
        fake.lock().unwrap().heard,
        [
            "POST / Action=CreateRole",
            "POST /2015-03-31/functions Code,FunctionName,Handler,Role,Runtime,Tags",
            "GET /2015-03-31/functions/greet/configuration",
            "GET /2015-03-31/functions/greet/configuration",
        ]
    );
}

#[tokio::test]
async fn an_update_waits_for_each_step_and_skips_what_is_as_wanted() {
    let existing = json!({ "FunctionArn": "arn:f", "MemorySize": 128, "LastUpdateStatus": "Successful" });
    let (remote, fake) = fake(Some(existing)).await;
    update(&remote, &settings(), b"zip").await.unwrap();
    let look = "GET /2015-03-31/functions/greet/configuration";
    assert_eq!(
        std::mem::take(&mut fake.lock().unwrap().heard),
        [
            look,
            "PUT /2015-03-31/functions/greet/code ZipFile",
            "POST /2017-03-31/tags/arn%3Af Tags",
            look,
            look
        ]
    );
    update(&remote, &Settings { memory: Some(256), ..settings() }, b"zip").await.unwrap();
    assert_eq!(
        fake.lock().unwrap().heard[..4],
        [look, "PUT /2015-03-31/functions/greet/configuration MemorySize", look, look]
    );
}
