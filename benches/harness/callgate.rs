//! A gateway of ours, started as an operator would, and reached as a developer and as an app would.

use std::{
    fs,
    io::{self, BufRead, BufReader, Cursor, Write},
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use callgate::{
    app::client::{Door, Remote, sign},
    base::{Clock, Secret, SystemClock},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use url::Url;

use crate::wrk::Request;

const BINARY: &str = env!("CARGO_BIN_EXE_callgate");
const REGION: &str = "us-east-1";
const KEY_ID: &str = "AKIABENCHBENCHBENCHA";
/// Names the user that gateways are to run as, if not this one.
const USER: &str = "CALLGATE_BENCH_USER";
const SECRET: &str = "only/for+benches+only/for+benches+only/f";

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A running gateway; killed when dropped.
pub struct Gateway {
    process: Child,
    pub url: String,
}

impl Gateway {
    /// Starts one on this data directory; also says how long it took to become ready. Variables of the environment that
    /// begin with `CALLGATE_` reach it, so that settings can be compared.
    pub fn start(data: &Path) -> Result<(Self, Duration)> {
        Self::start_with(data, &[])
    }

    /// The same with these variables set.
    pub fn start_with(data: &Path, settings: &[(&str, &str)]) -> Result<(Self, Duration)> {
        Self::start_of(Path::new(BINARY), data, settings)
    }

    /// The same of another build of it.
    pub fn start_of(program: &Path, data: &Path, settings: &[(&str, &str)]) -> Result<(Self, Duration)> {
        let clock = SystemClock::new();
        let began = clock.monotonic();
        let mut command = command(program, data)?;
        command.envs(settings.iter().copied());
        // It logs every request, as in earnest; to a file beside the data directory.
        let log =
            fs::OpenOptions::new().create(true).append(true).open(data.with_file_name("gateway.log"))?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--ready-json"]).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().ok_or("the gateway has no standard output")?;
        BufReader::new(output).read_line(&mut line)?;
        let took = clock.monotonic().saturating_sub(began);
        let ready: Value = serde_json::from_str(&line).map_err(|_| "the gateway did not become ready")?;
        let url = ready["listen"].as_str().ok_or("the ready line names no address")?.to_owned();
        Ok((Self { process, url }, took))
    }

    /// Private memory of the gateway itself, in bytes: what would be free without it.
    pub fn private_memory(&self) -> io::Result<u64> {
        let map = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.id()))?;
        let kib: u64 = map
            .lines()
            .filter(|line| line.starts_with("Private_"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .sum();
        Ok(kib * 1024)
    }

    /// The process id of the gateway itself.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The gateway, with requests signed by the root key.
    pub fn developer(&self) -> Result<Remote> {
        Ok(self.anyone()?.signed_by(root()))
    }

    /// The gateway, with requests unsigned.
    pub fn anyone(&self) -> Result<Remote> {
        Ok(Remote::new(&self.url, &self.url, REGION, None, Arc::new(SystemClock::new()))?)
    }

    /// Ends it as an operator would.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.process.id().to_string()).status()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn root() -> sign::Credentials {
    sign::Credentials {
        access_key_id: KEY_ID.to_owned(),
        secret: Secret::from(SECRET.to_owned()),
        session_token: None,
    }
}

fn command(program: &Path, data: &Path) -> Result<Command> {
    let given: Option<u32> = std::env::var(USER).ok().map(|user| user.parse()).transpose()?;
    let mut command = match given {
        Some(user) => as_user(program, user, data)?,
        None => Command::new(program),
    };
    command
        .arg("--data-dir")
        .arg(data)
        .env("CALLGATE_ROOT_ACCESS_KEY_ID", KEY_ID)
        .env("CALLGATE_ROOT_SECRET_ACCESS_KEY", SECRET)
        .stdin(Stdio::null());
    if given.is_some() || !rustix::process::geteuid().is_root() {
        // What is measured is not the users.
        command.env("CALLGATE_SANDBOX__ISOLATION", "shared-user");
    }
    // Limits are checked, and never reached: what is measured is the check.
    for limit in ["ACCOUNT_CONCURRENCY", "ACCOUNT_RATE", "ADDRESS_RATE", "ADDRESS_BURST", "CALLER_RATE"] {
        let name = format!("CALLGATE_LIMITS__{limit}");
        if std::env::var_os(&name).is_none() {
            command.env(name, "1000000");
        }
    }
    Ok(command)
}

/// Runs as another user, on a folder that is this user's; where the program lies may be closed to it.
fn as_user(built: &Path, user: u32, data: &Path) -> Result<Command> {
    let folder = data.parent().ok_or("the data folder has no parent")?;
    let program = folder.join("callgate");
    if !program.exists() {
        fs::copy(built, &program)?;
        chown(folder, Some(user), Some(user))?;
    }
    let mut command = Command::new(program);
    // It is none of the gateway's settings.
    command.uid(user).gid(user).current_dir(folder).env_remove(USER);
    Ok(command)
}

/// Runs one of the command's own commands against the gateway on this data directory.
pub fn run(data: &Path, arguments: &[&str]) -> Result<String> {
    let output = command(Path::new(BINARY), data)?.args(arguments).output()?;
    if !output.status.success() {
        return Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes a folder with an echo function, and deploys it for guests.
pub fn deploy_echo(data: &Path) -> Result<()> {
    deploy(data, ECHO)
}

/// Deploys this `index.js` for guests, under the name of `echo`.
pub fn deploy(data: &Path, code: &str) -> Result<()> {
    let folder = data.with_file_name("echo");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.js"), code)?;
    let folder = folder.to_str().ok_or("the folder's name is not UTF-8")?;
    run(data, &["deploy", folder, "--tag", "callgate:allow=guests"])?;
    Ok(())
}

const ECHO: &str = "exports.handler = async (event) => event;";

/// Makes one more echo function through the API, with the role of the first.
pub async fn create_echo(developer: &Remote, role: &str, name: &str) -> Result<()> {
    create(developer, role, name, ECHO).await
}

/// The same of any function, by its `index.js`.
pub async fn create(developer: &Remote, role: &str, name: &str, code: &str) -> Result<()> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("index.js", zip::write::SimpleFileOptions::default())?;
    zip.write_all(code.as_bytes())?;
    let input = json!({
        "FunctionName": name,
        "Runtime": "nodejs20.x",
        "Handler": "index.handler",
        "Role": role,
        "Code": { "ZipFile": BASE64_STANDARD.encode(zip.finish()?.into_inner()) },
    });
    developer.create_function(&input).await?;
    Ok(())
}

/// The role that `deploy` made.
pub async fn role(developer: &Remote) -> Result<String> {
    let found = developer.function_configuration("echo").await?.ok_or("echo is not deployed")?;
    Ok(found["Role"].as_str().ok_or("echo has no role")?.to_owned())
}

/// What an app on a device sends to call `echo` as a guest: session credentials, a client context, a signature; about
/// 1.6 KB of headers and 200 bytes of body.
pub async fn guests_call(gateway: &Gateway, data: &Path) -> Result<Request> {
    let pool: Value = serde_json::from_str(&run(
        data,
        &["pools", "create", "bench", "--with-default-roles", "--allow-guests"],
    )?)?;
    let anyone = gateway.anyone()?;
    let ask = async |operation: &str, input: Value| {
        anyone
            .json(Door::Data, &format!("AWSCognitoIdentityService.{operation}"), "cognito-identity", &input)
            .await
    };
    let identity = ask("GetId", json!({ "IdentityPoolId": pool["IdentityPoolId"] })).await?;
    let answer = ask("GetCredentialsForIdentity", json!({ "IdentityId": identity["IdentityId"] })).await?;
    let text = |name: &str| answer["Credentials"][name].as_str().unwrap_or_default().to_owned();
    let credentials = sign::Credentials {
        access_key_id: text("AccessKeyId"),
        secret: Secret::from(text("SecretKey")),
        session_token: Some(Secret::from(text("SessionToken"))),
    };
    call_by(gateway, &credentials)
}

/// The same call by the root key of the first account.
pub fn developers_call(gateway: &Gateway) -> Result<Request> {
    call_by(gateway, &root())
}

fn call_by(gateway: &Gateway, credentials: &sign::Credentials) -> Result<Request> {
    let device = json!({
        "client": {
            "installation_id": "1f8b3b4e-2f60-4ab9-8f5c-000000000000",
            "app_title": "Bench",
            "app_version_name": "1.4.2",
            "app_version_code": "142",
            "app_package_name": "com.example.bench",
        },
        "env": { "platform": "Android", "platform_version": "15", "make": "Example", "model": "Nine", "locale": "en_GB" },
        "custom": { "screen": "home" },
    });
    let url: Url = format!("{}/2015-03-31/functions/echo/invocations", gateway.url).parse()?;
    let body = body();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let context = HeaderValue::from_str(&BASE64_STANDARD.encode(device.to_string()))?;
    headers.insert(HeaderName::from_static("x-amz-client-context"), context);
    let scope = sign::Scope { region: REGION, service: "lambda", at: SystemClock::new().now() };
    sign::sign(&Method::POST, &url, &mut headers, body.as_bytes(), credentials, scope)?;
    let pairs = headers
        .iter()
        // wrk writes the host itself, as it was signed.
        .filter(|(name, _)| *name != http::header::HOST)
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    Ok(Request { url: url.into(), headers: pairs, body })
}

/// 200 bytes of JSON.
pub fn body() -> String {
    let frame = json!({ "text": "" }).to_string().len();
    json!({ "text": "x".repeat(200 - frame) }).to_string()
}
