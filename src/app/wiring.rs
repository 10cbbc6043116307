//! The gateway as it is put together: the only place that knows every part.

mod chores;
mod explaining;
mod merge_hooks;
mod offline;
mod retries;
mod sandboxes;
mod settings;
mod sources;
mod web_tokens;

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::task::JoinSet;

use self::{
    chores::{SWEEP, SWEEP_LIMITS, every, expire, follow, forget, prune, tidy},
    explaining::Explaining,
    merge_hooks::MergeHooks,
    offline::{Offline, create_account, limits, sessions},
    sandboxes::{dispatch, level, network},
    settings::{cors, known, outbound, quota_config, request_log},
    sources::{Bearer, ExecutionRoles, FunctionCredentials, Guests, PlainSource, Providers, Retiring, Roles},
    web_tokens::Tokens,
};
use super::{
    admin::{AdminError, AdminOps, LimitsCommand, NewAccount, SessionsCommand},
    config::Config,
    doctor::Check,
    gateway::{Gateway, Parts},
};
use crate::{
    api::{
        self, Perform,
        callgate::{Operator, explain_policy::ExplainPolicy},
        lambda::concurrency::Concurrency,
    },
    authn::{
        Authn,
        invoke_tokens::InvokeTokens,
        oidc::{Issuers, Verifier},
        sessions::Sessions,
    },
    base::AccountId,
    edge::{
        self,
        authorizer::IamAuthorizer,
        body::Budget,
        cors::Cors,
        plain::Plain,
        routes::Routes,
        server::{Answer, Peer},
    },
    functions::{self, Functions},
    iam::{self, Directory, IamError, SessionPolicies},
    identity::{Identities, IdentitiesParts, OpenIdKeys, OpenIdKeysParts, Pools},
    limits::Limits,
    outbound::OutboundError,
    quota::Quota,
    revocation::Revocations,
    sandbox::{detect, network::NoUplink},
    store::{Feed, Follower, StoreError, cached_identities::CachedIdentities, sqlite::SqliteStore},
    telemetry::{Metrics, Writing},
};

