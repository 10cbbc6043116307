//! All checks of one call, from its head to its admission, without a network and without a sandbox: what the gateway itself
//! adds to an invocation. `cargo bench --bench checks`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its table")]

#[path = "harness/stats.rs"]
mod stats;

use std::{
    collections::BTreeMap, error::Error, hint::black_box, net::IpAddr, num::NonZeroU32, sync::Arc,
    time::Instant,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use callgate::{
    api::{
        Context, Resource,
        lambda::{invoke, payload},
    },
    app::client::sign::{self, Scope},
    authn::{Authn, sessions::Sessions},
    base::{
        AccountId, Caller, CallerIdentity, Clock, KeyRing, Principal, Region, RequestId, Secret,
        SessionClaims, SessionRole, SystemClock, SystemRng, Timestamp,
    },
    dispatch::{
        FunctionError, Idempotency, Outcome,
        idempotency::{self, Bound, Bounds, Claim, Holders, Key, Kind, Owner, key},
    },
    edge::authorizer::IamAuthorizer,
    functions::FunctionRef,
    iam::{self, Directory, NewRole, SessionPolicies},
    policy::defaults,
    quota::{By, Call, Class, Quota, QuotaConfig, Rate, Rule},
    revocation::Revocations,
    store::{Feed, sqlite::SqliteStore},
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, Request, request::Parts};
use url::Url;

use self::stats::Median;

/// The command's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls of one batch, and batches.
const BATCH: usize = 500;
const BATCHES: usize = 41;
const ROLE: &str = "guests";
/// A rate that is never reached.
const PLENTY: NonZeroU32 = NonZeroU32::MAX;

/// Everything that a call passes before it is dispatched.
struct Gate {
    authn: Authn,
    quota: Quota,
    authorizer: IamAuthorizer,
    region: Region,
    role_id: String,
    tags: Arc<BTreeMap<String, String>>,
    _folder: tempfile::TempDir,
}

impl Gate {
    async fn open(sessions: Arc<Sessions>, ring: Arc<KeyRing>) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let store = SqliteStore::open(&folder.path().join("callgate.db")).await?;
        let store = Arc::new(store);
        let feed = Feed::new(store.clone());
        let clock = Arc::new(SystemClock::new());
        let revocations = Revocations::new(store.clone(), feed.clone(), clock.clone());
        let parts = iam::Parts {
            store: store.clone(),
            feed: feed.clone(),
            keys: ring,
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
        };
        let directory = Directory::new(parts, iam::Options { allow_loopback_http: false });
        feed.start(vec![directory.clone(), revocations.clone()]).await?;
        directory.seed_root("AKIAROOT000000000000", &Secret::from("a secret of the root".to_owned())).await?;
        let role = NewRole {
            name: ROLE.to_owned(),
            path: "/".to_owned(),
            description: None,
            trust: defaults::trust_guest("us-east-1:pool"),
            max_session_seconds: 3600,
            tags: BTreeMap::new(),
        };
        let role_id = directory.create_role(AccountId::DEFAULT, role).await?.id().to_owned();
        directory.put_role_policy(AccountId::DEFAULT, ROLE, "invoke", defaults::GUEST.to_owned()).await?;
        let config = QuotaConfig {
            account_concurrency: 1000,
            account_rate: PLENTY,
            address_rate: Rate::flat(PLENTY),
            caller_rate: Some(Rate::flat(PLENTY)),
            ..QuotaConfig::default()
        };
        let region = Region::new("us-east-1");
        Ok(Self {
            authn: Authn::new(directory.clone(), sessions, revocations, region.clone()),
            quota: Quota::new(config, clock),
            authorizer: IamAuthorizer::new(directory, SessionPolicies::new(store)),
            region,
            role_id,
            tags: Arc::new([("callgate:allow".to_owned(), "guests".to_owned())].into()),
            _folder: folder,
        })
    }

    /// The steps of `edge::pipeline`, in its order.
    fn check(&self, head: &Parts, body: &[u8], now: Timestamp) -> Result<(), Box<dyn Error>> {
        let source = IpAddr::from([127, 0, 0, 1]);
        self.quota.address(source, Some(Class::Invoke))?;
        let signed = self.authn.begin(head, &["lambda"], now)?;
        let call = invoke::Call::decode("echo", head).map_err(|error| format!("{error:?}"))?;
        let caller = self.authn.finish(signed, body)?.caller;
        self.quota.caller(&caller, Class::Invoke, || call.app())?;
        let named = call.target(caller.account, &self.region).map_err(|error| format!("{error:?}"))?;
        let context = Context {
            caller: Some(&caller),
            request_id: RequestId::draw(&SystemRng),
            source,
            secure: false,
            region: &self.region,
            now,
            public_url: "http://127.0.0.1:7070",
            user_agent: None,
            organization: None,
        };
        let resource =
            Resource { tags: Some(self.tags.clone()), ..Resource::named(named.reference.function_arn()) };
        let permit = self.authorizer.permit(&context, &caller, invoke::ACTION, &resource);
        let permit = permit.map_err(|error| format!("{error:?}"))?;
        payload::check(body).map_err(|error| format!("{error:?}"))?;
        let share = self.quota.share(&caller, source);
        let pool = caller.identity.as_ref().map(|identity| &*identity.pool_id);
        let admission = self.quota.admit(&Call { owner: caller.account, function: "echo", pool, share })?;
        drop(black_box((permit, admission)));
        Ok(())
    }
}

