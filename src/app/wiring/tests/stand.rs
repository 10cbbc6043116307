//! A whole gateway on a store of its own, reached over HTTP by whoever a test says.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use url::Url;

use super::requests::{Asked, LATEST_KEY};
use crate::{
    api::{Door, Protocol, Route, Spec},
    app::{
        client::sign::{self, Credentials, RESERVED, Scope},
        config::{Config, Reach},
        data_dir::{DataDir, RootKey, RootKeyOrigin},
        gateway::{Gateway, Parts},
        listen::tls::Acceptor,
        wiring::Callgate,
    },
    base::{AccountId, Clock, KeyRing, Secret, Timestamp, clock::MockClock, rng::SystemRng},
    edge::{
        server::{Connections, Limits, Server},
        serving::Serving,
    },
};

/// An answer, as far as roles differ by it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The error's code; empty for success.
    pub(super) code: String,
    pub(super) body: String,
}

impl Answer {
    /// A member of a JSON answer, as in `Credentials.SecretKey`.
    pub(super) fn text(&self, path: &str) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        let value = path.split('.').fold(&body, |value, name| &value[name]);
        value.as_str().unwrap_or_else(|| panic!("{path} is no text in {}", self.body)).to_owned()
    }
}

/// A gateway with two listeners: one with both doors, one with the data plane's alone.
pub(super) struct Stand {
    pub(super) gateway: Arc<Callgate>,
    pub(super) root: Credentials,
    http: reqwest::Client,
    both_doors: Url,
    data_door: Url,
    clock: Arc<MockClock>,
    latest_key: std::sync::Mutex<String>,
    _accepting: JoinSet<()>,
    _drain: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Stand {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = MockClock::at(Timestamp::from_seconds(1_435_752_000));
        let secret = Secret::new(b"the root key's secret, of forty letters.".to_vec());
        let root = Credentials {
            access_key_id: "AKIAROLESOFTHETESTS0".to_owned(),
            secret: secret.clone(),
            session_token: None,
        };
        let root_key =
            RootKey { access_key_id: root.access_key_id.clone(), secret, origin: RootKeyOrigin::Environment };
        let connections = Arc::new(Connections::default());
        // Nothing is run here, so nothing on this machine needs to be set up for it.
        let mut config = Config::default();
        config.sandbox.network = Reach::Nothing;
        let (inside, _) = mpsc::channel(1);
        let gateway = Callgate::open(Parts {
            config,
            inside,
            dir: DataDir::open_or_make(&folder.path().join("data")).unwrap(),
            ring: Arc::new(KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()),
            root_key,
            public_url: "http://127.0.0.1".to_owned(),
            connections: connections.clone(),
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
        })
        .await
        .unwrap();
        let (drain, draining) = watch::channel(false);
        let mut accepting = JoinSet::new();
        let mut serve = async |doors: &'static [Door]| {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let server = Server {
                serving: Arc::new(Serving::start(1).unwrap()),
                answer: gateway.clone(),
                secure: None::<Arc<Acceptor>>,
                doors,
                limits: Limits {
                    connections_max: 64,
                    header_read: std::time::Duration::from_secs(30),
                    handshake: std::time::Duration::from_secs(30),
                },
                connections: connections.clone(),
                metrics: gateway.metrics(),
                drain: draining.clone(),
            };
            accepting.spawn(server.run(listener));
            Url::parse(&url).unwrap()
        };
        let both_doors = serve(&[Door::Data, Door::Management]).await;
        let data_door = serve(&[Door::Data]).await;
        Self {
            gateway,
            root,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            both_doors,
            data_door,
            clock,
            latest_key: std::sync::Mutex::new(LATEST_KEY.to_owned()),
            _accepting: accepting,
            _drain: drain,
            _folder: folder,
        }
    }

    /// Asks where both doors are open; `None` does not sign.
    pub(super) async fn ask(&self, who: Option<&Credentials>, asked: &Asked) -> Answer {
        self.send(&self.both_doors, who, asked).await
    }

    /// Asks where only the data plane is served.
    pub(super) async fn ask_data_door(&self, who: Option<&Credentials>, asked: &Asked) -> Answer {
        self.send(&self.data_door, who, asked).await
    }

    /// The gateway's time.
    pub(super) fn clock(&self) -> &MockClock {
        &self.clock
    }

    /// Asks as root, and insists.
    pub(super) async fn root(&self, asked: &Asked) -> Answer {
        let answer = self.ask(Some(&self.root), asked).await;
        assert!(answer.status.is_success(), "{}: {answer:?}", asked.spec.name);
        if asked.spec.name == "CreateAccessKey" {
            *self.latest_key.lock().unwrap() = answer.element("AccessKeyId");
        }
        answer
    }

    /// A further account's root.
    pub(super) async fn stranger(&self, account: &str) -> Credentials {
        let account: AccountId = account.parse().unwrap();
        let key = self.gateway.directory.create_account(account).await.unwrap();
        Credentials { access_key_id: key.id, secret: key.secret, session_token: None }
    }

    /// What the store's log of changes ends with: it moves with whatever is written that the gateway holds in memory.
    pub(super) async fn changes(&self) -> i64 {
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM changes")
            .fetch_one(self.gateway.store.readers())
            .await
            .unwrap()
    }

    async fn send(&self, base: &Url, who: Option<&Credentials>, asked: &Asked) -> Answer {
        let (method, path, headers, body) = asked.parts();
        let body = body.replace(LATEST_KEY, &self.latest_key.lock().unwrap());
        let url = base.join(&path).unwrap();
        let mut headers = headers;
        if let Some(who) = who {
            let scope =
                Scope { region: "us-east-1", service: asked.spec.service.scope(), at: self.clock.now() };
            sign::sign(&method, &url, &mut headers, body.as_bytes(), who, scope).unwrap();
        }
        let response = self.http.request(method, url).headers(headers).body(body).send().await.unwrap();
        let code = response.headers().get("x-amzn-errortype");
        let code = code.map(|code| code.to_str().unwrap().to_owned()).unwrap_or_default();
        Answer { status: response.status(), code, body: response.text().await.unwrap() }
    }
}