/// A gateway that serves.
pub struct Callgate {
    edge: Arc<Cors<edge::Gate>>,
    gate: Arc<edge::Gate>,
    store: SqliteStore,
    directory: Arc<Directory>,
    operator: Arc<Operator>,
    ready: Arc<AtomicBool>,
    chores: std::sync::Mutex<JoinSet<()>>,
    writing: std::sync::Mutex<Option<Writing>>,
}

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Functions cannot be connected.
    #[error("functions cannot be given a network here: {0}; [sandbox] network = \"none\" goes without")]
    Network(#[from] NoUplink),
    /// The addresses of sandboxes are none.
    #[error("[sandbox] network_range: {0}")]
    Range(String),
    /// No Node.js.
    #[error(
        "no Node.js was found: install version 20 or newer (Debian: apt-get install nodejs), or name the program in [runtime] node"
    )]
    NoNode,
    /// A runtime's own Node.js does not run.
    #[error("[runtime] versions, {runtime}: {why}")]
    NodeVersion {
        /// The runtime's id.
        runtime: String,
        /// What is wrong.
        why: String,
    },
    /// This machine cannot isolate functions.
    #[error("functions cannot be isolated here: {0}")]
    NoIsolation(String),
    /// What is needed to act on sandboxes could not be made ready.
    #[error("what acts on sandboxes could not be made ready: {0}")]
    Means(io::Error),
    /// The runtime's files could not be written.
    #[error("the runtime could not be unpacked below {}: {cause}", path.display())]
    Runtime {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A thread.
    #[error("a thread could not be made: {0}")]
    Thread(io::Error),
    /// The client for issuers.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// The certificates that it is to trust besides.
    #[error("[outbound] certificates: {} cannot be read: {cause}", path.display())]
    Certificates {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The identities' keys.
    #[error(transparent)]
    Identity(#[from] crate::identity::IdentityError),
    /// Accounts and their keys.
    #[error(transparent)]
    Iam(#[from] IamError),
    /// What retries are answered from.
    #[error("the files of idempotency keys below {} cannot be used: {cause}", path.display())]
    Idempotency {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// An origin that is no header value.
    #[error("[server] cors_allowed_origins: {0:?} is not an origin")]
    Origin(String),
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Gateway for Callgate {
    type Error = OpenError;
    type Store = Offline;

    async fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let base = Base::open(&parts).await?;
        let Base { store, feed, directory } = base;
        let config = &parts.config;
        let region = config.server.region.clone();
        let (clock, rng, ring) = (parts.clock.clone(), parts.rng.clone(), parts.ring.clone());
        let shared_store = Arc::new(store.clone());
        let identity_store =
            Arc::new(CachedIdentities::new(shared_store.clone(), config.identity.cache_mib << 20));

        let functions = Functions::open(
            parts.dir.path(),
            functions::Options::new(region.clone()),
            functions::Parts {
                store: shared_store.clone(),
                feed: feed.clone(),
                keys: ring.clone(),
                roles: Arc::new(ExecutionRoles(directory.clone())),
                clock: clock.clone(),
                rng: rng.clone(),
            },
        )?;
        let pools =
            Pools::new(identity_store.clone(), feed.clone(), clock.clone(), rng.clone(), region.clone());
        let sessions = Arc::new(Sessions::new(ring.clone(), clock.clone(), rng.clone()));
        let credentials = Arc::new(FunctionCredentials {
            directory: directory.clone(),
            sessions: sessions.clone(),
            clock: clock.clone(),
        });
        let revocations = Revocations::new(shared_store.clone(), feed.clone(), clock.clone());
        let quota = Arc::new(Quota::new(quota_config(config), clock.clone()));
        let limits = Limits::new(shared_store.clone(), feed.clone(), quota.clone(), clock.clone());
        let network = network(&parts).await?;
        let dispatch = Arc::new(dispatch(&parts, credentials, network)?);
        let idempotency = retries::open(&parts, &identity_store).await?;
        let retiring = Retiring { functions: functions.clone(), dispatch: dispatch.clone() };
        // In this order: who comes later may look at what those before hold.
        let followers: Vec<Arc<dyn Follower>> = vec![
            directory.clone(),
            functions.clone(),
            pools.clone(),
            revocations.clone(),
            limits.clone(),
            Arc::new(retiring),
            Arc::new(retries::Forgetting { pools: pools.clone(), idempotency: idempotency.clone() }),
        ];
        feed.start(followers).await?;
        directory.seed_root(&parts.root_key.access_key_id, &parts.root_key.secret).await?;
        functions.sweep(true).await?;
        pools.sweep().await?;

        let open_id_keys = OpenIdKeys::load(OpenIdKeysParts {
            store: shared_store.clone(),
            ring: ring.clone(),
            period: DAY * config.oidc.signing_key_days,
            clock: clock.clone(),
            rng: rng.clone(),
        })
        .await?;
        let issuers = Issuers::new(outbound(config)?, clock.clone());
        let verifier = Arc::new(Verifier::with_known(issuers, &known(config), clock.clone()));
        let invoke_tokens = InvokeTokens::new(ring.clone(), clock.clone(), rng.clone());
        let merge_hook = MergeHooks {
            functions: functions.clone(),
            dispatch: dispatch.clone(),
            quota: quota.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            region: region.clone(),
            answer_max: Duration::from_millis(config.identity.merge_hook_timeout_ms),
        };
        let identities = Identities::new(IdentitiesParts {
            store: identity_store.clone(),
            pools: pools.clone(),
            providers: Arc::new(Providers(directory.clone())),
            verifier: verifier.clone(),
            roles: Arc::new(Roles(directory.clone())),
            merge_hook: Arc::new(merge_hook),
            sessions: sessions.clone(),
            minting: Arc::new(Guests(quota.clone())),
            fates: Arc::new(retries::Fates(idempotency.clone())),
            invoke_tokens: invoke_tokens.clone(),
            revocations: revocations.clone(),
            open_id_keys: open_id_keys.clone(),
            guest_idle: Some(DAY * config.identity.guest_idle_days).filter(|idle| !idle.is_zero()),
            aliases: DAY * config.identity.alias_days,
            clock: clock.clone(),
            rng: rng.clone(),
            region: region.clone(),
        });
        let metrics = Arc::new(Metrics::new());
        let budget = Budget::new(config.server.bytes_in_flight_max);
        let ready = Arc::new(AtomicBool::new(true));
        let (log, writing) = request_log(config, &metrics)?;

        let session_policies = SessionPolicies::new(Arc::new(store.clone()));
        let authorizer = Arc::new(IamAuthorizer::new(directory.clone(), session_policies.clone()));
        let calls = api::lambda::Calls { functions: functions.clone(), idempotency: idempotency.clone() };
        let concurrency = Concurrency { functions: functions.clone(), limits: limits.clone() };
        let mut operations: Vec<Arc<dyn Perform>> =
            api::lambda::operations(&functions, &Arc::new(calls), &Arc::new(concurrency));
        operations.extend(api::cognito_identity::operations(&pools, &identities));
        operations.extend(api::iam::operations(&directory));
        let explaining = Explaining::new(directory.clone());
        let operator = Arc::new(Operator {
            revocations: revocations.clone(),
            pools: pools.clone(),
            identities: identity_store.clone(),
            directory: directory.clone(),
            limits,
            explanations: explaining.clone(),
        });
        operations.extend(api::callgate::operations(&operator, &identities));
        let tokens = Tokens { directory: directory.clone(), identities: identities.clone(), verifier };
        let sts = tokens.sts(sessions.clone(), session_policies.clone(), authorizer.clone());
        operations.extend(api::sts::operations(&Arc::new(()), &Arc::new(sts)));
        let plain = PlainSource {
            ready: ready.clone(),
            budget: budget.clone(),
            connections: parts.connections.clone(),
            dispatch: dispatch.clone(),
            idempotency: idempotency.clone(),
            quota: quota.clone(),
            open_id_keys: open_id_keys.clone(),
            functions: functions.clone(),
            identities: identity_store,
            public_url: parts.public_url.clone(),
        };
        let gate = Arc::new(edge::Gate {
            routes: Routes::new(operations, &metrics),
            authn: Authn::new(directory.clone(), sessions, revocations.clone(), region.clone())
                .with_invoke_tokens(invoke_tokens, Arc::new(Bearer(pools.clone()))),
            quota: quota.clone(),
            authorizer: authorizer.clone(),
            functions: functions.clone(),
            dispatch: dispatch.clone(),
            idempotency: idempotency.clone(),
            plain: Plain::new(Arc::new(plain), metrics.clone()),
            trusted_proxies: config.server.trusted_proxies.clone(),
            budget,
            throttles: edge::throttles::Throttles::default(),
            region,
            public_url: parts.public_url.clone(),
            clock,
            rng,
            invoke_counters: metrics.operation("Invoke"),
            unknown_counters: metrics.operation("unknown"),
            metrics: metrics.clone(),
            log,
            settings: edge::Settings {
                body_read: Duration::from_secs(config.server.body_read_seconds),
                takes_gzip: config.server.compressed_requests,
                organization: config.policy.org_id.as_ref().map(|id| id.as_str().to_owned()),
            },
        });

        explaining.of(&gate);
        let mut chores = JoinSet::new();
        chores.spawn(expire(identities, metrics.clone()));
        chores.spawn(every(SWEEP, move || {
            dispatch.sweep();
            idempotency.sweep();
            metrics.upkeep();
        }));
        chores.spawn(every(SWEEP_LIMITS, move || quota.sweep()));
        chores.spawn(follow(feed));
        chores.spawn(tidy(functions));
        chores.spawn(prune(revocations, open_id_keys.clone()));
        chores.spawn(forget(session_policies, gate.clock.clone()));
        gate.dispatch.prewarm();
        Ok(Arc::new(Self {
            edge: Arc::new(cors(gate.clone(), config)?),
            gate,
            store,
            directory,
            operator,
            ready,
            chores: std::sync::Mutex::new(chores),
            writing: std::sync::Mutex::new(writing),
        }))
    }

    async fn open_store(parts: Parts) -> Result<Offline, OpenError> {
        Offline::open(&parts).await
    }

    fn metrics(&self) -> Arc<Metrics> {
        self.gate.metrics.clone()
    }

    fn reload(&self, config: &Config) {
        self.gate.quota.reconfigure(quota_config(config));
    }

    fn begin_drain(&self) {
        self.ready.store(false, Ordering::Release);
    }

    async fn close(&self, deadline: Duration) {
        self.gate.dispatch.shutdown(deadline).await;
        // Every run has ended; what is left to do is to write down how.
        self.gate.idempotency.close(retries::CLOSE).await;
        let mut chores =
            std::mem::take(&mut *self.chores.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        chores.shutdown().await;
        self.store.close().await;
        let writing = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(writing) = writing {
            writing.finish();
        }
    }

    fn isolation(config: &Config) -> Vec<Check> {
        detect::probe(level(config))
            .into_iter()
            .map(|finding| match finding.verdict {
                detect::Verdict::Yes => Check::yes(finding.name, finding.found),
                detect::Verdict::Weak => Check::weak(finding.name, finding.found, finding.remedy),
                detect::Verdict::No => Check::no(finding.name, finding.found, finding.remedy),
            })
            .collect()
    }
}

impl Answer for Callgate {
    async fn answer(self: Arc<Self>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        self.edge.clone().answer(peer, request).await
    }
}

#[async_trait]
impl AdminOps for Callgate {
    async fn create_account(&self, account: AccountId) -> Result<NewAccount, AdminError> {
        create_account(&self.directory, account).await
    }

    async fn explain_policy(&self, asked: ExplainPolicy) -> Result<Value, AdminError> {
        self.operator.explanations.explain(&asked).map_err(AdminError::Refused)
    }

    async fn sessions(&self, account: AccountId, command: SessionsCommand) -> Result<Value, AdminError> {
        sessions(&self.operator, account, command).await
    }

    async fn limits(&self, account: AccountId, command: LimitsCommand) -> Result<Value, AdminError> {
        limits(&self.operator, account, command).await
    }
}

/// What every way of opening needs.
struct Base {
    store: SqliteStore,
    feed: Arc<Feed>,
    directory: Arc<Directory>,
}

impl Base {
    async fn open(parts: &Parts) -> Result<Self, StoreError> {
        let store = SqliteStore::open(&parts.dir.database()).await?;
        let feed = Feed::new(Arc::new(store.clone()));
        let directory = Directory::new(
            iam::Parts {
                store: Arc::new(store.clone()),
                feed: feed.clone(),
                keys: parts.ring.clone(),
                clock: parts.clock.clone(),
                rng: parts.rng.clone(),
            },
            iam::Options { allow_loopback_http: parts.config.oidc.allow_loopback_http },
        );
        Ok(Self { store, feed, directory })
    }
}

#[cfg(test)]
mod tests;
