//! A harmless function that does what functions do: none of it is in the jail's way.

use callgate::functions::environment::GivenVariables;
use serde_json::{Value, json};

use super::hostile::Hostile;

const WORK: &str = r#"
const crypto = require('node:crypto');
const dns = require('node:dns').promises;
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const { once } = require('node:events');
const { promisify } = require('node:util');
const dgram = require('node:dgram');
const { fork, exec } = require('node:child_process');
const { pipeline } = require('node:stream/promises');
const { Worker } = require('node:worker_threads');
const zlib = require('node:zlib');

const work = {
  async http() {
    const server = http.createServer((request, response) => response.end('over http')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await (await fetch(`http://127.0.0.1:${server.address().port}`)).text();
    server.closeAllConnections();
    server.close();
    return answer;
  },
  async 'unix socket'() {
    const server = net.createServer((socket) => socket.end('over unix')).listen('/tmp/socket');
    await once(server, 'listening');
    const socket = net.connect('/tmp/socket');
    const [bytes] = await once(socket, 'data');
    server.close();
    return String(bytes);
  },
  async udp() {
    const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.send('over udp', socket.address().port, '127.0.0.1');
    const [bytes] = await once(socket, 'message');
    socket.close();
    return String(bytes);
  },
  async worker() {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    return answer;
  },
  async exec() {
    return (await promisify(exec)('echo one | cat && ls /var/task | wc -l')).stdout;
  },
  async fork() {
    fs.writeFileSync('/tmp/child.js', 'process.send(process.argv[2])');
    const child = fork('/tmp/child.js', ['from a child']);
    const [answer] = await once(child, 'message');
    return answer;
  },
  async kill() {
    const child = spawn('sleep', ['60']);
    child.kill('SIGTERM');
    return (await once(child, 'exit'))[1];
  },
  async watch() {
    const watcher = fs.watch('/tmp');
    const seen = once(watcher, 'change');
    fs.writeFileSync('/tmp/watched', 'x');
    await seen;
    watcher.close();
    return 'seen';
  },
  async files() {
    fs.mkdirSync('/tmp/a/b', { recursive: true });
    fs.writeFileSync('/tmp/a/b/c', 'text', { mode: 0o600 });
    fs.chmodSync('/tmp/a/b/c', 0o640);
    fs.utimesSync('/tmp/a/b/c', 1, 1);
    fs.copyFileSync('/tmp/a/b/c', '/tmp/a/d');
    fs.renameSync('/tmp/a/d', '/tmp/a/b/d');
    fs.symlinkSync('c', '/tmp/a/b/l');
    fs.linkSync('/tmp/a/b/c', '/tmp/a/b/h');
    fs.truncateSync('/tmp/a/b/d', 2);
    await pipeline(fs.createReadStream('/tmp/a/b/l'), zlib.createGzip(), fs.createWriteStream('/tmp/a/z'));
    const names = (await fs.promises.readdir('/tmp/a/b')).sort().join();
    fs.rmSync('/tmp/a', { recursive: true });
    return names;
  },
  async scrypt() { return (await promisify(crypto.scrypt)('word', 'salt', 32)).length; },
  async rsa() {
    const { privateKey, publicKey } = await promisify(crypto.generateKeyPair)('rsa', { modulusLength: 2048 });
    return crypto.verify('sha256', Buffer.from('x'), publicKey, crypto.sign('sha256', Buffer.from('x'), privateKey));
  },
  async wasm() {
    const bytes = Buffer.from('0061736d0100000001070160027f7f017f03020100070701036164640000' + '0a09010700200020016a0b', 'hex');
    const { instance } = await WebAssembly.instantiate(bytes);
    new WebAssembly.Memory({ initial: 1, maximum: 100 });
    return instance.exports.add(40, 2);
  },
  async python() {
    const said = spawnSync('python3', ['-c', 'import json, socket, subprocess, tempfile; tempfile.TemporaryFile(); print(json.dumps(subprocess.check_output(["echo", "from python"]).decode()))']);
    return said.error?.code === 'ENOENT' ? 'from python\n' : JSON.parse(said.stdout);
  },
  async dns() { return dns.lookup('nowhere.invalid').catch((error) => /^(ENOTFOUND|EAI_AGAIN)$/.test(error.code)); },
  async localhost() { return (await dns.lookup('localhost', { family: 4 })).address; },
  async os() {
    return [os.cpus().length > 0, os.totalmem() > 0, os.hostname(), os.userInfo().username, os.networkInterfaces().lo !== undefined, process.cpuUsage().user > 0, process.resourceUsage().maxRSS > 0, process.memoryUsage().rss > 0].join();
  },
  async signals() {
    const seen = once(process, 'SIGUSR2');
    process.kill(process.pid, 'SIGUSR2');
    // Waiting for a signal keeps no process alive.
    const timer = setTimeout(() => {}, 10_000);
    await seen;
    clearTimeout(timer);
    return 'heard';
  },
  async inspector() {
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connect();
    const { result } = await new Promise((ok, no) => session.post('Runtime.evaluate', { expression: '1 + 1' }, (error, said) => error ? no(error) : ok(said)));
    session.disconnect();
    return result.value;
  },
  async timers() { await new Promise((ok) => setTimeout(ok, 5)); return crypto.randomUUID().length; },
  async self() { return [fs.readlinkSync('/proc/self/exe'), fs.readdirSync('/proc/self/fd').length > 3, fs.readFileSync('/proc/self/maps').length > 0].join(); },
  async terminal() { return require('node:tty').isatty(1); },
};
const said = {};
for (const [name, attempt] of Object.entries(work)) {
  try { said[name] = await attempt(); } catch (error) { said[name] = `${error.code} ${error.message}`; }
}
return said;
"#;

#[tokio::test]
async fn a_function_may_want_no_add_ons() {
    let hostile = Hostile::handling("").await;
    hostile
        .stand
        .deploy_with("none", "exports.handler = async () => process.env.NODE_OPTIONS", |settings| {
            let given = [("NODE_OPTIONS", "--no-addons --max-old-space-size=60")];
            settings.environment =
                Some(GivenVariables(given.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
        })
        .await;
    assert_eq!(hostile.stand.value("none", "").await, "--no-addons --max-old-space-size=60");
    hostile.over().await;
}

#[tokio::test]
async fn everything_common_works() {
    let hostile = Hostile::handling(WORK).await;
    let said = hostile.value("").await;
    let expected = json!({
        "http": "over http",
        "unix socket": "over unix",
        "udp": "over udp",
        "worker": 42,
        "exec": "one\n2\n",
        "fork": "from a child",
        "kill": "SIGTERM",
        "watch": "seen",
        "files": "c,d,h,l",
        "scrypt": 32,
        "rsa": true,
        "wasm": 42,
        "python": "from python\n",
        "dns": true,
        "localhost": "127.0.0.1",
        "os": "true,true,sandbox,sandbox,true,true,true,true",
        "signals": "heard",
        "inspector": 2,
        "timers": 36,
        "self": "/var/lang/bin/node,true,true",
        "terminal": false,
    });
    for (name, result) in expected.as_object().unwrap() {
        assert_eq!(&said[name], result, "{name}");
    }
    assert_eq!(said.as_object().map(serde_json::Map::len), expected.as_object().map(serde_json::Map::len));
    assert_ne!(said, Value::Null);
    hostile.over().await;
}