/// A guest's call with a device's client context, as an SDK signs it: about 1.6 KB of headers.
fn call(sessions: &Sessions, role_id: &str, body: &[u8], now: Timestamp) -> Result<Parts, Box<dyn Error>> {
    let identity = CallerIdentity {
        pool_id: "us-east-1:3f2b6c1e-5d0a-4a53-8a39-3c4a7f0d9a11".to_owned(),
        identity_id: "us-east-1:a1b2c3d4-0000-4000-8000-1234567890ab".to_owned(),
        born: now,
        amr: vec!["unauthenticated".to_owned()],
        ..CallerIdentity::default()
    };
    let role = SessionRole { account: AccountId::DEFAULT, name: ROLE, id: role_id };
    let expires = Timestamp::from_seconds(now.seconds() + 3600);
    let minted = sessions.mint(&SessionClaims::of_identity(
        role,
        "CognitoIdentityCredentials",
        identity,
        now,
        expires,
    ))?;
    let url = Url::parse("http://127.0.0.1:7070/2015-03-31/functions/echo/invocations")?;
    let context = r#"{"client":{"installation_id":"c0ffee","app_title":"Shop","app_version_name":"4.2","app_version_code":"42","app_package_name":"com.example.shop"},"env":{"platform":"Android","platform_version":"15","make":"Example","model":"One","locale":"en_GB"},"custom":{"theme":"dark"}}"#;
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/octet-stream"));
    headers.insert("x-amz-client-context", HeaderValue::from_str(&STANDARD.encode(context))?);
    headers.insert("x-amz-invocation-type", HeaderValue::from_static("RequestResponse"));
    headers.insert("amz-sdk-invocation-id", HeaderValue::from_static("b6d6d5a2-6b5e-4b5b-9d0e-0d6f3a1b2c3d"));
    let credentials = sign::Credentials {
        access_key_id: minted.access_key_id,
        secret: minted.secret_access_key,
        session_token: Some(Secret::from(minted.session_token)),
    };
    let scope = Scope { region: "us-east-1", service: "lambda", at: now };
    sign::sign(&Method::POST, &url, &mut headers, body, &credentials, scope)?;
    let mut request = Request::builder().method(Method::POST).uri(url.path()).body(())?;
    *request.headers_mut() = headers;
    Ok(request.into_parts().0)
}

/// What a call costs whose SDK sends an id: the look-up, and what is kept of its answer. Every id is new, as nearly all are.
struct Retries {
    calls: Arc<Idempotency>,
    clock: Arc<SystemClock>,
    owner: Owner,
    function: FunctionRef,
    outcome: Outcome,
    _folder: tempfile::TempDir,
}