impl Answer {
    /// The text of the first element of this name of an XML answer.
    pub(super) fn element(&self, name: &str) -> String {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let text = self.body.split_once(&open).and_then(|(_, rest)| rest.split_once(&close));
        text.unwrap_or_else(|| panic!("no {name} in {self:?}")).0.to_owned()
    }

    /// The credentials in an answer of STS.
    pub(super) fn credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.element("AccessKeyId"),
            secret: Secret::new(self.element("SecretAccessKey").into_bytes()),
            session_token: Some(Secret::new(self.element("SessionToken").into_bytes())),
        }
    }
}

impl Asked {
    /// Method, path with query, headers and body, as the operation's protocol has them.
    fn parts(&self) -> (Method, String, HeaderMap, String) {
        let Spec { service, name, route, .. } = &self.spec;
        let mut input = self.input.clone();
        let members = input.as_object_mut().unwrap();
        let mut headers = HeaderMap::new();
        let (method, path, kind, body) = match route {
            Route::Rest { method, path } => {
                let segments = path.split('/').map(|segment| {
                    match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                        Some(name) => {
                            let value = members.remove(name).unwrap();
                            utf8_percent_encode(value.as_str().unwrap(), RESERVED).to_string()
                        }
                        None => segment.to_owned(),
                    }
                });
                let path = segments.collect::<Vec<_>>().join("/") + self.query;
                for (header, value) in self.headers {
                    headers.insert(*header, HeaderValue::from_static(value));
                }
                let body = if members.is_empty() { String::new() } else { input.to_string() };
                (method.clone(), path, "application/json", body)
            }
            Route::Json => {
                let target = format!("{}.{name}", service.target_prefix());
                headers.insert("x-amz-target", HeaderValue::from_str(&target).unwrap());
                (Method::POST, "/".to_owned(), "application/x-amz-json-1.1", input.to_string())
            }
            Route::Query => {
                let version = service.xml_namespace().trim_end_matches('/').rsplit('/').next().unwrap();
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.append_pair("Action", name).append_pair("Version", version);
                for (field, value) in members {
                    form.append_pair(field, value.as_str().unwrap());
                }
                (Method::POST, "/".to_owned(), "application/x-www-form-urlencoded", form.finish())
            }
        };
        assert_eq!(service.protocol() == Protocol::RestJson, matches!(route, Route::Rest { .. }));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        (method, path, headers, body)
    }
}

/// A pool whose guests may invoke what is tagged for them, with a guest.
pub(super) struct Guest {
    pub(super) pool: String,
    pub(super) identity: String,
    pub(super) credentials: Credentials,
    /// The identity of a user of the pool's developer, and a token that is its login.
    pub(super) user: String,
    pub(super) user_token: String,
    /// An open-id token.
    pub(super) token: String,
}

impl Stand {
    pub(super) async fn guest(&self) -> Guest {
        let settings = json!({
            "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": true, "AllowClassicFlow": true,
            "DeveloperProviderName": "login.app", "IdentityPoolTags": {"callgate:bearer": "allow"},
        });
        let pool = self.root(&Asked::cognito("CreateIdentityPool", settings)).await.text("IdentityPoolId");
        let trust = crate::policy::defaults::trust_guest(&pool);
        let role = json!({"RoleName": "guests", "AssumeRolePolicyDocument": trust});
        self.root(&Asked::iam("CreateRole", role)).await;
        let policy = crate::policy::defaults::GUEST;
        let policy = json!({"RoleName": "guests", "PolicyName": "guests", "PolicyDocument": policy});
        self.root(&Asked::iam("PutRolePolicy", policy)).await;
        let roles = json!({"unauthenticated": "arn:aws:iam::000000000000:role/guests"});
        let roles = json!({"IdentityPoolId": pool, "Roles": roles});
        self.root(&Asked::cognito("SetIdentityPoolRoles", roles)).await;
        let pool_id = json!({"IdentityPoolId": pool});
        let identity = self.ask(None, &Asked::cognito("GetId", pool_id)).await.text("IdentityId");
        let identity_id = json!({"IdentityId": identity});
        let token =
            self.ask(None, &Asked::cognito("GetOpenIdToken", identity_id.clone())).await.text("Token");
        let given = self.ask(None, &Asked::cognito("GetCredentialsForIdentity", identity_id)).await;
        let credentials = Credentials {
            access_key_id: given.text("Credentials.AccessKeyId"),
            secret: Secret::new(given.text("Credentials.SecretKey").into_bytes()),
            session_token: Some(Secret::new(given.text("Credentials.SessionToken").into_bytes())),
        };
        let user = json!({"IdentityPoolId": pool, "Logins": {"login.app": "ann"}});
        let given = self.root(&Asked::cognito("GetOpenIdTokenForDeveloperIdentity", user)).await;
        let (user, user_token) = (given.text("IdentityId"), given.text("Token"));
        Guest { pool, identity, credentials, user, user_token, token }
    }
}