impl Retries {
    fn open(ring: Arc<KeyRing>, clock: Arc<SystemClock>) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let all = Bound { entries: 100_000, bytes: 64 << 20 };
        let owner = Bound { entries: 10_000, bytes: 8 << 20 };
        let sdk = Bounds { all, owner, address: Bound { entries: 25_000, bytes: 16 << 20 }, pool: all };
        let window = std::time::Duration::from_secs(300);
        let options = idempotency::Options { sdk_window: window, sdk, key_window: window, keys: sdk };
        let parts = idempotency::Parts {
            folder: folder.path().to_owned(),
            ring,
            clock: clock.clone(),
            rng: Arc::new(SystemRng),
        };
        Ok(Self {
            calls: Idempotency::open(options, parts)?.idempotency,
            clock,
            owner: Owner::identity("us-east-1:a1b2c3d4-0000-4000-8000-1234567890ab"),
            function: FunctionRef {
                region: Region::new("us-east-1"),
                account: AccountId::DEFAULT,
                name: "echo".to_owned(),
                qualifier: None,
            },
            outcome: Outcome {
                payload: bytes::Bytes::from(vec![b'1'; 200]),
                function_error: None::<FunctionError>,
                version: "$LATEST".into(),
                log_tail: None,
                cold: None,
            },
            _folder: folder,
        })
    }

    fn call(&self, id: &str, body: &[u8]) -> Result<(), Box<dyn Error>> {
        let call = idempotency::Call {
            key: Key::new(self.owner, &self.function, Kind::Sdk, id),
            kind: Kind::Sdk,
            shape: key::shape(None),
            print: key::print(body),
            id: RequestId::draw(&SystemRng),
            began: self.clock.now(),
            holders: Holders::new(self.owner, IpAddr::from([127, 0, 0, 1]), None),
            identity: Some("us-east-1:a1b2c3d4-0000-4000-8000-1234567890ab".into()),
        };
        let Claim::First(first) = self.calls.claim(call) else { return Err("an id came twice".into()) };
        let outcome = self.outcome.clone();
        let ran = first.run(async move { Ok(outcome) }).now_or_never().ok_or("a run that ended waits")?;
        drop(black_box(ran?));
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures with the machine's clock")]
fn microseconds(mut batch: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let began = Instant::now();
    batch()?;
    Ok(began.elapsed().as_secs_f64() * 1e6 / BATCH as f64)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock::new());
    let now = clock.now();
    let ring = Arc::new(KeyRing::new([(1, Secret::new(vec![7; 32]))])?);
    let sessions = Arc::new(Sessions::new(ring.clone(), clock.clone(), Arc::new(SystemRng)));
    let retries = Retries::open(ring.clone(), clock.clone())?;
    let gate = Gate::open(sessions.clone(), ring).await?;
    let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(189)).into_bytes();

    let hot = call(&sessions, &gate.role_id, &body, now)?;
    let (mut cached, mut uncached, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for batch in 0..BATCHES {
        let ids: Vec<String> =
            (0..BATCH).map(|n| format!("b6d6d5a2-6b5e-4b5b-9d0e-{batch:04}{n:08}")).collect();
        known.push(microseconds(|| ids.iter().try_for_each(|id| retries.call(id, &body)))?);
        cached.push(microseconds(|| (0..BATCH).try_for_each(|_| gate.check(&hot, &body, now)))?);
        let fresh =
            (0..BATCH).map(|_| call(&sessions, &gate.role_id, &body, now)).collect::<Result<Vec<_>, _>>()?;
        uncached.push(microseconds(|| fresh.iter().try_for_each(|head| gate.check(head, &body, now)))?);
    }
    println!("\n| all checks of a call, µs | median [95 % interval] | goal |\n|---|---|---|");
    println!("| token seen before | {} | 10 |", Median::of(cached));
    println!("| token never seen before | {} | 15 |", Median::of(uncached));
    println!("| besides, with an SDK's id: looked up, and the answer kept | {} | 2 |", Median::of(known));
    println!("| its limits alone, no rule configured | {} | 1 |", limits(Vec::new())?);
    println!("| its limits alone, a rule by each | {} | 1 |", limits(a_rule_by_each())?);
    Ok(())
}

/// A rule of each kind, none of which is ever reached.
fn a_rule_by_each() -> Vec<Rule> {
    let rule = |by: By, only: &[&str]| Rule {
        name: by.as_str().into(),
        by,
        class: Some(Class::Invoke),
        rate: Rate::flat(PLENTY),
        only: only.iter().map(|name| (*name).into()).collect(),
    };
    let others = [By::Address, By::Identity, By::Function, By::Pool].map(|by| rule(by, &[]));
    others.into_iter().chain([rule(By::App, &["com.example.shop"])]).collect()
}

/// What the limits of a signed-in user's call cost together, with these rules beside the default limits.
fn limits(rules: Vec<Rule>) -> Result<Median, Box<dyn Error>> {
    let rate = Rate::flat(PLENTY);
    let config = QuotaConfig { account_rate: PLENTY, address_rate: rate, rules, ..QuotaConfig::default() };
    let quota = Quota::new(config, Arc::new(SystemClock::new()));
    let identity = CallerIdentity {
        pool_id: "us-east-1:3f2b6c1e-5d0a-4a53-8a39-3c4a7f0d9a11".to_owned(),
        identity_id: "us-east-1:a1b2c3d4-0000-4000-8000-1234567890ab".to_owned(),
        logins: vec!["idp.example".to_owned()],
        ..CallerIdentity::default()
    };
    let caller = Caller {
        account: AccountId::DEFAULT,
        principal: Principal::AssumedRole { role: ROLE.into(), role_id: "AROA".into(), session: "s".into() },
        access_key_id: "ASIA".into(),
        identity: Some(Arc::new(identity)),
        session: None,
    };
    let source = IpAddr::from([127, 0, 0, 1]);
    let ask = || -> Result<(), Box<dyn Error>> {
        quota.address(source, Some(Class::Invoke))?;
        quota.caller(&caller, Class::Invoke, || Some("com.example.shop".to_owned()))?;
        let share = quota.share(&caller, source);
        let pool = caller.identity.as_ref().map(|identity| &*identity.pool_id);
        drop(black_box(quota.admit(&Call { owner: caller.account, function: "echo", pool, share })?));
        Ok(())
    };
    let batches = (0..BATCHES).map(|_| microseconds(|| (0..BATCH).try_for_each(|_| ask())));
    Ok(Median::of(batches.collect::<Result<Vec<_>, _>>()?))
}

fn main() -> std::process::ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
